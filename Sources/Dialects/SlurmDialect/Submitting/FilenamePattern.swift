/// The names of output files: `slurm-%j.out`, `%x-%4j_%a.log`.
///
/// Source: sbatch(1) of Slurm 22.05, "FILENAME PATTERN". A backslash switches the patterns off; a
/// number between `%` and the letter pads job and task numbers with zeros to that width.
public enum FilenamePattern {
    /// What the letters stand for.
    public struct Values: Hashable, Sendable {
        /// `%j`, `%J`: the job's number.
        public var jobID: UInt32
        /// `%A`: the number of the job array; the job's own without one.
        public var arrayJobID: UInt32?
        /// `%a`: the index in the job array; 4294967294 without one.
        public var arrayTaskID: UInt32?
        /// `%x`: the job's name.
        public var jobName: String
        /// `%u`: the user's name.
        public var user: String
        /// `%N`: the name of the first node.
        public var host: String
        /// `%n`: the index of the node in the job.
        public var nodeIndex: UInt32 = 0
        /// `%t`: the index of the task in the job.
        public var task: UInt32 = 0
        /// `%s`: the step; `batch` for the script.
        public var step = "batch"

        /// Makes the values of a batch script.
        public init(
            jobID: UInt32,
            arrayJobID: UInt32? = nil,
            arrayTaskID: UInt32? = nil,
            jobName: String,
            user: String,
            host: String
        ) {
            self.jobID = jobID
            self.arrayJobID = arrayJobID
            self.arrayTaskID = arrayTaskID
            self.jobName = jobName
            self.user = user
            self.host = host
        }
    }

    /// Slurm's "no value", which shows when a pattern asks for what the job does not have.
    public static let noValue: UInt32 = 4_294_967_294

    /// The pattern for jobs that name no output file.
    public static func standard(isArray: Bool) -> String {
        isArray ? "slurm-%A_%a.out" : "slurm-%j.out"
    }

    /// `pattern` with its letters filled in, below `folder` unless it is absolute.
    public static func path(_ pattern: String, in folder: String, _ values: Values) -> String {
        let name = expand(pattern, values)
        if name.hasPrefix("/") { return name }
        return folder.hasSuffix("/") ? folder + name : folder + "/" + name
    }

    /// `pattern` with its letters filled in. Unknown letters stay as they are.
    public static func expand(_ pattern: String, _ values: Values) -> String {
        // sbatch(1): "\\  Do not process any of the replacement symbols."
        if pattern.contains("\\") { return pattern.filter { $0 != "\\" } }
        var result = ""
        var rest = pattern[...]
        while let percent = rest.firstIndex(of: "%") {
            result += rest[..<percent]
            rest = rest[rest.index(after: percent)...]
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            guard let letter = rest.dropFirst(digits.count).first else {
                return result + "%" + rest
            }
            rest = rest.dropFirst(digits.count + 1)
            let width = min(Int(digits) ?? 0, 10)
            result += text(letter, width, values) ?? "%\(digits)\(letter)"
        }
        return result + rest
    }

    private static func text(_ letter: Character, _ width: Int, _ values: Values) -> String? {
        switch letter {
        case "%": "%"
        case "j": padded(values.jobID, width)
        case "J":
            values.step == "batch"
                ? padded(values.jobID, width)
                : padded(values.jobID, width) + "." + values.step
        case "A": padded(values.arrayJobID ?? values.jobID, width)
        case "a": padded(values.arrayTaskID ?? noValue, width)
        case "x": values.jobName
        case "u": values.user
        case "N": values.host
        case "n": padded(values.nodeIndex, width)
        case "t": padded(values.task, width)
        case "s": values.step
        default: nil
        }
    }

    private static func padded(_ number: UInt32, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}
