import Persistence
import Quantities
import Testing

@testable import LiveRuntime

/// Journal and tables longer than what is read or compared at once.
@Suite("What follows from a long journal")
struct DerivedCheckTests {
    private static let batchCount: Int64 = 1_500

    private static func derived(_ batch: Int64) -> DerivedRows {
        var rows = DerivedRows()
        let instant = SimInstant(microseconds: batch * 10)
        rows.digests = [DigestRow(batch: batch, value: UInt64(batch) * 7)]
        rows.ledger = [LedgerRow(id: "charge/\(batch)", text: "amount \(batch)")]
        // Every third job runs a second time before the next one runs.
        let isSecond = batch % 3 == 0
        rows.jobs = [
            JobRow(
                jobID: UInt32(isSecond ? batch - 1 : batch),
                restart: isSecond ? 1 : 0,
                user: "u",
                account: "a",
                state: "COMPLETED",
                submit: instant,
                end: instant,
                body: "{\"n\":\(batch)}"
            )
        ]
        return rows
    }

    /// A store in which what follows from the last batch is not written yet.
    private func store(_ folder: ScratchFolder) throws -> CentreStore {
        let store = try CentreStore(folder: StateFolder(path: folder.path))
        var derived = DerivedRows()
        for batch in 1..<Self.batchCount { derived.append(Self.derived(batch)) }
        let batches = (1...Self.batchCount).map { number in
            JournalBatch(
                number: number,
                instant: SimInstant(microseconds: number * 10),
                inputs: [("tick", "{\"n\":\(number)}")]
            )
        }
        try store.append(batches, derived: derived)
        return store
    }

    private func check(_ reader: CentreReader, comparesRecords: Bool) throws -> DerivedCheck {
        let start = CentreState(rules: CentreRules(machine: SmallCentre.machine))
        var check = try DerivedCheck(reader, after: start, comparesRecords: comparesRecords)
        for batch in 1...Self.batchCount { try check.take(batch, Self.derived(batch)) }
        try check.finish()
        return check
    }

    @Test("What is stored is what follows, but for the last batch's")
    func nothingDiffers() throws {
        let folder = try ScratchFolder()
        let reader = try store(folder).reader
        var last: Int64 = 0
        try reader.forEachInput { row throws(PersistenceFailure) in
            // The store answers while it is read.
            last = try reader.input(inRow: row.sequence)?.sequence ?? 0
        }
        #expect(last == Self.batchCount)
        for comparesRecords in [false, true] {
            let check = try self.check(reader, comparesRecords: comparesRecords)
            #expect(check.differences.isEmpty)
            #expect(check.missing == Self.derived(Self.batchCount))
        }
    }

    @Test(
        "A difference is found wherever it is",
        arguments: [
            ("update digest set value = 1 where batch = 900", "digestChanged(900)"),
            ("delete from digest where batch = 1499", "digestMissing(1499)"),
            ("insert into digest values (1502, 1)", "digestBeyond(1502, lastBatch: 1500)"),
            ("insert into digest values (-1, 1)", "digestBeyond(-1, lastBatch: 1500)"),
            (
                "update ledger set chain = zeroblob(32) where sequence = 1100",
                "entryBroken(row: 1100, id: \"charge/1100\")"
            ),
            ("delete from ledger where sequence = 1024", "entryGap(row: 1024, found: 1025)"),
            (
                "delete from ledger where sequence > 1200",
                "entryMissing(row: 1201, id: \"charge/1201\")"
            ),
            ("update ledger set sequence = -4 where sequence = 1", "entryGap(row: 1, found: -4)"),
            (
                "delete from job where id = 1000",
                "recordMissing(Persistence.StoredRun(job: 1000, restart: 0))"
            ),
            (
                "update job set state = 'FAILED' where id = 1001 and restart = 1",
                "recordChanged(Persistence.StoredRun(job: 1001, restart: 1))"
            ),
            (
                "insert into job select id, 7, user, account, state, submit, \"end\", body from job"
                    + " where id = 1201",
                "recordExtra(Persistence.StoredRun(job: 1201, restart: 7))"
            ),
        ]
    )
    func difference(damage: String, finding: String) throws {
        let folder = try ScratchFolder()
        let store = try store(folder)
        try folder.sqlite(damage)
        let found = try self.check(store.reader, comparesRecords: true).differences.map { "\($0)" }
        #expect(found.contains { $0.hasSuffix(finding) }, "\(found.prefix(3))")
    }

    @Test("A row of the journal that was changed is named, on whatever page it is")
    func changedInput() throws {
        let folder = try ScratchFolder()
        let reader = try store(folder).reader
        try folder.sqlite("update journal set body = '{}' where sequence = 1300")
        let failure = #expect(throws: PersistenceFailure.self) {
            try reader.forEachInput { _ in }
        }
        #expect(failure?.message.hasPrefix("row 1300 ") == true)
        #expect(throws: Never.self) { try reader.forEachInput(after: 1_300) { _ in } }
    }
}
