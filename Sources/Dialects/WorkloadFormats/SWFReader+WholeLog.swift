/// What can be said of a log when all of its rows are read.
extension SWFReader {
    /// Takes the machine and the start from the header, and brings the jobs into their order.
    func finish(_ trace: inout Trace) {
        // `1152`, `1,152`, `1152 (8 a node)` are all seen.
        func headerNumber(_ name: String) -> Int64? {
            trace.headerValue(name).flatMap { value in
                Int64(value.prefix { $0.isNumber || $0 == "," }.filter { $0 != "," })
            }
        }
        if let start = trace.headerValue("UnixStartTime"), start != "-1" {
            let number = headerNumber("UnixStartTime") ?? -1
            let isTime = (0...253_402_300_799).contains(number)
            trace.unixStartTime = isTime ? number : 0
            if !isTime { trace.badStartTime = start }
        }
        trace.machineProcessors = [headerNumber("MaxProcs"), headerNumber("MaxNodes")]
            .compactMap(\.self).first { $0 > 0 }.map { Int(clamping: $0) }
        if filter == .strong, let maximum = machineProcessors ?? trace.machineProcessors {
            let before = trace.jobs.count
            trace.jobs.removeAll { Int($0.processors) > maximum }
            let dropped = before - trace.jobs.count
            if dropped > 0 { trace.dropped[.filtered, default: 0] += dropped }
        }
        guard !isInOrder(trace.jobs) else { return }
        dropRepeatedIDs(&trace)
        sortBySubmission(&trace)
    }

    /// Whether numbers rise and submissions do not fall, as in most logs: then nothing is repeated
    /// and nothing is to be sorted.
    private func isInOrder(_ jobs: ContiguousArray<TraceJob>) -> Bool {
        jobs.withUnsafeBufferPointer { jobs in
            var index = 1
            while index < jobs.count, jobs[index - 1].id < jobs[index].id,
                jobs[index - 1].submitted <= jobs[index].submitted
            {
                index += 1
            }
            return index >= jobs.count
        }
    }

    private func dropRepeatedIDs(_ trace: inout Trace) {
        let isRising = zip(trace.jobs, trace.jobs.dropFirst()).allSatisfy { $0.id < $1.id }
        guard !isRising else { return }
        var seen = Set<Int64>(minimumCapacity: trace.jobs.count)
        let before = trace.jobs.count
        trace.jobs.removeAll { !seen.insert($0.id).inserted }
        let dropped = before - trace.jobs.count
        if dropped > 0 { trace.dropped[.repeatedID] = dropped }
    }

    private func sortBySubmission(_ trace: inout Trace) {
        func goesBefore(_ left: TraceJob, _ right: TraceJob) -> Bool {
            if left.submitted != right.submitted { return left.submitted < right.submitted }
            if left.id != right.id { return left.id < right.id }
            return left.line < right.line
        }
        let isSorted = zip(trace.jobs, trace.jobs.dropFirst()).allSatisfy { !goesBefore($1, $0) }
        guard !isSorted else { return }
        trace.outOfOrder = zip(trace.jobs, trace.jobs.dropFirst())
            .count { $1.submitted < $0.submitted }
        trace.jobs.sort(by: goesBefore)
    }
}

extension Trace {
    /// Adds what a later part of the same log gave.
    ///
    /// - Parameter linesBefore: the lines of the log that stand before the part.
    mutating func append(_ part: Trace, linesBefore: Int) {
        jobs.reserveCapacity(jobs.count + part.jobs.count)
        for var job in part.jobs {
            job.line = Int32(clamping: Int(job.line) + linesBefore)
            jobs.append(job)
        }
        header += part.header
        dropped.merge(part.dropped) { $0 + $1 }
        for var row in part.malformedRows.prefix(SWFReader.malformedRowsKept - malformedRows.count)
        {
            row.line += linesBefore
            malformedRows.append(row)
        }
        withoutLimit += part.withoutLimit
        withAllocatedSize += part.withAllocatedSize
        withFractionalSize += part.withFractionalSize
        cutAtLimit += part.cutAtLimit
        rowCount += part.rowCount
    }
}
