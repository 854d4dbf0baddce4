import Persistence
import Quantities
import SlurmDialect
import WireFormats

/// A run of a job.
struct RunKey: Hashable {
    private let job: UInt32
    private let restart: Int32

    init(_ record: AccountingRecord) {
        (job, restart) = (record.jobID, record.restarts)
    }
}

/// Which records of the accounts a question means.
struct RecordFilter {
    private let jobs: [ClosedRange<UInt32>]?
    private let users: Set<String>?
    private let accounts: Set<String>?
    private let from: SimInstant?
    private let until: SimInstant?

    /// - Throws: `PersistenceFailure` when the store must be asked what numbers stand for, and cannot be.
    init(
        _ query: AccountingQuery,
        _ book: JobBook,
        _ reader: CentreReader,
        now: SimInstant
    ) throws(PersistenceFailure) {
        jobs = try query.ids.map { ids throws(PersistenceFailure) in
            var ranges: [ClosedRange<UInt32>] = []
            for id in ids { ranges.append(try Self.numbers(of: id, book, reader)) }
            return Self.merged(ranges)
        }
        // The store knows names only.
        users = query.users.map { users in
            Set(users + users.compactMap { UInt32($0).map(UserNames.user) })
        }
        accounts = query.accounts.map { Set($0) }
        let calendar = CentreCalendar()
        from = query.from.flatMap { calendar.instant($0, now: now, isPast: true) }
        until = query.until.flatMap { calendar.instant($0, now: now, isPast: true) }
    }

    /// The numbers that a job's number stands for, also where the book has forgotten the jobs.
    private static func numbers(
        of id: UInt32,
        _ book: JobBook,
        _ reader: CentreReader
    ) throws(PersistenceFailure) -> ClosedRange<UInt32> {
        let numbers = book.numbers(of: id)
        guard numbers.count == 1, book[id] == nil else { return numbers }
        return id...(try lastOfFamily(of: id, reader))
    }

    /// The last element of an array, or component of a heterogeneous job, of which the store has the records,
    /// by the number of the first; that number itself when it is the first of none.
    static func lastOfFamily(
        of id: UInt32,
        _ reader: CentreReader
    ) throws(PersistenceFailure) -> UInt32 {
        var query = CentreReader.JobQuery()
        var (last, step) = (id, UInt32(0))
        while true {
            let end = last.addingReportingOverflow(step)
            let range = last...(end.overflow ? .max : end.partialValue)
            query.jobs = [range]
            let records = try reader.jobs(query).compactMap { body in
                try? AccountingRecord(
                    parsing: Array(body.utf8),
                    selecting: AccountingRecord.readingSelection(of: ["array_job_id", "het_job_id"])
                )
            }
            let family = records.prefix { $0.arrayJobID == id || $0.hetJobID == id }
            last = max(last, family.last?.jobID ?? id)
            // They follow one another: where there is no more of them is the end.
            guard family.count == records.count, last == range.upperBound, last < .max else {
                return last
            }
            step = 512
        }
    }

    /// Ranges that do not touch one another, ascending.
    private static func merged(_ ranges: [ClosedRange<UInt32>]) -> [ClosedRange<UInt32>] {
        var merged: [ClosedRange<UInt32>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = merged.last, range.lowerBound <= last.upperBound {
                merged[merged.count - 1] =
                    last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                merged.append(range)
            }
        }
        return merged
    }

    /// What the store looks for.
    var stored: CentreReader.JobQuery {
        var query = CentreReader.JobQuery()
        query.jobs = jobs
        query.users = users?.sorted()
        query.accounts = accounts?.sorted()
        query.endedFrom = from
        query.submittedUntil = until
        return query
    }

    func wants(job id: UInt32) -> Bool {
        jobs?.contains { $0.contains(id) } ?? true
    }

    func wants(user: String, _ number: UInt32) -> Bool {
        users.map { $0.contains(user) || $0.contains(String(number)) } ?? true
    }

    /// Whether a record has all that is named; its number was looked at before.
    func wants(_ record: AccountingRecord, now: SimInstant) -> Bool {
        if let from, record.end ?? now < from { return false }
        if let until, record.submit > until { return false }
        if let accounts, !accounts.contains(record.account) { return false }
        return wants(user: record.user, record.userID)
    }
}
