import ClusterModel
import SlurmDialect
import Testing
import WireFormats

@testable import LiveRuntime

@Suite("Security levels of partitions")
struct ClearanceTests {
    private let folder: ScratchFolder

    init() throws {
        folder = try ScratchFolder()
    }

    @Test("An account needs the clearance, its own or that of the account above")
    func clearance() async throws {
        var machine = SmallCentre.machine
        machine.partitions[0].securityLevel = 3
        machine.accounts[1].clearance = 3
        var part = AccountEntry(name: "part", title: "Part", customerClass: .enterprise)
        part.parent = "motor"
        var lower = part
        (lower.name, lower.clearance) = ("lower", 2)
        machine.accounts += [part, lower]
        let centre = try Centre(SmallCentre.settings(folder.path, machine: machine))
        func submit(_ account: String, _ partitions: [String]) async throws -> UInt32 {
            try await centre.submit(
                SmallCentre.request {
                    $0.partitions = partitions
                    $0.account = account
                }
            )
        }
        for account in ["motor", "part"] { _ = try await submit(account, ["batch"]) }
        for account in ["guest", "motor", "part", "lower"] {
            _ = try await submit(account, ["shared"])
        }
        for (account, level) in [("guest", 1), ("lower", 2)] {
            // Among others too: nobody waits for a partition that stays shut.
            for partitions in [["batch"], ["shared", "batch"]] {
                do {
                    _ = try await submit(account, partitions)
                    Issue.record("\(account) is let in")
                } catch let failure as RequestFailure {
                    #expect(
                        failure.body.hints == [
                            "partition batch is of security level 3; account '\(account)' is cleared for \(level)"
                        ]
                    )
                }
            }
        }
        await centre.close()
    }
}
