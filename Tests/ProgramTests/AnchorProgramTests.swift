import Foundation
import Testing

/// `xinghe audit --anchor` with an external signer, and the office's commands over a state folder.
@Suite("xinghe, the proof of the books")
struct AnchorProgramTests {
    /// A centre that was opened, had a payment, and was closed.
    private func books(_ folder: Folder) throws -> String {
        let (state, socket) = (folder.path("state"), folder.path("s"))
        let up = try xinghe(["up", "--time", "stepped", "--state", state, "--socket", socket])
        try #require(up.status == 0, "\(up.errors)")
        let pay = ["account", "pay", "bohai-motor", "600", "--reference", "bank-1"]
        let paid = try xinghe(pay + ["--socket", socket])
        #expect(paid.status == 0, "\(paid.errors)")
        let down = try xinghe(["down", "--socket", socket])
        try #require(down.status == 0, "\(down.errors)")
        return state
    }

    @Test("Anchors are signed and verified by commands; what was not signed so is refused by line")
    func signer() throws {
        let folder = try Folder()
        let state = try books(folder)
        let key = try folder.write("key", "secret")
        let anchors = folder.path("anchors")
        let audit = ["audit", "--state", state, "--anchor", anchors]
        // A keyed hash stands for a signature; docs/billing.md has openssl's commands.
        let sign = ["--sign-with", "cat - '\(key)' | sha256sum"]
        let verify = [
            "--verify-with",
            "test \"$(cat - '\(key)' | sha256sum)\" = \"$(cat \"$XINGHE_SIGNATURE\")\"",
        ]
        let first = try xinghe(audit + sign)
        #expect(first.status == 0, "\(first.errors)")
        #expect(first.output.contains("added batch"), "\(first.output)")
        let again = try xinghe(audit + sign + verify)
        #expect(again.status == 0 && again.output.contains("nothing new"), "\(again)")
        let line = try String(contentsOfFile: anchors, encoding: .utf8)
        #expect(line.split(separator: "\n").count == 1)
        // Another key, another line, no signature.
        _ = try folder.write("key", "other")
        let forged = try xinghe(audit + verify)
        #expect(forged.status == 1)
        #expect(forged.errors.contains("anchors:1: the signature is not good"), "\(forged.errors)")
        let unsigned = line.split(separator: "\t").dropLast().joined(separator: "\t") + "\t-\n"
        _ = try folder.write("anchors", unsigned)
        #expect(try xinghe(audit + verify).errors.contains("anchors:1: is not signed"))
        #expect(try xinghe(audit).status == 0)
        _ = try folder.write("anchors", "hello\n")
        #expect(try xinghe(audit).errors.contains("anchors:1: is no anchor of a centre"))
        let refusing = try xinghe(
            ["audit", "--state", state, "--anchor", folder.path("new"), "--sign-with", "exit 3"]
        )
        #expect(refusing.status == 1 && refusing.errors.contains("exit 3, no signature"))
        #expect(!FileManager.default.fileExists(atPath: folder.path("new")))
    }

    @Test("Books that were written anew do not stand where the anchor says")
    func writtenAnew() throws {
        let folder = try Folder()
        let state = try books(folder)
        let anchors = folder.path("anchors")
        #expect(try xinghe(["audit", "--state", state, "--anchor", anchors]).status == 0)
        let line = try String(contentsOfFile: anchors, encoding: .utf8)
        var fields = line.split(separator: "\t").map(String.init)
        fields[6] = String(repeating: "0", count: 63) + "1"
        _ = try folder.write("anchors", fields.joined(separator: "\t"))
        let found = try xinghe(["audit", "--state", state, "--anchor", anchors])
        #expect(found.status == 1)
        #expect(
            found.errors.contains("ledger: after row 1 the chain had the head"),
            "\(found.errors)"
        )
    }

    @Test("The office checks packs, and writes to nobody where nothing is unclaimed")
    func office() throws {
        let folder = try Folder()
        let state = try books(folder)
        let stored = ["--state", state]
        let pack = try xinghe(["subsidy", "claim-pack", "--enterprise", "bohai-motor"] + stored)
        #expect(pack.status == 0, "\(pack.errors)")
        let row =
            "c1,2026-01-05,bohai-motor,enterprise,tianhe,core-hour,1000,teda-machine-hour=501\n"
        let header = "claim_id,date,enterprise,class,platform,resource,fee_fen,granted\n"
        let packs = [
            try folder.write("empty.csv", pack.output), try folder.write("one.csv", header + row),
        ]
        let check = try xinghe(["subsidy", "check"] + packs)
        #expect(check.status == 1)
        #expect(check.output.contains("one.csv"))
        #expect(
            check.errors.contains("one.csv: claim c1: granted 5.01 CNY, but rule"),
            "\(check.errors)"
        )
        #expect(try xinghe(["subsidy", "check", packs[0]]).status == 0)
        let letters = try xinghe(["subsidy", "letters"] + stored)
        #expect(letters.status == 0 && letters.output.isEmpty, "\(letters)")
    }
}
