public import Quantities
public import WireFormats

/// How the values of options are written.
public enum OptionValues {
    /// Why a count of nodes is refused.
    public enum NodeCountRefusal: Error, Hashable, Sendable, CustomStringConvertible {
        /// Not a number, nor two with a dash.
        case notACount(String)
        /// `4-2`.
        case maximumBelowMinimum(minimum: Int32, maximum: Int32)

        /// Slurm's sentence.
        public var description: String {
            switch self {
            case .notACount(let text):
                "\"\(text)\" is not a valid node count"
            case .maximumBelowMinimum(let minimum, let maximum):
                "Maximum node count \(maximum) is less than minimum node count \(minimum)"
            }
        }
    }

    /// Reads `4`, `2-4`, `1k`, or `-4` for at most four.
    public static func nodeCount(
        _ text: String
    ) throws(NodeCountRefusal) -> (minimum: Int32, maximum: Int32) {
        let parts = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard let last = parts.last, let maximum = count(last) else { throw .notACount(text) }
        guard parts.count == 2 else { return (maximum, maximum) }
        guard let minimum = parts[0].isEmpty ? min(1, maximum) : count(parts[0]) else {
            throw .notACount(text)
        }
        guard minimum <= maximum else {
            throw .maximumBelowMinimum(minimum: minimum, maximum: maximum)
        }
        return (minimum, maximum)
    }

    private static func count(_ text: Substring) -> Int32? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int32(digits) else { return nil }
        let factor: Int32
        switch text.dropFirst(digits.count).lowercased() {
        case "": factor = 1
        case "k": factor = 1_024
        case "m": factor = 1_048_576
        default: return nil
        }
        let (product, overflow) = number.multipliedReportingOverflow(by: factor)
        return overflow ? nil : product
    }

    /// Reads an amount of memory: `500` (MiB), `500K`, `4G`, `1T`, with `B` or not. Rounds up to
    /// MiB.
    public static func memory(_ text: String) -> ByteCount? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int64(digits), digits.utf8.count <= 12 else { return nil }
        let mebibytes: Int64
        // Twelve digits leave room for the factors; for bytes they may not.
        switch text.dropFirst(digits.count).uppercased() {
        case "", "M", "MB": mebibytes = number
        case "K", "KB": mebibytes = (number + 1_023) / 1_024
        case "G", "GB": mebibytes = number << 10
        case "T", "TB": mebibytes = number << 20
        default: return nil
        }
        return ByteCount(exactlyMebibytes: mebibytes)
    }

    /// Reads generic resources: `gpu:2`, `gpu:a100:2`, `gpu`, several with commas. A word that is not
    /// a number is the model.
    public static func gres(_ text: String) -> [GresRequest]? {
        var requests: [GresRequest] = []
        for item in text.split(separator: ",") {
            var parts = item.split(separator: ":", omittingEmptySubsequences: false).map(
                String.init
            )
            if parts.first == "gres" { parts.removeFirst() }
            guard let name = parts.first, !name.isEmpty, parts.count <= 3 else { return nil }
            var request = GresRequest(name: name, count: 1)
            for part in parts.dropFirst() {
                if let count = Int32(part), count >= 0 {
                    request.count = count
                } else if request.type == nil, !part.isEmpty {
                    request.type = part
                } else {
                    return nil
                }
            }
            requests.append(request)
        }
        return requests
    }

    /// Reads the elements of a job array: `1-10%2`, `0-15:4`, `1,3,5-7`.
    ///
    /// - Parameter maximumIndex: the largest index allowed (`MaxArraySize` − 1 in Slurm); no more elements are
    ///   named than there are up to it, those that are named twice counted twice.
    public static func array(
        _ text: String,
        maximumIndex: UInt32 = 100_000
    ) throws(SlurmError) -> ArrayRequest {
        let halves = text.split(separator: "%", omittingEmptySubsequences: false)
        guard let list = halves.first, halves.count <= 2 else { throw .invalidArray }
        var request = ArrayRequest()
        for part in list.split(separator: ",", omittingEmptySubsequences: false) {
            let stepped = part.split(separator: ":", omittingEmptySubsequences: false)
            let ends = (stepped.first ?? "").split(
                separator: "-",
                omittingEmptySubsequences: false
            )
            guard stepped.count <= 2, let first = index(ends.first), ends.count <= 2,
                let last = index(ends.last), first <= last, last <= maximumIndex
            else { throw .invalidArray }
            guard stepped.count == 1 || ends.count == 2,
                let step = stepped.count == 2 ? index(stepped[1]) : 1, step > 0
            else { throw .invalidArray }
            request.ranges.append(ArrayRequest.Range(first: first, last: last, step: step))
        }
        guard request.elementCount <= Int(maximumIndex) + 1 else { throw .invalidArray }
        if halves.count == 2 {
            guard let limit = index(halves[1]) else { throw .invalidArray }
            request.limit = limit == 0 ? nil : limit
        }
        return request
    }

    private static func index(_ digits: Substring?) -> UInt32? {
        guard let digits, (1...10).contains(digits.utf8.count) else { return nil }
        return UInt32(digits)
    }

    /// Reads dependencies: `afterok:36:37,afterany:38`, `after:34+5`, `singleton`; with `?` between
    /// them one is enough.
    public static func dependencies(
        _ text: String
    ) throws(SlurmError) -> (dependencies: [DependencyRequest], isAny: Bool) {
        let isAny = text.contains("?")
        guard !(isAny && text.contains(",")) else { throw .dependencyProblem }
        var result: [DependencyRequest] = []
        for clause in text.split(separator: isAny ? "?" : ",", omittingEmptySubsequences: false) {
            let parts = clause.split(separator: ":", omittingEmptySubsequences: false)
            let kind = (parts.first ?? "").lowercased()
            if kind == "singleton", parts.count == 1 {
                result.append(DependencyRequest(kind: kind))
                continue
            }
            let kinds = [
                "after", "afterany", "afterok", "afternotok", "aftercorr", "afterburstbuffer",
            ]
            guard kinds.contains(kind), parts.count > 1 else { throw .dependencyProblem }
            for job in parts.dropFirst() {
                guard let dependency = dependency(kind, job) else { throw .dependencyProblem }
                result.append(dependency)
            }
        }
        return (result, isAny)
    }

    private static func dependency(_ kind: String, _ job: Substring) -> DependencyRequest? {
        var dependency = DependencyRequest(kind: kind)
        let delayed = job.split(separator: "+", omittingEmptySubsequences: false)
        if delayed.count == 2 {
            guard kind == "after", let minutes = index(delayed[1]) else { return nil }
            dependency.delay = SimDuration(seconds: Int64(minutes) * 60)
        }
        guard delayed.count <= 2,
            let (id, tasks) = jobAndTask(delayed.first ?? ""), id > 0
        else { return nil }
        dependency.jobID = id
        dependency.arrayTask = tasks
        return dependency
    }

    private static func jobAndTask(_ text: Substring) -> (UInt32, UInt32?)? {
        let parts = text.split(separator: "_", omittingEmptySubsequences: false)
        guard let id = index(parts.first), parts.count <= 2 else { return nil }
        if parts.count == 1 || parts[1] == "*" { return (id, nil) }
        guard let task = index(parts[1]) else { return nil }
        return (id, task)
    }

    /// Reads a job that a command is about: `20`, `20_3`, `20_[3-5,9]`, `20_*`, `20+1`; a step after a dot
    /// is cut off.
    public static func job(_ text: String) -> JobSelector? {
        let noStep = text.split(separator: ".", omittingEmptySubsequences: false).first ?? ""
        let sides = noStep.split(separator: "+", omittingEmptySubsequences: false)
        if sides.count == 2 {
            guard let id = index(sides[0]), id > 0, let component = index(sides[1]) else {
                return nil
            }
            return JobSelector(jobID: id, component: component)
        }
        let parts = noStep.split(
            separator: "_",
            maxSplits: 1,
            omittingEmptySubsequences: false
        )
        guard let id = index(parts.first), id > 0 else { return nil }
        guard parts.count == 2, parts[1] != "*" else { return JobSelector(jobID: id) }
        var list = parts[1]
        if list.hasPrefix("["), list.hasSuffix("]") { list = list.dropFirst().dropLast() }
        guard let array = try? array(String(list)) else { return nil }
        return JobSelector(jobID: id, arrayTasks: array.indices)
    }

    /// Reads a job, or a step of it: `20.0`. `20.batch` is the script, with which its job ends.
    public static func jobOrStep(_ text: String) -> JobSelector? {
        guard let dot = text.firstIndex(of: ".") else { return job(text) }
        let step = text[text.index(after: dot)...]
        guard var selector = job(String(text[..<dot])) else { return nil }
        if step == "batch" { return selector }
        guard let number = index(step) else { return nil }
        selector.step = "\(number)"
        return selector
    }

    /// Reads a signal's name or number: `USR1`, `SIGTERM`, `10`.
    public static func signal(_ text: String) -> Int32? {
        if let number = Int32(text) { return (1...64).contains(number) ? number : nil }
        let upper = text.uppercased()
        return signals[upper.hasPrefix("SIG") ? String(upper.dropFirst(3)) : upper]
    }

    /// The numbers of Linux on x86-64 and AArch64.
    private static let signals: [String: Int32] = [
        "HUP": 1, "INT": 2, "QUIT": 3, "ABRT": 6, "KILL": 9, "USR1": 10, "SEGV": 11, "USR2": 12,
        "PIPE": 13, "ALRM": 14, "TERM": 15, "CHLD": 17, "CONT": 18, "STOP": 19, "TSTP": 20,
        "TTIN": 21, "TTOU": 22, "URG": 23, "XCPU": 24,
    ]

    /// Reads `[{R|B}:]SIGNAL[@SECONDS]`.
    public static func signalRequest(_ text: String) -> SignalRequest? {
        var request = SignalRequest()
        var rest = text[...]
        if let colon = rest.firstIndex(of: ":") {
            let flags = rest[..<colon].uppercased()
            guard !flags.isEmpty, flags.allSatisfy({ $0 == "B" || $0 == "R" }) else { return nil }
            request.isForShellOnly = flags.contains("B")
            rest = rest[rest.index(after: colon)...]
        }
        let parts = rest.split(separator: "@", omittingEmptySubsequences: false)
        guard let name = parts.first, parts.count <= 2, let number = signal(String(name)) else {
            return nil
        }
        request.number = number
        if parts.count == 2 {
            guard let seconds = Int64(parts[1]), (0...65_535).contains(seconds) else { return nil }
            request.lead = SimDuration(seconds: seconds)
        }
        return request
    }

    /// Whether every word of a `--mail-type` is known.
    public static func isMailType(_ text: String) -> Bool {
        let words: Set = [
            "NONE", "BEGIN", "END", "FAIL", "REQUEUE", "ALL", "INVALID_DEPEND", "STAGE_OUT",
            "TIME_LIMIT", "TIME_LIMIT_90", "TIME_LIMIT_80", "TIME_LIMIT_50", "ARRAY_TASKS",
        ]
        return text.split(separator: ",", omittingEmptySubsequences: false).allSatisfy {
            words.contains($0.uppercased())
        }
    }
}
