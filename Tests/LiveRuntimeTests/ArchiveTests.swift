import Billing
import Determinism
import Foundation
import LocalClient
import Logging
import Quantities
import Synchronization
import TestSupport
import Testing
import WireFormats

@testable import LiveRuntime
@testable import Persistence

@Suite("The archive of a centre")
struct ArchiveTests {
    private func settings(_ folder: ScratchFolder) -> CentreSettings {
        var settings = SmallCentre.settings(folder.path)
        settings.imageInterval = 10
        return settings
    }

    /// A centre goes on for some jobs that end, some that are held, and is closed.
    private func goOn(_ folder: ScratchFolder, jobs: Int = 40) async throws {
        let centre = try Centre(settings(folder))
        for number in 0..<jobs {
            _ = try await centre.submit(
                SmallCentre.request {
                    $0.comment = "runtime=\(100 + 37 * (number % 11))"
                    $0.name = "任务 \(number)"
                    if number % 9 == 0 { $0.isHeld = true }
                }
            )
            if number % 7 == 0 { try await centre.advance(seconds: 300) }
        }
        await centre.close()
    }

    private func archive(_ folder: ScratchFolder) throws -> ArchiveOutcome {
        let store = try CentreStore(folder: StateFolder(path: folder.path))
        defer { store.close() }
        return try store.archive()
    }

    /// All that a store says, however it keeps it.
    private struct Contents: Equatable {
        var inputs: [JournalRow] = []
        var hashes: [String?] = []
        var single: [JournalRow?] = []
        var records: [String] = []
        var entries: [LedgerRow] = []
        var digests: [Int64: UInt64] = [:]
        var ends: [String] = []

        init(_ reader: CentreReader) throws {
            var inputs: [JournalRow] = []
            try reader.forEachInput { inputs.append($0) }
            self.inputs = inputs
            let length = try reader.journalLength()
            for row in 0...length + 1 {
                hashes.append(try reader.journalHash(ofRow: row))
                single.append(try reader.input(inRow: row))
                // From each row on.
                if row % 7 == 0, row <= length {
                    var rest: [JournalRow] = []
                    try reader.forEachInput(after: row) { rest.append($0) }
                    #expect(rest == Array(inputs.dropFirst(Int(row))))
                }
            }
            records = try reader.jobs(CentreReader.JobQuery())
            var entries: [LedgerRow] = []
            try reader.forEachLedgerEntry { entries.append($0) }
            self.entries = entries
            digests = try reader.digests()
            ends = [
                "\(length)", "\(try reader.lastBatch())", "\(try reader.ledgerEnd())",
                "\(String(describing: try reader.firstInput(ofKind: "machine")?.sequence))",
                "\(String(describing: try reader.firstInput(ofKind: "submit")?.sequence))",
                "\(try reader.isJournalEmpty())",
            ]
        }

        init(_ folder: ScratchFolder) throws {
            try self.init(CentreReader(stateFolder: folder.path))
        }
    }

    @Test("What is archived is read as before, also by what opens, goes on, and is archived again")
    func readsAsBefore() async throws {
        let folder = try ScratchFolder()
        try await goOn(folder)
        let before = try Contents(folder)
        let first = try archive(folder)
        #expect(first.inputs == Int64(before.inputs.count - 1) && first.files == 1)
        #expect(first.records == Int64(before.records.count))
        #expect(first.entries == Int64(before.entries.count))
        #expect(try Contents(folder) == before)
        #expect(try archive(folder) == ArchiveOutcome())

        try await goOn(folder)
        let after = try Contents(folder)
        #expect(after.inputs.starts(with: before.inputs))
        #expect(after.entries.starts(with: before.entries))
        let second = try archive(folder)
        #expect(second.inputs == Int64(after.inputs.count - before.inputs.count))
        #expect(try Contents(folder) == after)
        let audit = try CentreAudit(stateFolder: folder.path)
        #expect(audit.findings == [] && audit.segmentCount == 2)
        #expect(audit.inputCount == after.inputs.count)
        #expect(try !CentreRepair(stateFolder: folder.path, acceptsLoss: true).isNeeded)
    }

    @Test("An archive makes the state folder small")
    func isSmall() async throws {
        let folder = try ScratchFolder()
        try await goOn(folder, jobs: 400)
        // What a store has not yet taken from its log into its file lies on the disk as well.
        func size() throws -> Int {
            try ["journal.sqlite", "journal.sqlite-wal"].reduce(0) { sum, name in
                let path = folder.path + "/" + name
                guard FileManager.default.fileExists(atPath: path) else { return sum }
                let facts = try FileManager.default.attributesOfItem(atPath: path)
                return sum + (try #require(facts[.size] as? Int))
            }
        }
        let before = try size()
        _ = try archive(folder)
        let after = try size()
        #expect(after * 3 < before, "\(before) bytes became \(after)")
    }

    @Test(
        "Whatever step was the last before a kill, nothing is lost, and the next archive ends the work"
    )
    func killedAtEachStep() async throws {
        let origin = try ScratchFolder()
        try await goOn(origin)
        let before = try Contents(origin)
        var step = 0
        var isDone = false
        while !isDone {
            let folder = try ScratchFolder()
            try FileManager.default.removeItem(atPath: folder.path)
            try FileManager.default.copyItem(atPath: origin.path, toPath: folder.path)
            do {
                let store = try CentreStore(
                    folder: StateFolder(path: folder.path),
                    origin: .moved
                )
                defer { store.close() }
                var archiving = try Archiving(store.reader, stateFolder: folder.path)
                for _ in 0..<step {
                    guard let next = try archiving.next() else {
                        isDone = true
                        break
                    }
                    try store.take(next)
                }
                // The file of the next may be there already.
                _ = try archiving.next()
            }
            #expect(try Contents(folder) == before, "after step \(step)")
            #expect(try CentreAudit(stateFolder: folder.path).findings == [], "after step \(step)")
            _ = try archive(folder)
            #expect(try Contents(folder) == before, "after step \(step), and the rest")
            step += 1
        }
        #expect(step > 4)
    }

    @Test("kill -9 while a living centre is archived loses nothing", arguments: 0..<4)
    func killed(seed: Int) throws {
        let folder = try ScratchFolder()
        let daemon = try Daemon(folder, ["--time", "stepped", "--image-every", "20"])
        for number in 0..<60 {
            _ = try daemon.submit(SmallCentre.request { $0.comment = "runtime=\(60 + number)" })
        }
        var advance = ClockAdvanceRequest()
        advance.duration = SimDuration(seconds: 7_200)
        _ = try daemon.client.post("/v1/clock/advance", advance, as: CentreStatus.self)
        let state = folder.path + "/state"
        #expect(eventually { !ImageFolder(stateFolder: state).batches.isEmpty })
        let before = try Contents(CentreReader(stateFolder: state)).inputs
        let connection = try RawConnection(daemon.socket)
        connection.send("POST /v1/archive HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
        _ = connection.receive(until: "HTTP", within: 0.004 * Double(seed))
        daemon.kill9()
        #expect(try CentreAudit(stateFolder: state).findings == [], "seed \(seed)")
        #expect(try Contents(CentreReader(stateFolder: state)).inputs == before, "seed \(seed)")
        try daemon.start()
        let done = try daemon.client.post(
            "/v1/archive",
            ArchiveOutcome(),
            as: ArchiveOutcome.self
        )
        #expect(done.inputs >= 0)
        #expect(try !CentreReader(stateFolder: state).archivedSegments().isEmpty)
        #expect(try CentreAudit(stateFolder: state).findings == [], "seed \(seed)")
    }

    /// What may become of a file.
    enum Damage: CaseIterable {
        case missing, truncated, flipped, sealedAgain

        func happen(to file: String) throws {
            let url = URL(fileURLWithPath: file)
            switch self {
            case .missing: try FileManager.default.removeItem(at: url)
            case .truncated: try Data(Data(contentsOf: url).dropLast(5)).write(to: url)
            case .flipped:
                var bytes = try Data(contentsOf: url)
                bytes[bytes.count / 2] ^= 8
                try bytes.write(to: url)
            case .sealedAgain:
                let sealed = try #require(try SealedFile(file, kind: "xinghe-segment-1"))
                var content = sealed.content
                content[content.count / 2] ^= 8
                let folder = url.deletingLastPathComponent().path
                try SealedFile(fields: sealed.fields, content: content)
                    .write(url.lastPathComponent, in: folder)
            }
        }
    }

    @Test(
        "A file that is missing or was changed is named by the audit and by opening, which goes on without",
        arguments: Damage.allCases
    )
    func damaged(_ damage: Damage) async throws {
        let folder = try ScratchFolder()
        try await goOn(folder)
        _ = try archive(folder)
        let segment = try #require(
            try CentreReader(stateFolder: folder.path).archivedSegments().first
        )
        let file = folder.path + "/segments/\(segment.name)"
        let whole = try Data(contentsOf: URL(fileURLWithPath: file))
        let standing = try CentreReader(stateFolder: folder.path).ledgerEnd().head
        try damage.happen(to: file)

        let findings = try CentreAudit(stateFolder: folder.path).findings
        #expect(findings.contains { $0.contains(file) }, "\(findings)")
        #expect(findings.contains { $0.contains("begins at the image") }, "\(findings)")
        #expect(findings.count == 2, "\(findings)")
        let log = RecordingLog()
        var settings = settings(folder)
        settings.logger = Logger(label: "test") { _ in log }
        let centre = try Centre(settings)
        func isTold() -> Bool { log.lines.withLock { $0.contains { $0.contains(file) } } }
        // Only what is changed inside is found by reading it, beside what else happens.
        #expect(isTold() || damage == .flipped)
        for _ in 0..<4_000 where !isTold() { try await Task.sleep(for: .milliseconds(5)) }
        #expect(isTold())
        #expect(try await centre.submit(SmallCentre.request()) == 41)
        await centre.close()
        #expect(try CentreReader(stateFolder: folder.path).ledgerEnd().head.count == standing.count)
        // Nothing that came later is given up for it.
        let failure = #expect(throws: OpenFailure.self) {
            try CentreRepair(stateFolder: folder.path, acceptsLoss: true)
        }
        #expect(failure?.description.contains(file) == true)
        let copy = #expect(throws: PersistenceFailure.self) {
            try StoreCopy(of: folder.path, to: folder.path + "-copy")
        }
        #expect(copy?.message.contains(file) == true)

        try whole.write(to: URL(fileURLWithPath: file))
        #expect(try CentreAudit(stateFolder: folder.path).findings == [])
    }

    @Test("A file that nothing lists is gone with the next archive; others stay")
    func sweep() async throws {
        let folder = try ScratchFolder()
        try await goOn(folder)
        _ = try archive(folder)
        let names = try CentreReader(stateFolder: folder.path).archivedSegments().map(\.name)
        let segments = folder.path + "/segments/"
        for name in ["7-9", "partial", "notes", "1-2-3"] {
            try Data("x".utf8).write(to: URL(fileURLWithPath: segments + name))
        }
        _ = try archive(folder)
        let left = try FileManager.default.contentsOfDirectory(atPath: segments)
        #expect(Set(left) == Set(names + ["notes", "1-2-3"]))
        #expect(try CentreAudit(stateFolder: folder.path).findings == [])
    }

    @Test("Whoever asks a centre that is closed is told so, an archive too, and waits for nothing")
    func closed() async throws {
        let folder = try ScratchFolder()
        try await goOn(folder)
        let centre = try Centre(settings(folder))
        let archiving = Task { try await centre.archive(.me) }
        await centre.close()
        // It was done before, or is told that nothing is written any more.
        _ = await archiving.result
        _ = await Task { try await centre.archive(.me) }.result
        await #expect(throws: RequestFailure.self) {
            try await centre.submit(SmallCentre.request())
        }
        await #expect(throws: RequestFailure.self) { try await centre.advance(seconds: 1) }
        #expect(await centre.status().nextJobID > 0)
        await centre.close()
    }

    @Test("Without an image as well a damaged file keeps the centre closed, in words that name it")
    func damagedWithoutImage() async throws {
        let folder = try ScratchFolder()
        try await goOn(folder)
        _ = try archive(folder)
        let file = folder.path + "/segments/2-"
        try FileManager.default.removeItem(atPath: folder.path + "/images")
        let again = try Centre(settings(folder))
        await again.close()
        try FileManager.default.removeItem(atPath: folder.path + "/images")
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path + "/segments") {
            try Damage.flipped.happen(to: folder.path + "/segments/" + name)
        }
        let failure = #expect(throws: OpenFailure.self) { try Centre(settings(folder)) }
        #expect(failure?.description.contains(file) == true, "\(String(describing: failure))")
    }

    @Test("A backup and what is restored of it have the archive; so has a copied folder")
    func copies() async throws {
        let folder = try ScratchFolder()
        let other = try ScratchFolder()
        try await goOn(folder)
        let before = try Contents(folder)
        _ = try archive(folder)
        _ = try StoreCopy(of: folder.path, to: other.path + "/backup")
        _ = try StoreCopy(of: other.path + "/backup", to: other.path + "/restored", isOpened: true)
        try FileManager.default.copyItem(atPath: folder.path, toPath: other.path + "/copy")
        for name in ["backup", "restored", "copy"] {
            let path = other.path + "/" + name
            #expect(try Contents(CentreReader(stateFolder: path)) == before)
            #expect(try CentreAudit(stateFolder: path).findings == [], "\(name)")
        }
        let centre = try Centre(SmallCentre.settings(other.path + "/restored"))
        #expect(try await centre.submit(SmallCentre.request()) == 41)
        await centre.close()
    }

    @Test("A packed record or entry that was changed is found as one that was not packed is")
    func changedRows() async throws {
        let folder = try ScratchFolder()
        try await goOn(folder)
        _ = try archive(folder)
        for (sql, words) in [
            ("UPDATE job SET body = '@1/1' WHERE id = 2", "job 2"),
            ("UPDATE job SET body = '@77/1' WHERE id = 3", "job 3"),
            ("UPDATE ledger SET text = '@2/0' WHERE sequence = 5", "row 5"),
        ] {
            let copy = try ScratchFolder()
            try FileManager.default.removeItem(atPath: copy.path)
            try FileManager.default.copyItem(atPath: folder.path, toPath: copy.path)
            try copy.sqlite(sql)
            let findings = try CentreAudit(stateFolder: copy.path).findings
            #expect(findings.contains { $0.contains(words) }, "\(sql): \(findings)")
            #expect(try CentreRepair(stateFolder: copy.path, acceptsLoss: false).isNeeded)
            #expect(try CentreAudit(stateFolder: copy.path).findings == [])
        }
    }

    @Test(
        "Numbers and texts come back as they were packed; what was cut short comes back as nothing"
    )
    func packedTexts() {
        var random = SplitMix64(seed: 11)
        for _ in 0..<200 {
            let texts = (0..<Int(random.below(9))).map { _ in
                String(repeating: "天河x", count: Int(random.below(300)))
            }
            let numbers: [Int64] = [0, -1, 1, .min, .max, Int64(bitPattern: random.next())]
            var writer = PackedWriter()
            for text in texts { writer.append(text) }
            for number in numbers { writer.append(number) }
            let packed = DeflatedBytes.pack(writer.bytes)
            #expect(DeflatedBytes.unpack(packed, to: writer.bytes.count) == writer.bytes)
            #expect(DeflatedBytes.unpack(packed, to: writer.bytes.count + 1) == nil)
            #expect(DeflatedBytes.unpack(packed.dropLast(), to: writer.bytes.count) == nil)
            #expect(DeflatedBytes.unpack(packed, to: .max) == nil)
            var reader = PackedReader(writer.bytes)
            #expect(texts.map { _ in reader.text() } == texts)
            #expect(numbers.map { _ in reader.signedNumber() } == numbers)
            #expect(reader.isAtEnd)
            var short = PackedReader(writer.bytes.dropLast())
            for _ in texts { _ = short.text() }
            #expect(numbers.map { _ in short.signedNumber() }.last == .some(nil))
        }
    }
}
