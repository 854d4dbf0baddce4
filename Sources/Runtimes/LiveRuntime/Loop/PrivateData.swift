import ClusterModel
import SlurmDialect
import WireFormats

/// What users see of others. Names and meanings are those of `PrivateData` in slurm.conf(5).
public enum PrivateData: String, Hashable, Sendable, CaseIterable {
    /// The queue shows users their own jobs only.
    case jobs
    /// Nodes are for operators only.
    case nodes
    /// Reservations are for operators only.
    case reservations
    /// The accounts show users the records of their own jobs only.
    case usage

    /// Reads words with commas between them: `jobs,usage`, or `all`.
    ///
    /// - Throws: `Unknown`, with a word that is none of them.
    public static func set(_ text: String) throws(Unknown) -> Set<PrivateData> {
        var set: Set<PrivateData> = []
        for word in text.split(separator: ",").map(String.init) {
            if word == "all" {
                set.formUnion(allCases)
            } else if let data = PrivateData(rawValue: word) {
                set.insert(data)
            } else {
                throw Unknown(word: word)
            }
        }
        return set
    }

    /// A word that names no data.
    public struct Unknown: Error, Hashable, Sendable {
        /// The word.
        public var word: String
    }
}

/// What a caller may see: one rule for all routes.
struct Sight: Sendable {
    let caller: Caller
    let rights: Rights
    let hidden: Set<PrivateData>

    func sees(_ entry: JobEntry) -> Bool {
        !hidden.contains(.jobs) || rights.may(.seeJobs, entry, of: caller)
    }

    func sees(_ record: AccountingRecord) -> Bool {
        !hidden.contains(.usage)
            || rights.may(
                .seeJobs,
                toJobOf: record.account,
                isOwn: record.userID == caller.userID
            )
    }

    /// Whether the caller sees what an active job uses.
    func seesUse(_ entry: JobEntry) -> Bool {
        !hidden.contains(.usage) || rights.may(.seeJobs, entry, of: caller)
    }

    /// Takes out of a list of people what others used and hold, where that is not for the caller.
    func conceal(_ list: inout PeopleList) {
        let hidesUse = hidden.contains(.usage)
        guard !rights.may(.seeJobs), hidesUse || hidden.contains(.jobs) else { return }
        for index in list.associations.indices
        where list.associations[index].userID != caller.userID
            && !rights.may(.seeJobs, in: list.associations[index].account)
        {
            list.associations[index].use = UseInfo()
            guard hidesUse else { continue }
            list.associations[index].usage = 0
            list.associations[index].siblingUsage = 0
            list.associations[index].rank = 0
        }
        for index in list.qos.indices {
            list.qos[index].use = UseInfo()
            list.qos[index].users = []
            list.qos[index].accounts = []
        }
    }

    /// Takes out of the limit that a job waits for what its account has and owes, and what others use, where that is
    /// not for the caller.
    func conceal(_ limit: inout LimitInfo?, of entry: JobEntry) {
        guard let told = limit else { return }
        if told.resource == LimitInfo.money {
            let mayRead = rights.may(.readMoney, in: told.account ?? entry.specification.account)
            if !mayRead { limit = nil }
            return
        }
        // What others' jobs hold tells of them, as in the list of people.
        guard hidden.contains(.usage) || hidden.contains(.jobs), !rights.may(.seeJobs) else {
            return
        }
        let isOwn = caller.owns(entry) && (told.user != nil || told.array != nil)
        let isCoordinated = told.account.map { rights.may(.seeJobs, in: $0) } ?? false
        if !isOwn, !isCoordinated, told.license == nil { limit?.used = nil }
    }

    /// Takes out of records what is for those only who may read the account's bill, or whose job it is:
    /// what was paid, and the command line, in which secrets stand.
    func conceal(_ records: inout [AccountingRecord]) {
        guard !rights.may(.readCharges) else { return }
        // An account is looked for among all.
        var mayRead: [String: Bool] = [:]
        for index in records.indices where records[index].userID != caller.userID {
            let account = records[index].account
            let isOpen = mayRead[account] ?? rights.may(.readCharges, in: account)
            mayRead[account] = isOpen
            guard !isOpen else { continue }
            records[index].charge = nil
            records[index].submitLine = ""
            records[index].comment = nil
            records[index].replay = nil
        }
    }
}

extension Centre {
    /// Whether everybody sees the same queue.
    public var isQueuePublic: Bool { !settings.privateData.contains(.jobs) }

    func sight(of caller: Caller) -> Sight {
        Sight(caller: caller, rights: rights(of: caller), hidden: settings.privateData)
    }

    func check(_ data: PrivateData, _ caller: Caller) throws(RequestFailure) {
        if settings.privateData.contains(data) { try require(.operate, caller) }
    }
}
