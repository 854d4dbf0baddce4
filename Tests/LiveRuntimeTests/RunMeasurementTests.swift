import Foundation
import JobExecution
import Quantities
import Testing
import WireFormats

@testable import LiveRuntime

@Suite("Measurements of a run")
struct RunMeasurementTests {
    private let folder: ScratchFolder
    private let step: StepFolder

    /// A run that was bound to two hardware threads.
    init() throws {
        folder = try ScratchFolder()
        step = StepFolder(path: folder.path)
        var specification = StepSpecification(
            jobID: 1,
            nodeName: "host0",
            program: "/bin/true",
            directory: "/",
            output: "/dev/null"
        )
        specification.processingUnits = [0, 1]
        try Data(specification.encoded).write(to: URL(fileURLWithPath: step.specification))
    }

    /// What a run of `seconds` leaves that wrote `text`.
    private func measure(_ text: String, seconds: Int64 = 4) throws -> RunMeasurement {
        try Data(text.utf8).write(to: URL(fileURLWithPath: step.measure))
        return read(seconds: seconds)
    }

    private func read(seconds: Int64 = 4) -> RunMeasurement {
        var outcome = StepOutcome()
        outcome.wallMicroseconds = seconds * 1_000_000
        return RunMeasurement(outcome, step)
    }

    private func line(_ members: String) -> String {
        "{\"kernel\":\"k\",\"seconds\":1,\(members)}\n"
    }

    @Test("All finished lines are added up, and the first hundred are steps")
    func sweep() throws {
        let flop = "\"flop\":1000000000,\"verified\":true"
        let run = try measure(String(repeating: line(flop), count: 250)).run
        #expect(run.verifiedFlop == 250_000_000_000)
        #expect(run.reported?.runs == 250)
        #expect(run.reported?.seconds == SimDuration(seconds: 250))
        #expect(run.kernels.count == RunMeasurement.stepMaximum)
        #expect(run.reported?.linesPassedOver == nil)
    }

    @Test("A count may be written as a floating-point number", arguments: ["3e9", "3000000000.0"])
    func floats(flop: String) throws {
        let run = try measure(line("\"flop\":\(flop),\"ranks\":1.0,\"verified\":true")).run
        #expect(run.verifiedFlop == 3_000_000_000)
        #expect((run.reported?.runs, run.reported?.verifiedRuns) == (1, 1))
    }

    @Test(
        "A line that is no measurement of this run is in no sum, and counted",
        arguments: [
            "no json", "[]", "{\"kernel\":\"k\"}", "{\"seconds\":1}",
            "{\"kernel\":\"k\",\"seconds\":5.1}", "{\"kernel\":\"k\",\"seconds\":-1}",
            "{\"kernel\":\"k\",\"seconds\":1,\"flop\":-1}",
            "{\"kernel\":\"k\",\"seconds\":1,\"flop\":1.5}",
            "{\"kernel\":\"k\",\"seconds\":1,\"flop\":9223372036854775808}",
            "{\"kernel\":\"k\",\"seconds\":1,\"flop\":100000000000001}",
            "{\"kernel\":\"k\",\"seconds\":1,\"flop\":\"5\"}",
            "{\"kernel\":\"k\",\"seconds\":1,\"byte\":-1}",
            "{\"kernel\":\"k\",\"seconds\":1,\"ranks\":0}",
            "{\"kernel\":\"k\",\"seconds\":1,\"ranks\":9223372036854775807}",
            "{\"kernel\":\"k\",\"seconds\":1,\"verified\":\"yes\"}",
            "{\"kernel\":\"k\",\"seconds\":1,\"energy_joule\":1e11}",
            "{\"kernel\":\"\",\"seconds\":1}", "{\"kernel\":\"a|b\",\"seconds\":1}",
            "{\"kernel\":\"a\\nb\",\"seconds\":1}", "{\"kernel\":\"\\u001b[31m\",\"seconds\":1}",
            "{\"kernel\":\"\\u202e\",\"seconds\":1}",
            "{\"kernel\":\"\(String(repeating: "k", count: 65))\",\"seconds\":1}",
            "{\"kernel\":\"k\",\"seconds\":1,\"x\":\"\(String(repeating: "x", count: 16_384))\"}",
        ]
    )
    func passedOver(bad: String) throws {
        let measurement = try measure("\n\(bad)\n" + line("\"flop\":7,\"verified\":true"))
        #expect(measurement.run.reported?.linesPassedOver == 1, "\(bad)")
        #expect(measurement.run.reported?.runs == 1)
        #expect(measurement.run.verifiedFlop == 7)
        #expect(measurement.run.kernels.count == 1)
        #expect(measurement.complaint?.contains("1 of 2 lines; the first is line 1: ") == true)
    }

    @Test("What the lines claim together is bounded too; steps may overlap")
    func together() throws {
        // 2 threads × 5 s × 10 Tflop/s.
        let flop = "\"flop\":50000000000000,\"verified\":true"
        let run = try measure(String(repeating: line(flop), count: 3)).run
        #expect(run.verifiedFlop == 100_000_000_000_000)
        #expect((run.reported?.runs, run.reported?.linesPassedOver) == (2, 1))
        let long = "{\"kernel\":\"计算 №1\",\"seconds\":4.9,\"energy_joule\":null}\n"
        let overlapping = try measure(String(repeating: long, count: 20)).run.reported
        #expect((overlapping?.runs, overlapping?.linesPassedOver) == (20, nil))
        #expect(overlapping?.seconds == SimDuration(seconds: 98))
        #expect(overlapping?.energyMillijoules == nil)
    }

    @Test("The time of cards adds up, and cannot be more than there was")
    func cardTime() throws {
        let run = try measure(
            line("\"card_seconds\":1.5") + line("\"card_seconds\":2") + line("\"card_seconds\":9")
                + line("\"flop\":1")
        ).run
        #expect(run.reported?.cardTime == SimDuration(microseconds: 3_500_000))
        #expect((run.reported?.runs, run.reported?.linesPassedOver) == (3, 1))
        #expect(try measure(line("\"flop\":1")).run.reported?.cardTime == nil)
    }

    @Test("A last line that is not finished is counted as passed over")
    func torn() throws {
        let run = try measure(line("\"flop\":7") + "{\"kernel\":\"k\",\"seconds\":1}").run
        #expect((run.reported?.runs, run.reported?.linesPassedOver) == (1, 1))
    }

    @Test("Of a file without end the first 16 MiB are read, and the rest is said")
    func endless() throws {
        _ = try measure(line("\"flop\":7,\"verified\":true"))
        #expect(truncate(step.measure, 1 << 40) == 0)
        let run = read().run
        #expect(run.verifiedFlop == 7)
        #expect(run.reported?.linesPassedOver == 1)
        #expect(run.reported?.unread == ByteCount((1 << 40) - 16 << 20))
    }

    @Test(
        "What the job put in place of the file is not opened, or ends nothing",
        .timeLimit(.minutes(1)),
        arguments: [
            "mkfifo", "ln -s /dev/zero", "ln -s /dev/stdin", "ln -s specification", "mkdir",
        ]
    )
    func notRegular(command: String) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", "\(command) '\(step.measure)'"]
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        let measurement = read()
        #expect(measurement.run.reported == nil)
        #expect(measurement.complaint?.hasPrefix("its measurement file cannot be read: ") == true)
    }

    @Test("A run whose supervisor was lost has no time, so it measured nothing")
    func lost() throws {
        _ = try measure(line("\"flop\":7,\"verified\":true"))
        var outcome = StepOutcome()
        outcome.isLost = true
        #expect(RunMeasurement(outcome, step).run.reported == nil)
    }

    @Test("Records without what this version added are byte for byte as they were")
    func oldRecords() throws {
        let old =
            "{\"wall\":2,\"flop\":3,\"byte\":4,\"energy_mj\":null,\"energy_estimated\":false,"
            + "\"runs\":1,\"verified_runs\":1}"
        var work = try MeasuredWork(parsing: Array(old.utf8))
        #expect(work.json.compactText == old)
        work.linesPassedOver = 2
        #expect(try MeasuredWork(json: work.json) == work)
    }

    @Test("An end in the journal of an earlier version is read, however deep its lines are")
    func oldJournal() throws {
        let deep = String(repeating: "[", count: 127) + String(repeating: "]", count: 127)
        let line = "{\"kernel\":\"k\",\"seconds\":1,\"verified\":true,\"x\":\(deep)}"
        let text = "{\"id\":1,\"state\":\"COMPLETED\",\"measured\":{\"kernels\":[\(line)]}}"
        let end = try EndInput(parsing: Array(text.utf8))
        #expect(end.measured?.kernels.first?.json["seconds"]?.integer == 1)
        #expect(end.json.compactText.contains(deep))
    }
}
