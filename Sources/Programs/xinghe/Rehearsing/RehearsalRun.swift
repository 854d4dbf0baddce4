import Foundation
import LocalClient
import Quantities
import SlurmDialect
import WireFormats

/// Scripts in a private centre, from their submission to their ends.
struct RehearsalRun {
    private let centre: PrivateCentre
    /// Beside others, who come all the time.
    private let isLoaded: Bool
    init(_ centre: PrivateCentre, isLoaded: Bool) {
        self.centre = centre
        self.isLoaded = isLoaded
    }

    var client: LocalClient { centre.client }

    /// How much of an output file is shown. Unit: byte.
    private static let outputMaximum = 8 << 10

    /// When a script would start and what it would cost if it ran to its limit.
    func quote(_ request: SubmitRequest) throws(LocalClientFailure) -> SubmitResponse {
        var trial = request
        trial.isTestOnly = true
        return try client.post("/v1/jobs", trial)
    }

    /// Submits a script; the number of its job.
    func submit(_ request: SubmitRequest) throws(LocalClientFailure) -> UInt32 {
        let response: SubmitResponse = try client.post("/v1/jobs", request)
        // Not before it is quiet is the next one submitted: their order is the same each time.
        var stay = ClockAdvanceRequest()
        stay.duration = .zero
        _ = try client.post("/v1/clock/advance", stay, as: CentreStatus.self)
        return response.jobID
    }

    /// Lets time pass until every job has ended, or none of those that wait can start any more.
    ///
    /// - Parameter deadline: then it is given up.
    /// - Returns: whether it has come so far.
    @discardableResult
    func letRun(until deadline: ContinuousClock.Instant? = nil) throws(LocalClientFailure) -> Bool {
        // Whoever still waits when a year has passed in which nothing ran waits for ever.
        var idleDays = 0
        // Beside others a month will do.
        let patience = isLoaded ? 31 : 366
        while idleDays < patience {
            let list = try client.get("/v1/jobs?user=\(getuid())", as: JobList.self)
            let active = list.jobs.filter { $0.reason != "DependencyNeverSatisfied" }
            guard !active.isEmpty else { break }
            if let deadline, ContinuousClock.now > deadline { return false }
            let running = active.filter { $0.state != "PENDING" }
            // Longer and longer looks: what does start meanwhile runs all the same.
            let days = running.isEmpty ? min(idleDays + 1, patience - idleDays) : 1
            idleDays = running.isEmpty ? idleDays + days : 0
            let ends = running.map { ($0.end ?? list.now) + SimDuration(seconds: 60) }
            let day = list.now + SimDuration(seconds: 86_400 * Int64(days))
            var request = ClockAdvanceRequest()
            request.until = max(ends.max() ?? day, list.now + SimDuration(seconds: 60))
            _ = try client.post("/v1/clock/advance", request, as: CentreStatus.self)
        }
        return true
    }

    /// The files that jobs write to. They are asked for by number: a list leaves out what has ended a day ago.
    private func files(
        of numbers: [UInt32]
    ) throws(LocalClientFailure) -> [UInt32: (output: String, errors: String)] {
        var files: [UInt32: (output: String, errors: String)] = [:]
        for begin in stride(from: 0, to: numbers.count, by: 500) {
            let ids = numbers[begin..<min(begin + 500, numbers.count)]
            let list = ids.map { "\($0)" }.joined(separator: ",")
            for job in try client.get("/v1/jobs?ended=1&id=\(list)", as: JobList.self).jobs {
                files[job.jobID] = (job.standardOutput, job.standardError)
            }
        }
        return files
    }

    /// What became of all jobs, and what they cost.
    func collected(
        _ submitted: RehearsalResult = RehearsalResult()
    ) throws(LocalClientFailure) -> RehearsalResult {
        var result = submitted
        let records = try client.get(
            "/v1/accounting?user=\(getuid())",
            as: AccountingList.self
        ).records
        let files = try files(of: Set(records.map(\.jobID)).sorted())
        let names = Dictionary(
            records.map { record in
                let number = record.arrayJobID ?? record.jobID
                let script = submitted.scripts.first { $0.job == number }
                return (record.jobID, script?.path ?? record.name)
            }
        ) { first, _ in first }
        // Of a job that was requeued the last run counts.
        let last = Dictionary(records.map { ($0.jobID, $0) }) { _, last in last }
        for record in last.values.sorted(by: { $0.jobID < $1.jobID }) {
            var job = RehearsedJob(record)
            // The others run no script, and write nothing.
            let hasScript = record.hetJobOffset ?? 0 == 0
            if let (output, errors) = files[record.jobID], record.start != nil, hasScript {
                job.output = centre.naming(scripts: names, in: Self.head(output))
                if errors != output, !errors.isEmpty {
                    job.errors = centre.naming(scripts: names, in: Self.head(errors))
                }
            }
            result.jobs.append(job)
        }
        for account in Set(records.map(\.account)).sorted() {
            let bill = try client.get("/v1/bill?account=\(account)", as: BillStatement.self)
            result.gross += bill.gross
            result.subsidy += bill.subsidy
            result.net += bill.net
        }
        return result
    }

    /// The beginning of a file; empty when it cannot be read.
    private static func head(_ path: String) -> String {
        guard !path.hasPrefix("/dev/"), let file = FileHandle(forReadingAtPath: path) else {
            return ""
        }
        defer { try? file.close() }
        let bytes = (try? file.read(upToCount: outputMaximum + 1)) ?? Data()
        let text = String(decoding: bytes.prefix(outputMaximum), as: UTF8.self)
        let isWhole = text.isEmpty || text.hasSuffix("\n")
        return bytes.count > outputMaximum ? text + "…\n" : isWhole ? text : text + "\n"
    }
}
