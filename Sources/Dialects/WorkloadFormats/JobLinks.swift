/// Which job of a log follows which: fields 17 and 18 of the Standard Workload Format.
///
/// Field 17 is the number of a job that had to end first, field 18 the seconds from its end to the
/// submission of this one ("think time").
public struct JobLinks: Sendable {
    /// The job before, as a position in the trace; −1 for none.
    public private(set) var predecessors: ContiguousArray<Int32>
    /// From the end of the job before to the submission. Unit: µs.
    public private(set) var thinkTimes: ContiguousArray<Int64>
    /// Jobs that follow another.
    public private(set) var linkCount = 0
    /// Links to numbers that no job of the log has, and those that would close a circle.
    public private(set) var brokenCount = 0

    /// Reads the links of a log.
    ///
    /// - Precondition: the trace kept its rows.
    public init(_ trace: Trace) {
        precondition(!trace.rows.isEmpty, "the rows hold fields 17 and 18")
        predecessors = ContiguousArray(repeating: -1, count: trace.jobs.count)
        thinkTimes = ContiguousArray(repeating: 0, count: trace.jobs.count)
        var positions: [Int64: Int32] = [:]
        positions.reserveCapacity(trace.jobs.count)
        for (index, job) in trace.jobs.enumerated() { positions[job.id] = Int32(index) }
        for index in trace.jobs.indices {
            let fields = trace.rows.fields(of: index)
            guard fields.count >= 18, let number = Self.micros(fields[16]), number > 0 else {
                continue
            }
            let before = number % 1_000_000 == 0 ? positions[number / 1_000_000] : nil
            guard let before, Int(before) != index else {
                brokenCount += 1
                continue
            }
            predecessors[index] = before
            let think = Self.micros(fields[17]) ?? 0
            thinkTimes[index] = min(max(0, think), Trace.durationMaximum)
            linkCount += 1
        }
        cutCircles()
    }

    private static func micros(_ field: ArraySlice<UInt8>) -> Int64? {
        field.withUnsafeBytes { FieldBytes.scientific($0) }
    }

    /// Lets no job wait for itself by way of others: the link that would close a circle goes.
    private mutating func cutCircles() {
        // 0 is not seen, 1 on the way that is gone, 2 done.
        var marks = ContiguousArray<UInt8>(repeating: 0, count: predecessors.count)
        for first in predecessors.indices where marks[first] == 0 {
            var way: [Int] = []
            var job = first
            while true {
                marks[job] = 1
                way.append(job)
                let before = Int(predecessors[job])
                guard before >= 0, marks[before] != 2 else { break }
                if marks[before] == 1 {
                    predecessors[job] = -1
                    linkCount -= 1
                    brokenCount += 1
                    break
                }
                job = before
            }
            for job in way { marks[job] = 2 }
        }
    }
}
