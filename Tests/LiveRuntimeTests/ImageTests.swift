import Determinism
import Emulation
import Foundation
import Logging
import Persistence
import Synchronization
import Testing
import WireFormats

@testable import LiveRuntime

@Suite("Images of a centre")
struct ImageTests {
    /// A centre with some past, which is closed.
    private func past(
        _ folder: ScratchFolder,
        jobs: Int = 60,
        _ settings: CentreSettings
    ) async throws {
        let centre = try Centre(settings)
        for number in 0..<jobs {
            _ = try await centre.submit(
                SmallCentre.request {
                    $0.comment = "runtime=\(100 + 37 * (number % 11))"
                    $0.minimumNodes = Int32(1 + number % 5)
                    if number % 9 == 0 { $0.isHeld = true }
                }
            )
            if number % 7 == 0 { try await centre.advance(seconds: 300) }
        }
        await centre.close()
    }

    private func settings(_ folder: ScratchFolder, interval: Int64 = 10) -> CentreSettings {
        var settings = SmallCentre.settings(folder.path)
        settings.imageInterval = interval
        return settings
    }

    private func point(_ folder: ScratchFolder) throws -> (CentreState, OpeningPoint) {
        let reader = try CentreReader(stateFolder: folder.path)
        let rules = CentreRules(machine: SmallCentre.machine)
        var point = OpeningPoint(reader, stateFolder: folder.path, rules)
        let state = try point.state { state throws(OpenFailure) in
            do throws(PersistenceFailure) {
                try state.replay(reader) { _, _ in }
            } catch {
                throw .store(error)
            }
        }
        return (state, point)
    }

    /// What may have become of an image.
    enum Damage: CaseIterable {
        /// A bit is another one.
        case flipped
        /// The end is missing.
        case truncated
        /// Nothing is left of it.
        case empty
        /// A program wrote it whose states have other parts.
        case otherLayout
        /// A bit of the state is another one, and it was sealed again.
        case forged
        /// It is not there.
        case missing

        /// Does it to the image of a batch.
        func happen(to batch: Int64, in folder: ScratchFolder) throws {
            let file = URL(fileURLWithPath: folder.path + "/images/\(batch)")
            let images = ImageFolder(stateFolder: folder.path)
            switch self {
            case .flipped:
                var bytes = try Data(contentsOf: file)
                bytes[bytes.count / 2] ^= 4
                try bytes.write(to: file)
            case .truncated: try Data(Data(contentsOf: file).dropLast(9)).write(to: file)
            case .empty: try Data().write(to: file)
            case .missing: try FileManager.default.removeItem(at: file)
            case .otherLayout, .forged:
                var image = try images.image(ofBatch: batch)
                image.state[self == .forged ? image.state.count - 1 : 0] ^= 1
                // Written there, it would be the last of all.
                let other = try ScratchFolder()
                try ImageFolder(stateFolder: other.path).write(image)
                try FileManager.default.removeItem(at: file)
                try FileManager.default.copyItem(
                    atPath: other.path + "/images/\(batch)",
                    toPath: file.path
                )
            }
        }
    }

    @Test("A centre opens from its last image, which it wrote when it was closed")
    func opensFromImage() async throws {
        let folder = try ScratchFolder()
        let keyed = SmallCentre.request { $0.idempotencyKey = "k" }
        let first = try Centre(settings(folder))
        let known = try await first.submit(keyed)
        await first.close()
        try await past(folder, settings(folder))
        let (state, point) = try point(folder)
        #expect(point.start?.batch == state.batch && point.passedOver.isEmpty)
        let centre = try Centre(settings(folder))
        #expect(await centre.status().digest == state.emulator.digest.hexText)
        // What it was asked before the image was written is answered as it was then.
        #expect(try await centre.submit(keyed) == known)
        let next = try await centre.submit(SmallCentre.request())
        #expect(next == state.nextJobID)
        await centre.close()
        #expect(try CentreAudit(stateFolder: folder.path).findings == [])
    }

    @Test("What was not closed opens from the image before, and the journal after it")
    func opensAfterKill() async throws {
        let folder = try ScratchFolder()
        try await past(folder, settings(folder))
        let closed = ImageFolder(stateFolder: folder.path).batches.first
        let centre = try Centre(settings(folder, interval: 1_000))
        for _ in 0..<20 { _ = try await centre.submit(SmallCentre.request()) }
        let digest = await centre.status().digest
        await centre.abandon()
        let (state, point) = try point(folder)
        #expect(point.start?.batch == closed && state.batch > closed ?? .max)
        #expect(state.emulator.digest.hexText == digest)
        let again = try Centre(settings(folder))
        #expect(await again.status().digest == digest)
        await again.close()
    }

    @Test(
        "An image that is of no use is passed over, in so many words: for the one before, or the whole journal",
        arguments: Damage.allCases
    )
    func damagedImages(_ damage: Damage) async throws {
        let folder = try ScratchFolder()
        try await past(folder, settings(folder))
        try await past(folder, jobs: 5, settings(folder))
        let (state, _) = try point(folder)
        let batches = ImageFolder(stateFolder: folder.path).batches
        try #require(batches.count == ImageFolder.countKept && batches[0] == state.batch)
        for (index, batch) in batches.enumerated() {
            try damage.happen(to: batch, in: folder)
            let (reached, point) = try point(folder)
            #expect(try ValueImage.bytes(of: reached) == ValueImage.bytes(of: state))
            #expect(point.start?.batch == (index == 0 ? batches[1] : nil))
            #expect(point.passedOver.count == (damage == .missing ? 0 : index + 1))
            // Another version's image is no finding: nobody can compare it.
            let isFound = damage != .missing && damage != .otherLayout
            let findings = try CentreAudit(stateFolder: folder.path).findings
            #expect(findings.count == (isFound ? index + 1 : 0), "\(findings)")
        }
        let log = RecordingLog()
        var settings = settings(folder)
        settings.logger = Logger(label: "images") { _ in log }
        let centre = try Centre(settings)
        #expect(await centre.status().digest == state.emulator.digest.hexText)
        await centre.close()
        let lines = log.lines.withLock { $0 }
        for batch in batches where damage != .missing {
            #expect(lines.contains { $0.hasPrefix("the image of batch \(batch) is passed over: ") })
        }
        #expect(lines.contains { $0.hasPrefix("no image is of use: ") }, "\(lines)")
        // It wrote one when it was closed.
        #expect(try self.point(folder).1.start?.batch != nil)
        let repair = try CentreRepair(stateFolder: folder.path, acceptsLoss: false)
        #expect(repair.images.isEmpty == (damage == .missing || damage == .otherLayout))
        #expect(try CentreAudit(stateFolder: folder.path).findings == [])
    }

    @Test("An image of another journal is passed over; so are those of a journal that was cut")
    func otherJournal() async throws {
        let (folder, other) = (try ScratchFolder(), try ScratchFolder())
        try await past(folder, settings(folder))
        try await past(other, jobs: 70, settings(other))
        let batch = try #require(ImageFolder(stateFolder: other.path).batches.first)
        try FileManager.default.copyItem(
            atPath: other.path + "/images/\(batch)",
            toPath: folder.path + "/images/\(batch)"
        )
        let (state, point) = try point(folder)
        #expect(point.passedOver.count == 1 && point.start?.batch == state.batch)
        // Written later, it would be the last of all.
        try await past(folder, jobs: 1, settings(folder))
        #expect(try self.point(folder).1.passedOver.isEmpty)
    }

    @Test("A short journal is handled whole, but not when another version wrote it")
    func shortJournal() async throws {
        let folder = try ScratchFolder()
        var settings = settings(folder, interval: 1_000)
        settings.version = "1.0"
        try await past(folder, jobs: 10, settings)
        try folder.sqlite("update digest set value = 1 where batch = 2")
        #expect(throws: OpenFailure.digestDiffers(batch: 2, writer: "1.0")) {
            try Centre(settings)
        }
        settings.version = "2.0"
        // Again and again: what the first version decided stays in the journal.
        for _ in 0..<3 {
            let centre = try Centre(settings)
            await centre.close()
        }
    }

    @Test("A copy has the images too")
    func copies() async throws {
        let folder = try ScratchFolder()
        try await past(folder, settings(folder))
        let target = folder.path + "-copy"
        defer { try? FileManager.default.removeItem(atPath: target) }
        _ = try StoreCopy(of: folder.path, to: target)
        #expect(
            ImageFolder(stateFolder: target).batches
                == ImageFolder(stateFolder: folder.path).batches
        )
        #expect(try CentreAudit(stateFolder: target).findings == [])
    }

    @Test("Bytes that are no state give an error", arguments: 0..<40 as Range<UInt64>)
    func damagedStates(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let rules = CentreRules(machine: SmallCentre.machine)
        var state = CentreState(rules: rules)
        _ = state.handle([.tick], at: SmallCentre.start)
        let whole = try ValueImage.bytes(of: state)
        var bytes = whole
        switch seed % 3 {
        case 0: bytes.removeLast(random.draw(1...bytes.count))
        case 1: bytes.append(0)
        default: bytes[random.draw(0...7)] ^= 1
        }
        #expect(throws: ValueImage.Failure.self, "seed \(seed)") {
            try ValueImage.value(CentreState.self, from: bytes, context: rules)
        }
        // Anywhere else it may be another state, which its seal would tell; reading it ends all the same.
        bytes = whole
        bytes[random.draw(8...bytes.count - 1)] = UInt8(random.draw(0...255))
        _ = try? ValueImage.value(CentreState.self, from: bytes, context: rules)
    }
}
