/// What `xinghe-step` is to start, as the daemon writes it down for it.
///
/// The file is a sequence of records `name=value`, each ended by a zero byte: neither a path nor
/// an environment variable can hold one, so nothing needs quoting.
public struct StepSpecification: Hashable, Sendable {
    /// Whom the job runs as.
    public struct User: Hashable, Sendable {
        /// The user's number.
        public var id: UInt32
        /// The number of the user's group.
        public var groupID: UInt32
        /// The user's name, for the supplementary groups.
        public var name: String

        /// Makes a user.
        public init(id: UInt32, groupID: UInt32, name: String) {
            self.id = id
            self.groupID = groupID
            self.name = name
        }
    }

    /// The number of the job.
    public var jobID: UInt32
    /// The node it runs on, for messages in its output.
    public var nodeName: String
    /// The program: the path of the script.
    public var program: String
    /// What the program gets, without its own name.
    public var arguments: [String] = []
    /// The environment, `NAME=value` each.
    public var environment: [String] = []
    /// The folder to start in.
    public var directory: String
    /// Where standard input comes from.
    public var input = "/dev/null"
    /// Where standard output goes; patterns are filled in already.
    public var output: String
    /// Where standard error goes; nil for standard output.
    public var error: String?
    /// Whether the files are appended to.
    public var appendsOutput = false
    /// The file mode creation mask.
    public var mask: UInt32 = 0o022
    /// To whom the step changes first; nil to stay who the daemon is.
    public var user: User?
    /// The operating system's numbers of the processing units it is bound to; empty for all.
    public var processingUnits: [Int32] = []
    /// How many accelerator cards it holds.
    public var cardCount = 0
    /// The time between SIGTERM and SIGKILL. Unit: ms.
    public var killWaitMilliseconds: UInt32 = 30_000
    /// How it is rehearsed; nil when it runs in the machine's time.
    public var rehearsal: Rehearsal?

    /// Makes a specification.
    public init(
        jobID: UInt32,
        nodeName: String,
        program: String,
        directory: String,
        output: String
    ) {
        self.jobID = jobID
        self.nodeName = nodeName
        self.program = program
        self.directory = directory
        self.output = output
    }
}

extension StepSpecification {
    /// The bytes of the file.
    public var encoded: [UInt8] {
        var bytes: [UInt8] = []
        func put(_ name: String, _ value: String) {
            bytes += Array(name.utf8)
            bytes.append(UInt8(ascii: "="))
            bytes += value.utf8.filter { $0 != 0 }
            bytes.append(0)
        }
        put("job", String(jobID))
        put("node", nodeName)
        put("program", program)
        put("directory", directory)
        put("input", input)
        put("output", output)
        if let error { put("error", error) }
        put("append", appendsOutput ? "1" : "0")
        put("umask", String(mask))
        put("killwait", String(killWaitMilliseconds))
        if let user { put("user", "\(user.id):\(user.groupID):\(user.name)") }
        for unit in processingUnits { put("pu", String(unit)) }
        put("cards", String(cardCount))
        if let rehearsal { put("rehearsal", rehearsal.text) }
        for argument in arguments { put("argument", argument) }
        for variable in environment { put("environment", variable) }
        return bytes
    }

    /// Reads the bytes of the file; nil when a record is unknown, wrong or missing.
    public init?(decoding bytes: [UInt8]) {
        guard bytes.last == 0 else { return nil }
        self.init(jobID: 0, nodeName: "", program: "", directory: "", output: "")
        for record in bytes.split(separator: 0) {
            guard let equals = record.firstIndex(of: UInt8(ascii: "=")) else { return nil }
            let name = String(decoding: record[..<equals], as: UTF8.self)
            let value = String(decoding: record[(equals + 1)...], as: UTF8.self)
            guard take(name, value) else { return nil }
        }
        guard jobID > 0, !program.isEmpty, !directory.isEmpty, !output.isEmpty else { return nil }
    }

    private mutating func take(_ name: String, _ value: String) -> Bool {
        switch name {
        case "job": jobID = UInt32(value) ?? 0
        case "node": nodeName = value
        case "program": program = value
        case "directory": directory = value
        case "input": input = value
        case "output": output = value
        case "error": error = value
        case "append": appendsOutput = value == "1"
        case "argument": arguments.append(value)
        case "environment": environment.append(value)
        case "rehearsal":
            rehearsal = Rehearsal(value)
            return rehearsal != nil
        default: return takeNumbers(name, value)
        }
        return true
    }

    private mutating func takeNumbers(_ name: String, _ value: String) -> Bool {
        let parts = value.split(separator: ":", maxSplits: 2)
        switch name {
        case "umask", "killwait", "pu", "cards":
            guard let number = UInt32(value) else { return false }
            if name == "umask" { mask = number }
            if name == "killwait" { killWaitMilliseconds = number }
            if name == "cards" { cardCount = Int(number) }
            if name == "pu" { processingUnits.append(Int32(bitPattern: number)) }
        case "user":
            guard parts.count == 3, let id = UInt32(parts[0]), let group = UInt32(parts[1]) else {
                return false
            }
            user = User(id: id, groupID: group, name: String(parts[2]))
        default: return false
        }
        return true
    }
}
