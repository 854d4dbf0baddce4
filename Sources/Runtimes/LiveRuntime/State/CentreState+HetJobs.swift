import Billing
import Emulation
import JobExecution
import JobModel
import Quantities
import SlurmDialect
import WireFormats

// Heterogeneous jobs: components with numbers of their own that follow one another. The first stands for all
// of them where it is named.

extension CentreState {
    /// Takes all components of a job in, or none.
    mutating func submitHet(_ input: SubmitInput, at instant: SimInstant) -> InputResult {
        let requests = [input.request.withoutComponents] + input.request.components
        var parts: [(resolved: Resolved, submission: JobSubmission)] = []
        var trial = emulator
        var unseen = EffectBuffer()
        for (offset, request) in requests.enumerated() {
            var own = input
            own.id = input.id + UInt32(offset)
            own.request = request
            let het = HetMembership(
                leader: JobID(input.id),
                offset: Int32(offset),
                count: Int32(requests.count)
            )
            do throws(Refusal) {
                let resolved = try resolve(own, at: instant, het: het)
                let cluster = rules.machine.clusterName(of: resolved.status)
                let first = parts.first.map { rules.machine.clusterName(of: $0.resolved.status) }
                guard first ?? cluster == cluster else {
                    throw Refusal(
                        .invalidPartition,
                        "components of several clusters cannot be mixed"
                    )
                }
                var submission = resolved.submission
                enrol(&submission, resolved)
                submission.funds = funds(for: resolved, at: instant)
                submission.dependencies = dependencies(of: request, task: nil)
                do throws(InputRejection) {
                    try trial.handle(.submit(submission), at: instant, into: &unseen)
                } catch {
                    throw Refusal(error)
                }
                parts.append((resolved, submission))
            } catch {
                return .refused(error.body)
            }
        }
        for (resolved, submission) in parts {
            let id = submission.id.number
            var status = resolved.status
            status.reservedFee = submission.funds.map { Fen($0.price) }
            status.submittedDependencies = submission.dependencies
            jobs.insert(
                JobEntry(
                    id: id,
                    arrayTask: nil,
                    specification: resolved.specification,
                    status: status
                )
            )
            if let rejection = send(.submit(submission), at: instant) {
                preconditionFailure("component \(id) is refused after all: \(rejection)")
            }
            let ends = resolved.specification.request.endsOnInvalidDependency == true
            if ends, !submission.dependencies.isEmpty { endsOnInvalid.insert(id) }
        }
        return .done(
            id: input.id,
            obstacle: lastingObstacle(of: parts.map(\.submission.id.number))
        )
    }

    /// What a job's script finds.
    ///
    /// - Parameter cards: those that it holds on this host.
    func batchEnvironment(of entry: JobEntry, cards: [Int]) -> BatchEnvironment {
        var environment = BatchEnvironment(of: entry, rules, cards: cards)
        if let het = entry.specification.submission.het, het.offset == 0 {
            environment.components = (0..<UInt32(het.count)).compactMap { offset in
                jobs[entry.id + offset].map { BatchEnvironment(of: $0, rules, cards: []) }
            }
        }
        return environment
    }
}

extension JobEntry {
    /// Whether it is a component that runs no script.
    var isFollower: Bool { (specification.submission.het?.offset ?? 0) > 0 }

    /// Whether it runs a script, which has a step of its own and output files: no allocation, and of several
    /// components the first.
    var hasScript: Bool { !specification.request.isInteractive && !isFollower }
}

extension SubmitRequest {
    /// The first component alone.
    var withoutComponents: SubmitRequest {
        var request = self
        request.components = []
        return request
    }
}
