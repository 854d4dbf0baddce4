import Foundation
import Quantities
import Testing
import WireFormats

@testable import LiveRuntime

@Suite("Anchors of a centre's books")
struct CentreAnchorTests {
    /// Books with payments of these amounts, one a batch.
    private func books(_ folder: ScratchFolder, _ amounts: [Int64]) async throws {
        let centre = try Centre(SmallCentre.settings(folder.path))
        for (number, amount) in amounts.enumerated() {
            var request = MoneyRequest()
            request.action = "pay"
            request.account = "motor"
            request.amount = amount
            request.reference = "bank-\(number)"
            _ = try await centre.change(request, .me)
        }
        await centre.close()
    }

    private func standing(_ folder: ScratchFolder) throws -> CentreAnchor {
        let audit = try CentreAudit(stateFolder: folder.path)
        #expect(audit.findings.isEmpty, "\(audit.findings)")
        return audit.standing
    }

    @Test("Books that have grown from an anchor pass, those that were written anew are found")
    func rewrittenBooks() async throws {
        let (folder, forged, short) = try (ScratchFolder(), ScratchFolder(), ScratchFolder())
        try await books(folder, [60_000])
        let early = try standing(folder)
        #expect(early.ledgerLength == 1)
        try await books(folder, [60_000, 5])
        let late = try standing(folder)
        let grown = try CentreAudit(stateFolder: folder.path, anchors: [early, late])
        #expect(grown.findings.isEmpty, "\(grown.findings)")
        // The same centre, had somebody paid more: nothing in the folder tells.
        try await books(forged, [120_000, 5])
        #expect(try CentreAudit(stateFolder: forged.path).findings.isEmpty)
        let found = try CentreAudit(stateFolder: forged.path, anchors: [early]).findings
        #expect(found.count == 2)
        #expect(found.allSatisfy { $0.contains("it was written anew") }, "\(found)")
        // And books of which the end was cut off.
        try await books(short, [60_000])
        let shorter = try CentreAudit(stateFolder: short.path, anchors: [late]).findings
        #expect(!shorter.isEmpty, "\(shorter)")
    }

    @Test("An anchor is read back as it was written, and nothing else is one")
    func text() async throws {
        let folder = try ScratchFolder()
        try await books(folder, [1])
        let anchor = try standing(folder)
        #expect(CentreAnchor(anchor.text) == anchor)
        let fields = anchor.text.split(separator: "\t").map(String.init)
        for index in fields.indices {
            var broken = fields
            broken[index] = "x"
            #expect(CentreAnchor(broken.joined(separator: "\t")) == nil, "field \(index)")
        }
        #expect(CentreAnchor(fields.dropLast().joined(separator: "\t")) == nil)
        #expect(CentreAnchor("") == nil)
    }
}
