import Quantities
import Testing
import WireFormats

@testable import SlurmDialect

/// What `scontrol` says of words that it cannot read. Asked of a Slurm 22.05.8.
@Suite("scontrol of words that cannot be read")
struct ControlWordsTests {
    @Test(
        "Words are named as they were written, in Slurm's sentences",
        arguments: [
            (
                "update PartitionName=work State=BOGUS",
                [
                    "scontrol: error: Invalid input: State=BOGUS",
                    "scontrol: error: Acceptable State values are UP, DOWN, DRAIN and INACTIVE",
                    "slurm_update error: No error",
                ]
            ),
            (
                "update PartitionName=work MaxTime=bogus",
                [
                    "scontrol: error: Invalid input MaxTime=bogus", "slurm_update error: No error",
                ]
            ),
            ("create", ["too few arguments for create keyword"]),
            ("delete", ["too few arguments for delete keyword"]),
            ("delete bogus=1", ["Invalid deletion entity: bogus=1"]),
            ("show hostnames", ["scontrol: error: host list is empty"]),
        ]
    )
    func words(line: String, lines: [String]) throws {
        let failure = #expect(throws: CommandFailure.self) { try command(line) }
        #expect(failure?.lines == lines)
    }

    @Test("A node's state is named as it was written")
    func nodeState() throws {
        let failure = #expect(throws: CommandFailure.self) {
            try command("update NodeName=cn1 State=BOGUS")
        }
        #expect(failure?.lines.first == "Invalid input: State=BOGUS")
    }

    @Test("What is wrong with a reservation is told in Slurm's sentences")
    func reservation() throws {
        func lines(_ words: String...) throws -> [String]? {
            let changes = try ControlCommand.reservationChanges(words)
            return #expect(throws: CommandFailure.self) {
                try ReservationRequest(changes, now: .epoch)
            }?.lines
        }
        let none = "No reservation created."
        #expect(
            try lines("StartTime=bogus") == [
                "Invalid time specification (pos=0): bogus",
                "scontrol: error: Invalid start time StartTime=bogus.  \(none)",
            ]
        )
        #expect(
            try lines("Flags=BOGUS") == [
                "scontrol: error: Error parsing flags BOGUS.  \(none)"
            ]
        )
    }

    @Test("Numbers of errors are told, and of things that there are none, nothing")
    func silent() throws {
        #expect(try command("errnumstr 2017").action == .print(["Invalid job id specified"]))
        #expect(try command("show frontend").action == .print(["No nodes in the system"]))
        #expect(try command("show burstbuffer").action == .print([]))
    }

    @Test("A unit that sizes are not told in is named")
    func unit() {
        let failure = #expect(throws: CommandFailure.self) {
            try AccountingCommand(
                program: "sacct",
                arguments: ["--units=X"],
                variable: { _ in nil },
                user: nil
            )
        }
        #expect(
            failure?.lines == [
                "sacct: error: Invalid unit type 'X'. Possible options are 'KMGTP'",
                "sacct: fatal: Invalid unit type",
            ]
        )
    }

    private func command(_ line: String) throws -> ControlCommand {
        try ControlCommand(
            program: "scontrol",
            arguments: line.split(separator: " ").map(String.init),
            variable: { _ in nil }
        )
    }
}
