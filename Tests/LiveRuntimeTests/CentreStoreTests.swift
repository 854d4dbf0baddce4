import Determinism
import Dispatch
import Foundation
import Persistence
import Quantities
import Testing

@Suite("The journal")
struct CentreStoreTests {
    private static func body(_ number: Int) -> String { "{\"n\":\(number)}" }

    private func fill(_ store: CentreStore, _ batches: ClosedRange<Int64>) throws {
        for batch in batches {
            var derived = DerivedRows()
            derived.digests = [DigestRow(batch: batch, value: UInt64.max - UInt64(batch))]
            derived.ledger = [LedgerRow(id: "charge/\(batch)", text: "amount \(batch)")]
            try store.append(
                [
                    JournalBatch(
                        number: batch,
                        instant: SimInstant(microseconds: batch * 10),
                        inputs: [("submit", Self.body(Int(batch))), ("timer", "{}")]
                    )
                ],
                derived: derived
            )
        }
    }

    private func sqlite(_ folder: ScratchFolder, _ sql: String) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        let code =
            "import sqlite3,sys;c=sqlite3.connect(sys.argv[1]);c.execute(sys.argv[2]);c.commit()"
        process.arguments = ["-c", code, folder.path + "/journal.sqlite", sql]
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
    }

    @Test("What was appended is read back in order, also by the next one to open it")
    func readBack() throws {
        let folder = try ScratchFolder()
        do {
            let store = try CentreStore(folder: StateFolder(path: folder.path))
            try fill(store, 1...3)
            #expect(store.journalLength == 6)
        }
        let store = try CentreStore(folder: StateFolder(path: folder.path))
        try fill(store, 4...4)
        var rows: [JournalRow] = []
        try store.reader.forEachInput { rows.append($0) }
        #expect(rows.map(\.sequence) == Array(1...8))
        #expect(rows.map(\.batch) == [1, 1, 2, 2, 3, 3, 4, 4])
        #expect(rows[6].body == Self.body(4))
        #expect(rows[6].instant == SimInstant(microseconds: 40))
        #expect(try store.reader.digests()[3] == UInt64.max - 3)
        var entries: [LedgerRow] = []
        try store.reader.forEachLedgerEntry { entries.append($0) }
        #expect(entries.map(\.id) == ["charge/1", "charge/2", "charge/3", "charge/4"])
    }

    @Test("A second daemon on one state folder is refused, and told who has it")
    func secondDaemon() throws {
        let folder = try ScratchFolder()
        let first = try StateFolder(path: folder.path + "/a/b")
        do throws(PersistenceFailure) {
            _ = try StateFolder(path: first.path)
            Issue.record("two have the folder")
        } catch {
            #expect(error.kind == .inUse)
            #expect(error.message.contains("process \(getpid())"))
        }
    }

    @Test("Nobody else can open the lock, and so keep the centre closed; nor one from before")
    func lockMode() throws {
        let folder = try ScratchFolder()
        let lock = folder.path + "/lock"
        try Data().write(to: URL(fileURLWithPath: lock))
        chmod(lock, 0o644)
        let state = try StateFolder(path: folder.path)
        let facts = try FileManager.default.attributesOfItem(atPath: lock)
        #expect(facts[.posixPermissions] as? Int == 0o600)
        state.release()
    }

    @Test(
        "A changed, missing or added row is found and named",
        arguments: [
            ("UPDATE journal SET body = '{\"n\":9}' WHERE sequence = 3", "row 3 (submit, batch 2)"),
            ("UPDATE journal SET instant = 21 WHERE sequence = 4", "row 4 (timer, batch 2)"),
            ("DELETE FROM journal WHERE sequence = 2", "row 2 is missing"),
            ("UPDATE journal SET chain = x'00' WHERE sequence = 5", "row 5 (submit, batch 3)"),
        ]
    )
    func editedJournal(sql: String, place: String) throws {
        let folder = try ScratchFolder()
        try fill(CentreStore(folder: StateFolder(path: folder.path)), 1...3)
        try sqlite(folder, sql)
        let store = try CentreStore(folder: StateFolder(path: folder.path))
        do throws(PersistenceFailure) {
            try store.reader.forEachInput { _ in }
            Issue.record("nothing was found: \(sql)")
        } catch {
            #expect(error.kind == .damaged)
            #expect(error.message.contains(place), "\(error)")
        }
    }

    @Test("A changed ledger entry is found and named")
    func editedLedger() throws {
        let folder = try ScratchFolder()
        try fill(CentreStore(folder: StateFolder(path: folder.path)), 1...3)
        try sqlite(folder, "UPDATE ledger SET text = 'amount 1' WHERE sequence = 2")
        let store = try CentreStore(folder: StateFolder(path: folder.path))
        do throws(PersistenceFailure) {
            try store.reader.forEachLedgerEntry { _ in }
            Issue.record("nothing was found")
        } catch {
            #expect(error.message.contains("row 2 (charge/2)"), "\(error)")
        }
    }

    @Test("When there is no room nothing is written, and what was there can be read and added to")
    func fullDisk() throws {
        let folder = try ScratchFolder()
        let limit = ByteCount(mebibytes: 1)
        let store = try CentreStore(folder: StateFolder(path: folder.path), sizeLimit: limit)
        let large = String(repeating: "x", count: 200_000)
        var acknowledged: Int64 = 0
        var failure: PersistenceFailure?
        while failure == nil, acknowledged < 100 {
            do throws(PersistenceFailure) {
                try store.append(
                    [
                        JournalBatch(
                            number: acknowledged + 1,
                            instant: SimInstant(microseconds: acknowledged),
                            inputs: [("submit", large)]
                        )
                    ],
                    derived: DerivedRows()
                )
                acknowledged += 1
            } catch {
                failure = error
            }
        }
        #expect(failure?.kind == .full)
        #expect(acknowledged > 0)
        #expect(store.journalLength == acknowledged)
        try store.append(
            [
                JournalBatch(
                    number: acknowledged + 1,
                    instant: SimInstant(microseconds: acknowledged),
                    inputs: [("timer", "{}")]
                )
            ],
            derived: DerivedRows()
        )
        var count: Int64 = 0
        try store.reader.forEachInput { _ in count += 1 }
        #expect(count == acknowledged + 1)
    }

    @Test("Rows that are too long to be read at once come one after the other")
    func longRows() throws {
        let folder = try ScratchFolder()
        let store = try CentreStore(folder: StateFolder(path: folder.path))
        let mebibytes = [3, 9, 0, 4, 4, 3, 1]
        try store.append(
            mebibytes.enumerated().map { number, size in
                JournalBatch(
                    number: Int64(number + 1),
                    instant: SimInstant(microseconds: Int64(number)),
                    inputs: [("submit", String(repeating: "x", count: size << 20))]
                )
            },
            derived: DerivedRows()
        )
        var sizes: [Int] = []
        try store.reader.forEachInput { sizes.append($0.body.utf8.count >> 20) }
        #expect(sizes == mebibytes)
    }

    @Test(
        "Records are found by number, user, account and time as by looking at all",
        arguments: 0..<8 as Range<UInt64>
    )
    func records(seed: UInt64) throws {
        let folder = try ScratchFolder()
        let store = try CentreStore(folder: StateFolder(path: folder.path))
        var random = SplitMix64(seed: seed)
        var derived = DerivedRows()
        for number in 1...200 {
            let submit = Int64(random.draw(0...1_000))
            derived.jobs.append(
                JobRow(
                    jobID: UInt32(number),
                    restart: Int32(random.draw(0...1)),
                    user: ["ann", "bob", "eve"][random.draw(0...2)],
                    account: ["lab", "firm"][random.draw(0...1)],
                    state: "COMPLETED",
                    submit: SimInstant(microseconds: submit),
                    end: SimInstant(microseconds: submit + Int64(random.draw(0...300))),
                    body: "\(number)"
                )
            )
        }
        try store.append([], derived: derived)
        for _ in 0..<40 {
            var query = CentreReader.JobQuery()
            if random.below(3) == 0 { query.jobs = [3...50, 90...UInt32(random.draw(90...199))] }
            if random.below(3) == 0 { query.users = ["eve", "nobody"] }
            if random.below(2) == 0 { query.accounts = ["firm"] }
            let from = SimInstant(microseconds: Int64(random.draw(0...1_200)))
            let until = SimInstant(microseconds: Int64(random.draw(0...1_200)))
            if random.below(2) == 0 { query.endedFrom = from }
            if random.below(2) == 0 { query.submittedUntil = until }
            let wanted = derived.jobs.filter { row in
                if let from = query.endedFrom, row.end < from { return false }
                if let until = query.submittedUntil, row.submit > until { return false }
                if let jobs = query.jobs { return jobs.contains { $0.contains(row.jobID) } }
                if let users = query.users { return users.contains(row.user) }
                return query.accounts?.contains(row.account) ?? true
            }
            #expect(try store.reader.jobs(query) == wanted.map(\.body), "seed \(seed): \(query)")
        }
    }

    @Test(
        "Whoever reads while the store closes gets rows or an error, and nothing of a closed store"
    )
    func readsWhileClosing() throws {
        for _ in 0..<40 {
            let folder = try ScratchFolder()
            let store = try CentreStore(folder: StateFolder(path: folder.path))
            try fill(store, 1...2)
            let (reader, readers) = (store.reader, DispatchGroup())
            let begun = DispatchSemaphore(value: 0)
            for _ in 0..<3 {
                DispatchQueue.global().async(group: readers) {
                    begun.signal()
                    while let digests = try? reader.digests() { #expect(digests.count == 2) }
                }
            }
            begun.wait()
            store.close()
            readers.wait()
            #expect(throws: PersistenceFailure.self) { try reader.digests() }
        }
    }
}
