import Determinism

/// Who used how much, and what that leaves them: Slurm's Fair Tree.
///
/// A tree of accounts below the root and users below accounts. Each level compares siblings by
/// shares ÷ usage; users are ranked depth first, and the factor of a user is rank ÷ users.
/// Siblings with one value are ranked together: their children are merged.
///
/// Source: Cox, Morrison, "Fair Tree: Fairshare Algorithm for Slurm", Slurm User Group 2014;
/// https://slurm.schedmd.com/fair_tree.html. Usage is core-seconds, halved every half-life, brought
/// up to date at whole periods. All accounts have one share, and all users of an account.
public struct FairTree: Sendable {
    /// A user of an account.
    private struct User {
        var account: Int
        /// Decayed usage at the last period. Unit: core-s.
        var usage = 0.0
        /// Usage since then. Unit: core-µs.
        var accrued: Int128 = 0
        /// The cores that its running jobs hold.
        var cores: Int64 = 0
        /// When `accrued` was brought up to date. Unit: µs since the epoch.
        var updated: Int64
        var factor = 1.0
    }

    /// Names of an association: only looked up.
    private struct Name: Hashable {
        var account: Int32
        var user: Int32
    }

    private var users: ContiguousArray<User> = []
    private var indices: [Name: Int] = [:]
    private var accountIndices: [Int32: Int] = [:]
    private var accountCount = 0
    private let period: Int64
    private let decay: Double
    private var lastPeriod: Int64?

    /// Makes a tree without users.
    public init(_ weights: PriorityWeights) {
        period = Int64(max(1, weights.periodSeconds)) * 1_000_000
        decay =
            weights.halfLifeSeconds > 0
            ? ReproducibleMath.halved(
                Double(max(1, weights.periodSeconds)) / Double(weights.halfLifeSeconds)
            ) : 1
    }

    /// The association of a user with an account, made when it is new.
    public mutating func association(account: Int32, user: Int32, at now: Int64) -> Int32 {
        let name = Name(account: account, user: user)
        if let index = indices[name] { return Int32(index) }
        let index = users.count
        indices[name] = index
        if accountIndices[account] == nil {
            accountIndices[account] = accountCount
            accountCount += 1
        }
        users.append(User(account: accountIndices[account] ?? 0, updated: now))
        rank()
        return Int32(index)
    }

    /// Notes that jobs of an association hold more cores from now on, or fewer.
    public mutating func change(_ association: Int32, byCores cores: Int64, at now: Int64) {
        let index = Int(association)
        accrue(index, to: now)
        users[index].cores += cores
    }

    /// The factor of an association, from 0 to 1.
    public func factor(_ association: Int32) -> Double { users[Int(association)].factor }

    /// Whether a period has ended since the last call; usage and factors are then brought up to
    /// date.
    public mutating func tick(at now: Int64) -> Bool {
        let current = now / period
        guard let last = lastPeriod else {
            lastPeriod = current
            return true
        }
        guard current > last else { return false }
        lastPeriod = current
        var factor = 1.0
        var base = decay
        var steps = current - last
        while steps > 0 {
            if steps & 1 == 1 { factor *= base }
            base *= base
            steps >>= 1
        }
        for index in users.indices {
            accrue(index, to: now)
            users[index].usage = users[index].usage * factor + Double(users[index].accrued) / 1e6
            users[index].accrued = 0
        }
        rank()
        return true
    }

    private mutating func accrue(_ index: Int, to now: Int64) {
        users[index].accrued += Int128(users[index].cores) * Int128(now - users[index].updated)
        users[index].updated = now
    }

    // MARK: Ranking

    private mutating func rank() {
        var accountUsage = ContiguousArray(repeating: 0.0, count: accountCount)
        var members = ContiguousArray(repeating: [Int](), count: accountCount)
        for (index, user) in users.enumerated() {
            accountUsage[user.account] += user.usage
            members[user.account].append(index)
        }
        let total = accountUsage.reduce(0, +)
        let levels = accountUsage.map { Self.levelShare(of: accountCount, usage: $0, among: total) }
        let order = levels.indices.sorted { (-levels[$0], $0) < (-levels[$1], $1) }
        var rank = users.count
        var position = 0
        while position < order.count {
            // Accounts of one value are one: their users compete with each other.
            let level = levels[order[position]]
            var merged: [(user: Int, level: Double)] = []
            while position < order.count, levels[order[position]] == level {
                let account = order[position]
                for user in members[account] {
                    let share = Self.levelShare(
                        of: members[account].count,
                        usage: users[user].usage,
                        among: accountUsage[account]
                    )
                    merged.append((user, share))
                }
                position += 1
            }
            merged.sort { (-$0.level, $0.user) < (-$1.level, $1.user) }
            var shared = rank
            for (place, entry) in merged.enumerated() {
                if place == 0 || entry.level != merged[place - 1].level { shared = rank }
                users[entry.user].factor = Double(shared) / Double(users.count)
                rank -= 1
            }
        }
    }

    /// Shares ÷ usage of one of `siblings` equal siblings, both as parts of all siblings'.
    private static func levelShare(of siblings: Int, usage: Double, among all: Double) -> Double {
        guard usage > 0 else { return .infinity }
        return (1 / Double(siblings)) / (usage / all)
    }
}
