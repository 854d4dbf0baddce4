import ClusterModel
import WireFormats

/// Which jobs of the queue a question means.
struct QueueFilter {
    private let users: Set<String>?
    private let accounts: Set<String>?
    private let partitions: Set<String>?
    private let states: Set<String>?
    private let includesEnded: Bool

    init(_ query: JobQuery) {
        users = query.users.map { Set($0) }
        accounts = query.accounts.map { Set($0) }
        partitions = query.partitions.map { Set($0) }
        states = query.states.map { Set($0) }
        includesEnded = query.includesEnded
    }

    func wants(_ entry: JobEntry, _ state: CentreState) -> Bool {
        if entry.hasEnded, !includesEnded { return false }
        let request = entry.specification.request
        if let users, !users.contains(request.user), !users.contains(String(request.userID)) {
            return false
        }
        if let accounts, !accounts.contains(entry.specification.account) { return false }
        if let states, !states.contains(state.stateName(of: entry.status)) { return false }
        guard let partitions else { return true }
        return entry.status.partitions.contains {
            partitions.contains(state.rules.machine.partitions[$0].name)
        }
    }
}
