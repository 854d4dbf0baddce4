import Foundation
import Testing
import WireFormats

@testable import LiveRuntime

/// `xinghe audit --anchor` with an external signer, and the office's commands over a state folder.
@Suite("xinghe, the proof of the books")
struct AnchorProgramTests {
    private func xinghe(_ arguments: [String]) throws -> (status: Int32, text: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: buildFolder + "/xinghe")
        process.arguments = arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let text = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: text, as: UTF8.self))
    }

    private func write(_ folder: ScratchFolder, _ name: String, _ text: String) throws -> String {
        let path = folder.path + "/" + name
        try text.write(toFile: path, atomically: false, encoding: .utf8)
        return path
    }

    /// A centre that was opened, had a payment, and was closed.
    private func books(_ folder: ScratchFolder) async throws -> String {
        let state = folder.path + "/state"
        let centre = try Centre(SmallCentre.settings(state))
        var request = MoneyRequest()
        request.action = "pay"
        request.account = "motor"
        request.amount = 60_000
        request.reference = "bank-1"
        _ = try await centre.change(request, .me)
        await centre.close()
        return state
    }

    @Test("Anchors are signed and verified by commands; what was not signed so is refused by line")
    func signer() async throws {
        let folder = try ScratchFolder()
        let state = try await books(folder)
        let key = try write(folder, "key", "secret")
        let anchors = folder.path + "/anchors"
        let audit = ["audit", "--state", state, "--anchor", anchors]
        // A keyed hash stands for a signature; docs/billing.md has openssl's commands.
        let sign = ["--sign-with", "cat - '\(key)' | sha256sum"]
        let verify = [
            "--verify-with",
            "test \"$(cat - '\(key)' | sha256sum)\" = \"$(cat \"$XINGHE_SIGNATURE\")\"",
        ]
        let first = try xinghe(audit + sign)
        #expect(first.status == 0, "\(first.text)")
        #expect(first.text.contains("added batch"), "\(first.text)")
        let again = try xinghe(audit + sign + verify)
        #expect(again.status == 0 && again.text.contains("nothing new"), "\(again)")
        let line = try String(contentsOfFile: anchors, encoding: .utf8)
        #expect(line.split(separator: "\n").count == 1)
        // Another key, another line, no signature.
        _ = try write(folder, "key", "other")
        let forged = try xinghe(audit + verify)
        #expect(forged.status == 1)
        #expect(forged.text.contains("anchors:1: the signature is not good"), "\(forged.text)")
        let unsigned = line.split(separator: "\t").dropLast().joined(separator: "\t") + "\t-\n"
        _ = try write(folder, "anchors", unsigned)
        #expect(try xinghe(audit + verify).text.contains("anchors:1: is not signed"))
        #expect(try xinghe(audit).status == 0)
        _ = try write(folder, "anchors", "hello\n")
        #expect(try xinghe(audit).text.contains("anchors:1: is no anchor of a centre"))
        let refusing = try xinghe(
            ["audit", "--state", state, "--anchor", folder.path + "/new", "--sign-with", "exit 3"]
        )
        #expect(refusing.status == 1 && refusing.text.contains("exit 3, no signature"))
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/new"))
    }

    @Test("Books that were written anew do not stand where the anchor says")
    func writtenAnew() async throws {
        let folder = try ScratchFolder()
        let state = try await books(folder)
        let anchors = folder.path + "/anchors"
        #expect(try xinghe(["audit", "--state", state, "--anchor", anchors]).status == 0)
        let line = try String(contentsOfFile: anchors, encoding: .utf8)
        var fields = line.split(separator: "\t").map(String.init)
        fields[6] = String(repeating: "0", count: 63) + "1"
        _ = try write(folder, "anchors", fields.joined(separator: "\t"))
        let found = try xinghe(["audit", "--state", state, "--anchor", anchors])
        #expect(found.status == 1)
        #expect(
            found.text.contains("ledger: after row 1 the chain had the head"),
            "\(found.text)"
        )
    }

    @Test("The office checks packs, and writes to nobody where nothing is unclaimed")
    func office() async throws {
        let folder = try ScratchFolder()
        let state = try await books(folder)
        let stored = ["--state", state]
        let pack = try xinghe(["subsidy", "claim-pack", "--enterprise", "motor"] + stored)
        #expect(pack.status == 0, "\(pack.text)")
        let row =
            "c1,2026-01-05,motor,enterprise,tianhe,core-hour,1000,teda-machine-hour=501\n"
        let header = "claim_id,date,enterprise,class,platform,resource,fee_fen,granted\n"
        let packs = [
            try write(folder, "empty.csv", pack.text), try write(folder, "one.csv", header + row),
        ]
        let check = try xinghe(["subsidy", "check"] + packs)
        #expect(check.status == 1)
        #expect(check.text.contains("one.csv"))
        #expect(
            check.text.contains("one.csv: claim c1: granted 5.01 CNY, but rule"),
            "\(check.text)"
        )
        #expect(try xinghe(["subsidy", "check", packs[0]]).status == 0)
        let letters = try xinghe(["subsidy", "letters"] + stored)
        #expect(letters.status == 0 && letters.text.isEmpty, "\(letters)")
    }
}
