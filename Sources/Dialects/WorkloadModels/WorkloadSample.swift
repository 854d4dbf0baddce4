public import WorkloadFormats

/// A log that a model made: jobs, and whom of their own users' jobs they follow.
public struct WorkloadSample: Sendable {
    /// The jobs, in order of submission, with the header of their log.
    public internal(set) var trace: Trace
    /// For each job the place of the one that its user waited for, −1 for none; empty where nobody
    /// follows.
    public internal(set) var predecessors: ContiguousArray<Int32> = []
    /// From the end of that job to the submission. Unit: s.
    public internal(set) var thinkSeconds: ContiguousArray<Int32> = []
    /// What was asked of the model, and whether the sample has it.
    public internal(set) var checks: [WorkloadCheck] = []

    init(_ trace: Trace) {
        self.trace = trace
    }

    /// Leaves out who waited for whom: all submissions are what they are.
    public mutating func forgetSessions() {
        predecessors = []
        thinkSeconds = []
    }
}

/// A figure of a generated log beside the one that was published or assumed.
public struct WorkloadCheck: Hashable, Sendable {
    /// What is measured, and what it should be.
    public var name: String
    /// What the sample has.
    public var value: Double
    /// How many decimals tell.
    public var decimals: Int
    /// Whether it is as it should be; nil for a figure that is only shown.
    public var isMet: Bool?

    init(_ name: String, _ value: Double, decimals: Int, isMet: Bool? = nil) {
        self.name = name
        self.value = value
        self.decimals = decimals
        self.isMet = isMet
    }
}

extension WorkloadSample {
    /// The log in the Standard Workload Format 2.2, handed to `emit` in pieces.
    public func writeSWF(_ emit: ([UInt8]) throws -> Void) rethrows {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(1 << 20)
        for (name, value) in trace.header { bytes += "; \(name): \(value)\n".utf8 }
        for (index, job) in trace.jobs.enumerated() {
            let before = predecessors.isEmpty ? -1 : predecessors[index]
            let fields: InlineArray<18, Int64> = [
                job.id, job.submitted / 1_000_000, -1, job.runTime / 1_000_000,
                Int64(job.processors), -1, -1, Int64(job.processors), job.timeLimit / 1_000_000, -1,
                Int64(job.status), Int64(job.user), Int64(job.group), -1, Int64(job.queue),
                Int64(job.partition), before < 0 ? -1 : trace.jobs[Int(before)].id,
                before < 0 ? -1 : Int64(thinkSeconds[index]),
            ]
            for field in 0..<18 {
                Self.append(fields[field], to: &bytes)
                bytes.append(field < 17 ? 0x20 : 0x0A)
            }
            if bytes.count > (1 << 20) - 512 {
                try emit(bytes)
                bytes.removeAll(keepingCapacity: true)
            }
        }
        try emit(bytes)
    }

    @inline(__always)
    private static func append(_ number: Int64, to bytes: inout [UInt8]) {
        if number < 0 { bytes.append(UInt8(ascii: "-")) }
        var rest = number.magnitude
        if rest < 10 { return bytes.append(48 + UInt8(rest)) }
        let start = bytes.count
        while rest > 0 {
            bytes.append(48 + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        }
        var (low, high) = (start, bytes.count - 1)
        while low < high {
            bytes.swapAt(low, high)
            low += 1
            high -= 1
        }
    }
}
