import ArgumentParser
import Emulation
import JobModel
import Quantities
import ReplayRuntime
import Scheduling
import WorkloadFormats

/// `xinghe replay --explain JOB`: why a job started when it did, instead of the report.
struct ExplainOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Say why the job of this number started when it did, instead of the report.",
            valueName: "JOB"
        )
    )
    var explain: Int64?

    /// Refuses what does not go together with an explanation.
    func check(
        _ order: EventOrder,
        isJSON: Bool,
        _ output: String?,
        _ report: String?
    ) throws {
        guard explain != nil else { return }
        guard order == .batched else {
            throw ValidationError(
                "--explain: decisions are explained one an instant, so in event order batched only"
            )
        }
        if let output = output ?? report.map({ _ in "--report" }) {
            throw ValidationError(
                "--explain: prints one text and writes no file; leave \(output) out"
            )
        }
        if isJSON { throw ValidationError("--explain: is text; it has no JSON") }
    }

    /// Replays the log once and explains one job.
    ///
    /// - Parameter run: runs the driver, with an observer, and says what the policy is called.
    /// - Throws: `Refusal` when the log has no such job.
    func text(
        of job: Int64,
        _ trace: Trace,
        at path: String,
        _ machine: ReplayMachine,
        run: (((Emulator, SimInstant) -> Void)?) throws -> (result: ReplayResult, name: String)
    ) throws -> String {
        guard let position = trace.jobs.firstIndex(where: { $0.id == job }) else {
            throw Refusal(
                "\(path): --explain: there is no job \(job) to replay; it is not in the log, or"
                    + " its row was left out"
            )
        }
        var explainer = StartExplainer(job: position, unixStartTime: trace.unixStartTime)
        let (result, name) = try run { explainer.observe($0, $1) }
        guard result.started[position] >= 0 else {
            throw Refusal(
                "\(path): --explain: job \(job) was refused: it wants"
                    + " \(trace.jobs[position].processors) processors, more than"
                    + " \(machine.title) can give"
            )
        }
        return StartExplanationText(
            trace: trace,
            machine: machine,
            policy: name,
            explanation: explainer.explanation
        ).text
    }
}
