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
        /// Decayed usage at the last period. Unit: core-s.
        var usage = 0.0
        /// Usage since then. Unit: core-s.
        var accrued = 0.0
        /// The cores that its running jobs hold.
        var cores: Int64 = 0
        /// When `accrued` was brought up to date. Unit: µs since the epoch.
        var updated: Int64
        /// Shares ÷ usage among its siblings.
        var level = Double.infinity
        var factor = 1.0
    }

    private struct Account {
        /// Its users, in the order of the last ranking.
        var members: [Int] = []
        var usage = 0.0
        var level = Double.infinity
    }

    /// Names of an association: only looked up.
    private struct Name: Hashable {
        var account: Int32
        var user: Int32
    }

    private var users: ContiguousArray<User> = []
    private var indices: [Name: Int] = [:]
    private var accounts: ContiguousArray<Account> = []
    private var accountIndices: [Int32: Int] = [:]
    /// The accounts in the order of the last ranking.
    private var accountOrder: [Int] = []
    private var isStale = false
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
        let place = accountIndices[account] ?? accounts.count
        if place == accounts.count {
            accountIndices[account] = place
            accountOrder.append(place)
            accounts.append(Account())
        }
        accounts[place].members.append(index)
        users.append(User(updated: now))
        isStale = true
        return Int32(index)
    }

    /// Notes that jobs of an association hold more cores from now on, or fewer.
    public mutating func change(_ association: Int32, byCores cores: Int64, at now: Int64) {
        let index = Int(association)
        accrue(index, to: now)
        users[index].cores += cores
    }

    /// The factor of an association, from 0 to 1, as of the last `rank`.
    public func factor(_ association: Int32) -> Double { users[Int(association)].factor }

    /// Whether a period has ended since the last call; usage is then brought up to date.
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
            users[index].usage = users[index].usage * factor + users[index].accrued
            users[index].accrued = 0
        }
        isStale = true
        return true
    }

    private mutating func accrue(_ index: Int, to now: Int64) {
        users[index].accrued +=
            Double(users[index].cores) * (Double(now - users[index].updated) / 1e6)
        users[index].updated = now
    }

    // MARK: Ranking

    /// Brings the factors up to date, if anything has changed.
    ///
    /// - Complexity: O(users) when the order of siblings hardly changed since the last time.
    public mutating func rank() {
        guard isStale else { return }
        isStale = false
        var total = 0.0
        for account in accounts.indices {
            var usage = 0.0
            for user in accounts[account].members { usage += users[user].usage }
            accounts[account].usage = usage
            total += usage
        }
        for account in accounts.indices {
            let (usage, members) = (accounts[account].usage, accounts[account].members)
            accounts[account].level = Self.levelShare(
                of: accounts.count,
                usage: usage,
                among: total
            )
            for user in members {
                users[user].level = Self.levelShare(
                    of: members.count,
                    usage: users[user].usage,
                    among: usage
                )
            }
        }
        Self.settle(&accountOrder) { accounts[$0].level }
        var rank = users.count
        var position = 0
        while position < accountOrder.count {
            let first = accountOrder[position]
            let level = accounts[first].level
            var next = position + 1
            while next < accountOrder.count, accounts[accountOrder[next]].level == level {
                next += 1
            }
            if next == position + 1 {
                Self.settle(&accounts[first].members) { users[$0].level }
                hand(out: &rank, to: accounts[first].members)
            } else {
                // Accounts of one value are one: their users compete with each other.
                var merged: [Int] = []
                for place in position..<next { merged += accounts[accountOrder[place]].members }
                merged.sort { (-users[$0].level, $0) < (-users[$1].level, $1) }
                hand(out: &rank, to: merged)
            }
            position = next
        }
    }

    /// Gives users in the order of their levels the next ranks; those of one level share a rank.
    private mutating func hand(out rank: inout Int, to ordered: [Int]) {
        var shared = rank
        var previous: Double?
        for user in ordered {
            if users[user].level != previous { shared = rank }
            previous = users[user].level
            users[user].factor = Double(shared) / Double(users.count)
            rank -= 1
        }
    }

    /// Sorts by level, the highest first, then by number: insertion sort, since the order of the
    /// last time is nearly right.
    private static func settle(_ order: inout [Int], level: (Int) -> Double) {
        for index in order.indices.dropFirst() {
            let moved = order[index]
            let value = level(moved)
            var place = index
            while place > 0, (-value, moved) < (-level(order[place - 1]), order[place - 1]) {
                order[place] = order[place - 1]
                place -= 1
            }
            order[place] = moved
        }
    }

    /// Shares ÷ usage of one of `siblings` equal siblings, both as parts of all siblings'.
    private static func levelShare(of siblings: Int, usage: Double, among all: Double) -> Double {
        guard usage > 0 else { return .infinity }
        return (1 / Double(siblings)) / (usage / all)
    }
}
