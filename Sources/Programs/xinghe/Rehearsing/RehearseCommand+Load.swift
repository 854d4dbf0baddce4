import Foundation
import IndexSets
import LocalClient
import Quantities
import SlurmDialect
import WireFormats

// When the jobs would start under other people's load, over ten seeds of it.

extension RehearseCommand {
    /// How many seeds are tried.
    private static let seedCount: UInt64 = 10

    /// Submits the scripts under nine other seeds too, where they take as long as they were rehearsed to, and
    /// notes when they start.
    func addSpread(
        to result: inout RehearsalResult,
        _ open: (UInt64) throws -> PrivateCentre
    ) throws {
        for index in result.scripts.indices {
            guard let job = result.scripts[index].job else { continue }
            result.scripts[index].starts = [result.jobs(of: job).first?.start].compactMap(\.self)
            result.scripts[index].seeds = 1
        }
        let count = Int(Self.seedCount)
        let bar = ProgressBar(counted: count, "seed", total: count)
        bar.advance(by: 1)
        defer { bar.finish() }
        for offset in 1..<Self.seedCount {
            defer { bar.advance(by: 1) }
            let run = RehearsalRun(try open(offset), isLoaded: true)
            let numbers = try CentreAccess.ask { () throws(LocalClientFailure) in
                try run.submitAgain(result, emulated: true)
            }
            let starts = try self.starts(in: run.client, of: Array(numbers.values))
            for index in result.scripts.indices {
                guard let job = result.scripts[index].job, let number = numbers[job] else {
                    continue
                }
                result.scripts[index].seeds += 1
                if let start = starts[number] { result.scripts[index].starts.append(start) }
            }
        }
        for index in result.scripts.indices { result.scripts[index].starts.sort() }
    }

    /// Lets time pass until the jobs have started, a month at most.
    private func starts(
        in client: LocalClient,
        of numbers: [UInt32]
    ) throws -> [UInt32: SimInstant] {
        var starts: [UInt32: SimInstant] = [:]
        var hours = 0
        while hours < 31 * 24 {
            let list = try CentreAccess.ask { () throws(LocalClientFailure) in
                try client.get("/v1/jobs?ended=1&user=\(getuid())", as: JobList.self)
            }
            for job in list.jobs where job.state != "PENDING" { starts[job.jobID] = job.start }
            let waiting = list.jobs.filter {
                $0.state == "PENDING" && numbers.contains($0.jobID)
                    && $0.reason != "DependencyNeverSatisfied"
            }
            guard !waiting.isEmpty else { break }
            var request = ClockAdvanceRequest()
            request.duration = SimDuration(seconds: 3_600)
            _ = try CentreAccess.ask { () throws(LocalClientFailure) in
                try client.post("/v1/clock/advance", request, as: CentreStatus.self)
            }
            hours += 1
        }
        return starts
    }
}

extension RehearsedScript {
    /// The earliest, the median and the latest start over the seeds of the load.
    func spreadLine(_ words: MessageLanguage) -> String? {
        guard let first = starts.first, let last = starts.last else { return nil }
        func text(_ instant: SimInstant) -> String {
            CivilTime(instant, offsetSeconds: CivilTime.shanghaiOffsetSeconds).iso8601
        }
        let middle = text(starts[starts.count / 2])
        return words(
            "  负载的 \(seeds) 个种子中 \(starts.count) 个启动：最早 \(text(first))，中位 \(middle)，最晚 \(text(last))",
            "  starts under \(starts.count) of \(seeds) seeds of the load: earliest \(text(first)),"
                + " median \(middle), latest \(text(last))"
        )
    }
}
