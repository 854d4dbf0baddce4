import ClusterModel
import Quantities
import SlurmDialect
import Testing
import WireFormats

@testable import LiveRuntime

/// `--licenses` and `scontrol show licenses` on a small centre.
@Suite("Licences in a centre")
struct LicenseTests {
    private let folder: ScratchFolder
    private let settings: CentreSettings

    init() throws {
        folder = try ScratchFolder()
        var machine = SmallCentre.machine
        machine.licenses = [
            LicensePool(name: "fluent", count: 3), LicensePool(name: "abaqus", count: 1),
        ]
        settings = SmallCentre.settings(folder.path, machine: machine)
    }

    private func submit(_ centre: Centre, _ licenses: String) async throws -> UInt32 {
        try await centre.submit(
            SmallCentre.request {
                $0.partitions = ["batch"]
                $0.licenses = licenses
                $0.comment = "runtime=600"
            }
        )
    }

    private func shown(_ centre: Centre, _ words: String...) async throws -> [String] {
        let command = try ControlCommand(
            program: "scontrol",
            arguments: words,
            variable: { _ in nil }
        )
        guard case .showLicenses(let name) = command.action else {
            Issue.record("\(words)")
            return []
        }
        return command.output(await centre.status().licenses, name: name).lines
    }

    @Test("A job holds what it names, is shown with it, and waits with Slurm's reason")
    func holds() async throws {
        let centre = try Centre(settings)
        let first = try await submit(centre, "fluent:2,abaqus")
        let second = try await submit(centre, "fluent:2")
        #expect(try await centre.info(first).state == "RUNNING")
        #expect(try await centre.info(second).reason == "Licenses")
        #expect(try await centre.info(second).licenses == "fluent:2")
        #expect(
            try await shown(centre, "show", "lic") == [
                "LicenseName=fluent", "    Total=3 Used=2 Free=1 Reserved=0 Remote=no",
                "LicenseName=abaqus", "    Total=1 Used=1 Free=0 Reserved=0 Remote=no",
            ]
        )
        #expect(
            try await shown(centre, "-o", "show", "licenses", "abaqus") == [
                "LicenseName=abaqus Total=1 Used=1 Free=0 Reserved=0 Remote=no"
            ]
        )
        try await centre.advance(seconds: 601)
        #expect(try await centre.info(second).state == "RUNNING")
        await centre.close()

        // The journal gives them out again.
        let again = try Centre(settings)
        #expect(
            try await shown(again, "show", "lic", "fluent").last
                == "    Total=3 Used=2 Free=1 Reserved=0 Remote=no"
        )
        await again.close()
    }

    @Test(
        "A licence that is not there, or not so often, is refused by name",
        arguments: [
            ("fluant", "licence 'fluant' is not known (did you mean 'fluent'?)"),
            ("fluent:4", "there are 3 of licence 'fluent'"),
            ("fluent:2,fluent:2", "there are 3 of licence 'fluent'"), ("fluent:x", ""),
            (":2", ""), ("fluent:-1", ""), ("flu ent", ""), (",", ""),
        ]
    )
    func refused(text: String, detail: String) async throws {
        let centre = try Centre(settings)
        do {
            _ = try await submit(centre, text)
            Issue.record("\(text) is accepted")
        } catch let failure as RequestFailure {
            #expect(failure.body.code == "invalid_licenses")
            #expect(failure.body.hints.joined() == detail)
        }
        await centre.close()
    }
}
