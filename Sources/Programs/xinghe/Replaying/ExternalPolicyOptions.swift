import ArgumentParser
import Emulation
import Quantities
import ReplayRuntime
import Scheduling
import WorkloadFormats

/// The program that decides when a policy is `external`.
struct ExternalPolicyOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The program that decides under --policy external (docs/external-policy.md).",
            valueName: "COMMAND"
        )
    )
    var external: String?

    @Option(
        help: ArgumentHelp(
            "How long the program may take for an answer, in seconds.",
            valueName: "S"
        )
    )
    var externalTimeout = 30

    /// Stops with a message when policies and options do not go together.
    func check(_ policies: [SchedulingPolicy]) throws {
        let isWanted = policies.contains { $0.backfill == .external }
        if isWanted, external == nil {
            throw ValidationError("--policy external: say which program decides, with --external")
        }
        if !isWanted, external != nil {
            throw ValidationError("--external: no policy is external; add --policy external")
        }
        guard (1...86_400).contains(externalTimeout) else {
            throw ValidationError("--external-timeout: \(externalTimeout) is not in 1...86400")
        }
    }

    /// Runs a replay to its end, asking the program where the policy is external.
    ///
    /// - Returns: the result, and how the program calls its policy.
    func run(
        _ driver: inout ReplayDriver,
        _ trace: Trace,
        _ machine: ReplayMachine,
        watch: ((Emulator, SimInstant) -> Void)? = nil
    ) throws -> (result: ReplayResult, name: String) {
        let policy = machine.configuration.policy
        guard policy.backfill == .external, let external else {
            return (driver.run(watch: watch), policy.name)
        }
        guard !driver.findsFairStarts else {
            throw Refusal("--external: no program can be asked again for --fair-starts")
        }
        do {
            let outside = try ExternalPolicy(
                command: external,
                timeout: SimDuration(seconds: Int64(externalTimeout)),
                trace: trace,
                machine: machine
            )
            do {
                let result = try driver.run(asking: outside, watch: watch)
                outside.finish()
                return (result, "external: \(outside.name)")
            } catch let refusal as RefusedDecision {
                throw outside.explain(refusal)
            }
        } catch let failure as ExternalPolicyFailure {
            throw Refusal("\(failure)")
        }
    }
}
