public import ClusterModel
import Persistence
public import Scheduling
public import WireFormats

/// What decided about the jobs of a centre, as its state folder has it: enough to decide again under
/// other rules. No daemon is needed, and one that runs is not disturbed.
public struct StoredJobs: Sendable {
    /// The centre's machine, with the customers of now.
    public let machine: Machine
    /// The policy that decided.
    public let policy: SchedulingPolicy
    /// The jobs by number: those that ended, and those that wait or run.
    public let records: [RecordedJob]

    /// Reads a state folder.
    ///
    /// - Parameter machine: as for `StoredCentre`.
    /// - Throws: `OpenFailure` when it cannot be read or belongs to another machine.
    public init(stateFolder: String, machine: Machine? = nil) throws(OpenFailure) {
        let reader = try StoredRules.reader(stateFolder)
        let known = try StoredRules(reader, stateFolder)
        let state = try CentreState.stored(reader, stateFolder, known.rules(with: machine))
        var byNumber: [UInt32: RecordedJob] = [:]
        do throws(PersistenceFailure) {
            // Runs that were cut short stand before the last one of their job.
            for body in try reader.jobs(CentreReader.JobQuery()) {
                guard let record = Self.record(in: body) else { continue }
                byNumber[record.id] = record
            }
        } catch {
            throw .store(error)
        }
        state.jobs.forEach { byNumber[$0.id] = state.replay(of: $0) }
        self.machine = state.rules.machine
        policy = state.rules.policy
        records = byNumber.values.sorted { $0.id < $1.id }
    }

    /// What a stored record says of how it was decided; nil for one of an earlier version.
    private static func record(in body: String) -> RecordedJob? {
        guard let json = try? JSONValue(parsing: body), let text = json["replay"]?.string,
            let replay = try? JSONValue(parsing: text)
        else { return nil }
        return try? RecordedJob(json: replay)
    }
}
