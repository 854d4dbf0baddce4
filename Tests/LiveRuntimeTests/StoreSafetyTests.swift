import Foundation
import Persistence
import Quantities
import TestSupport
import Testing
import WireFormats

@testable import LiveRuntime

/// A journal that has lost something is noticed before anything is acknowledged, and what can be put right is.
@Suite("What was acknowledged, and is gone")
struct StoreSafetyTests {
    /// A closed centre with so many jobs.
    private func centre(
        _ folder: ScratchFolder,
        jobs: Int = 3,
        named name: String = "job"
    ) async throws {
        let centre = try Centre(SmallCentre.settings(folder.path))
        for _ in 0..<jobs { _ = try await centre.submit(SmallCentre.request { $0.name = name }) }
        await centre.close()
    }

    /// Brings all of a journal into its one file.
    private func settle(_ folder: ScratchFolder) throws {
        try folder.sqlite("PRAGMA wal_checkpoint(TRUNCATE)")
    }

    /// Why the folder does not open; nil when it does.
    private func refusal(_ settings: CentreSettings) async -> OpenFailure? {
        do throws(OpenFailure) {
            await (try Centre(settings)).close()
            return nil
        } catch {
            return error
        }
    }

    private func expectLost(_ folder: ScratchFolder, _ words: String) async {
        let failure = await refusal(SmallCentre.settings(folder.path))
        guard case .store(let problem)? = failure else {
            Issue.record("it opens, or fails otherwise: \(String(describing: failure))")
            return
        }
        #expect(problem.kind == .lost && problem.message.contains(words), "\(problem)")
    }

    @Test(
        "A journal that is removed while the centre is open takes nothing more, and is missed later"
    )
    func removedWhileOpen() async throws {
        let folder = try ScratchFolder()
        let centre = try Centre(SmallCentre.settings(folder.path))
        _ = try await centre.submit(SmallCentre.request())
        try FileManager.default.removeItem(atPath: folder.path + "/journal.sqlite")
        let failure = await #expect(throws: RequestFailure.self) {
            try await centre.submit(SmallCentre.request())
        }
        #expect(failure?.status == 500)
        await centre.close()
        await expectLost(folder, "the journal is gone")
    }

    @Test("A journal from before is not taken for the one of now")
    func rolledBack() async throws {
        let folder = try ScratchFolder()
        try await centre(folder)
        try settle(folder)
        let old = try Data(contentsOf: URL(fileURLWithPath: folder.path + "/journal.sqlite"))
        try await centre(folder)
        try settle(folder)
        try old.write(to: URL(fileURLWithPath: folder.path + "/journal.sqlite"))
        await expectLost(folder, "rolled back")
    }

    @Test("A journal that was written anew, hashes and all, is not the one that was acknowledged")
    func writtenAnew() async throws {
        let (folder, other) = (try ScratchFolder(), try ScratchFolder())
        try await centre(folder)
        // The same inputs at the same instants would be the same journal.
        try await centre(other, jobs: 5, named: "other")
        try settle(folder)
        try settle(other)
        let file = "/journal.sqlite"
        try FileManager.default.removeItem(atPath: folder.path + file)
        try FileManager.default.copyItem(atPath: other.path + file, toPath: folder.path + file)
        await expectLost(folder, "written anew")
    }

    @Test("One of the head's places may be damaged, both may not")
    func damagedHead() async throws {
        let folder = try ScratchFolder()
        try await centre(folder)
        let head = URL(fileURLWithPath: folder.path + "/head")
        for (places, opens) in [([0], true), ([512], true), ([0, 512], false)] {
            var bytes = try Data(contentsOf: head)
            for place in places { bytes[place + 20] ^= 1 }
            try bytes.write(to: head)
            if opens {
                #expect(await refusal(SmallCentre.settings(folder.path)) == nil)
            } else {
                await expectLost(folder, "'head'")
            }
        }
        #expect(try CentreRepair(stateFolder: folder.path, acceptsLoss: true).loss != nil)
        #expect(await refusal(SmallCentre.settings(folder.path)) == nil)
    }

    @Test(
        "After a kill a log that is gone, or has a flipped bit, is missed",
        arguments: [0, 1, 2, 3]
    )
    func damagedLog(seed: Int) throws {
        let folder = try ScratchFolder()
        let daemon = try Daemon(folder, ["--time", "stepped"])
        for _ in 0..<5 { _ = try daemon.submit(SmallCentre.request { $0.isHeld = true }) }
        daemon.kill9()
        let log = URL(fileURLWithPath: folder.path + "/state/journal.sqlite-wal")
        if seed == 0 {
            try FileManager.default.removeItem(at: log)
        } else {
            var bytes = try Data(contentsOf: log)
            // Within the first pages, so that all that come after are dropped.
            bytes[32 + seed * 4_120 + 400] ^= 1
            try bytes.write(to: log)
        }
        let (status, text) = try Daemon.failing(folder, ["--time", "stepped"])
        #expect(status == 1)
        #expect(text.contains("acknowledged") || text.contains("journal"), "seed \(seed): \(text)")
    }

    @Test("A copy of a folder opens as another centre only, or as the one that was moved")
    func copies() throws {
        let (folder, other) = (try ScratchFolder(), try ScratchFolder())
        let marker = folder.path + "/runs"
        let first = try Daemon(folder, ["--time", "stepped"])
        let job = try first.submit(
            SmallCentre.request("#!/bin/sh\necho > \(marker)\nsleep 60\n") {
                $0.partitions = ["host"]
            }
        )
        #expect(eventually { FileManager.default.fileExists(atPath: marker) })
        first.kill9()
        try FileManager.default.copyItem(
            atPath: folder.path + "/state",
            toPath: other.path + "/state"
        )
        let (status, text) = try Daemon.failing(other, ["--time", "stepped"])
        #expect(status == 1 && text.contains("it is a copy"), "\(text)")
        let second = try Daemon(other, ["--time", "stepped", "--origin", "copy"])
        #expect(try second.ended(job).state == "NODE_FAIL")
        // The original's job still runs, and is found again.
        try first.start()
        #expect(try first.record(job).state == "RUNNING")
        second.kill9()
        try FileManager.default.moveItem(
            atPath: other.path + "/state",
            toPath: other.path + "/moved"
        )
        let moved = try CentreStore(folder: StateFolder(path: other.path + "/moved"))
        #expect(!moved.isNewCopy)
        moved.close()
    }

    @Test("A backup of a living centre is whole, and goes on where it was made")
    func backup() async throws {
        let folder = try ScratchFolder()
        let centre = try Centre(SmallCentre.settings(folder.path + "/state"))
        for _ in 0..<3 {
            _ = try await centre.submit(SmallCentre.request { $0.comment = "runtime=60" })
        }
        try await centre.advance(seconds: 100)
        let backup = folder.path + "/backup"
        let copy = try StoreCopy(of: folder.path + "/state", to: backup)
        _ = try await centre.submit(SmallCentre.request())
        await centre.close()
        #expect(try CentreAudit(stateFolder: backup).findings == [])
        #expect(throws: PersistenceFailure.self) {
            try StoreCopy(of: folder.path + "/state", to: backup)
        }
        let restored = folder.path + "/restored"
        #expect(try StoreCopy(of: backup, to: restored, isOpened: true).end.head == copy.end.head)
        let again = try Centre(SmallCentre.settings(restored))
        #expect(
            try await again.accounting(ids: nil).records.map(\.state) == [
                "COMPLETED", "COMPLETED", "COMPLETED",
            ]
        )
        #expect(try await again.submit(SmallCentre.request()) == 4)
        await again.close()
        #expect(try CentreAudit(stateFolder: restored).findings == [])
    }

    @Test(
        "Rows that follow from the journal are made again",
        arguments: [
            "delete from digest", "delete from job", "delete from ledger where sequence > 2",
            "update job set state = 'FAILED'", "update ledger set text = 'x' where sequence = 1",
            "insert into digest values (999, 1)",
        ]
    )
    func repair(damage: String) async throws {
        let folder = try ScratchFolder()
        let centre = try Centre(SmallCentre.settings(folder.path))
        for _ in 0..<3 {
            _ = try await centre.submit(SmallCentre.request { $0.comment = "runtime=60" })
        }
        try await centre.advance(seconds: 100)
        await centre.close()
        try folder.sqlite(damage)
        #expect(try !CentreAudit(stateFolder: folder.path).findings.isEmpty)
        #expect(try CentreRepair(stateFolder: folder.path, acceptsLoss: false).rows.count > 0)
        #expect(try CentreAudit(stateFolder: folder.path).findings == [])
        #expect(try !CentreRepair(stateFolder: folder.path, acceptsLoss: false).isNeeded)
        #expect(await refusal(SmallCentre.settings(folder.path)) == nil)
    }

    @Test("A journal that is decided otherwise now names the version that had it open last")
    func otherDecisions() async throws {
        let folder = try ScratchFolder()
        var settings = SmallCentre.settings(folder.path)
        settings.version = "1.2.3"
        let centre = try Centre(settings)
        for _ in 0..<3 { _ = try await centre.submit(SmallCentre.request()) }
        await centre.close()
        try folder.sqlite("update digest set value = 1 where batch = 2")
        // As after a kill before there was any: from an image another version would go on.
        try FileManager.default.removeItem(atPath: folder.path + "/images")
        settings.version = "4.5.6"
        #expect(await refusal(settings) == .digestDiffers(batch: 2, writer: "1.2.3"))
        #expect(throws: OpenFailure.self) {
            try CentreRepair(stateFolder: folder.path, acceptsLoss: true)
        }
    }

    @Test("A damaged journal is left alone, or cut before the damage with what is cut off kept")
    func cut() async throws {
        let folder = try ScratchFolder()
        try await centre(folder, jobs: 5)
        try folder.sqlite(
            "update journal set body = replace(body, '\"job\"', '\"jab\"') where sequence = 4"
        )
        #expect(throws: OpenFailure.self) {
            try CentreRepair(stateFolder: folder.path, acceptsLoss: false)
        }
        let repair = try CentreRepair(stateFolder: folder.path, acceptsLoss: true)
        let cut = try #require(repair.cut)
        #expect(cut.row == 4)
        let kept = try String(contentsOfFile: cut.file, encoding: .utf8)
        #expect(kept.split(separator: "\n").count == cut.count)
        #expect(try CentreAudit(stateFolder: folder.path).findings == [])
        let again = try Centre(SmallCentre.settings(folder.path))
        #expect(try await again.submit(SmallCentre.request()) == 3)
        await again.close()
    }
}
