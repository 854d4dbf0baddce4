/// Who used how much, and what that leaves them: Slurm's Fair Tree over `Associations`.
///
/// Each level compares siblings by shares ÷ usage; users are ranked depth first, and the factor of a
/// user is rank ÷ users. Siblings with one value are ranked together: their children are merged, and
/// at one value users go before accounts.
///
/// Source: Cox, Morrison, "Fair Tree: Fairshare Algorithm for Slurm", Slurm User Group 2014;
/// https://slurm.schedmd.com/fair_tree.html; `src/plugins/priority/multifactor/fair_tree.c`. Usage is
/// what weighs for billing · s, forgotten as `UsageDecay` says, brought up to date at whole periods.
/// Values are compared as fractions of integers, so no rounding decides who goes first.
///
/// Most of the time only the place of a few users matters. So `settle` only sums up what was used; who
/// stands where among siblings is decided when somebody is asked for, contest by contest on the way down
/// to them, and kept until the next period.
public struct FairTree: Sendable, Codable {
    /// What ranks go by, of one association.
    private struct Standing: Codable {
        var meter: UsageMeter
        /// At the last period, with what is below it. Unit: billing · s.
        var usage: UInt64 = 0
        /// How many users stand no higher; 0 as long as nobody has asked.
        var rank: Int32 = 0
        /// How many users are below it, itself included.
        var users: Int32 = 0
        /// Of an account: in which contest those below it stand; −1 as long as nobody has asked.
        var contest: Int32 = -1
        /// The begin of the period in which it was added to those that were ranked already.
        var newcomerOf: Int64?
    }

    /// Those below accounts of one value, who compete with each other.
    private struct Contest: Codable {
        var accounts: [Int32]
        /// Whether the first of them ties with a user who stands before the accounts.
        var isTied: Bool
        /// The rank of that user.
        var shared: Int32
        /// What the first of them gets who ties with nobody.
        var next: Int32
        /// Whether their ranks are known.
        var isOver = false
    }

    /// By the places of associations.
    private var standings: ContiguousArray<Standing> = []
    private var contests: ContiguousArray<Contest> = []
    /// The users and the associations that the last `settle` has seen.
    private var rankedCount = 0
    private var settledCount = 0
    private var isStale = false
    /// The begin of the period of the last ranking, and of the last `tick`.
    private var rankedPeriod: Int64?
    private var lastPeriod: Int64?
    private let decay: UsageDecay

    /// Makes a tree in which nobody has used anything.
    public init(_ decay: UsageDecay) {
        self.decay = decay
    }

    /// Takes note of associations that are new.
    public mutating func admit(_ associations: Associations, at now: Int64) {
        while standings.count < associations.list.count {
            standings.append(Standing(meter: UsageMeter(at: now)))
            isStale = true
        }
    }

    /// Takes note that an association was added while the others were ranked already: until the next period
    /// nobody has computed anything of it, and its factor is 0, as in Slurm.
    ///
    /// Source: `_decay_thread` of `src/plugins/priority/multifactor/priority_multifactor.c`.
    public mutating func noteNewcomer(_ association: Int32, at now: Int64) {
        standings[Int(association)].newcomerOf = decay.periodStart(now)
    }

    /// Whether nothing was computed of an association yet, as of the last `settle`.
    public func isNewcomer(_ association: Int32) -> Bool {
        standings[Int(association)].newcomerOf.map { $0 == rankedPeriod } ?? false
    }

    /// Shares have changed.
    public mutating func noteChange() { isStale = true }

    /// Notes that jobs of a user hold more from now on, or less.
    ///
    /// - Parameter billing: what it weighs.
    public mutating func change(_ association: Int32, by billing: Int64, at now: Int64) {
        standings[Int(association)].meter.change(by: billing, at: now, decay)
    }

    /// Whether a period has ended since the last call.
    public mutating func tick(at now: Int64) -> Bool {
        let current = decay.periodStart(now)
        guard let last = lastPeriod, current <= last else {
            lastPeriod = current
            return true
        }
        return false
    }

    /// The rank of a user as of the last `settle`, and the number of users: their quotient is the
    /// fair-share factor. The rank is 0 as long as neither `place` nor `rank` has found it, and that of a
    /// newcomer.
    public func standing(_ association: Int32) -> (rank: Int, users: Int) {
        let rank = isNewcomer(association) ? 0 : Int(standings[Int(association)].rank)
        return (rank, max(1, rankedCount))
    }

    /// What an association has used, with what is below it, as of the last `settle`. Unit: billing · s.
    public func usage(_ association: Int32) -> UInt64 { standings[Int(association)].usage }

    /// What each association has used by an instant, without what is below it. Unit: billing · s.
    public func used(at now: Int64) -> [UInt64] {
        standings.map { $0.meter.usedSeconds(at: now, decay) }
    }

    /// The begin of the period of an instant. Unit: µs since the epoch.
    public func periodStart(of now: Int64) -> Int64 { decay.periodStart(now) }

    // MARK: Ranking

    /// Brings what was used up to date for the period of `now`, if anything has changed; ranks are
    /// forgotten then.
    ///
    /// - Complexity: O(associations).
    public mutating func settle(_ associations: Associations, at now: Int64) {
        let period = decay.periodStart(now)
        guard isStale || period != rankedPeriod else { return }
        admit(associations, at: now)
        isStale = false
        rankedPeriod = period
        let moment = decay.moment(period)
        let list = associations.list
        var used = ContiguousArray<UInt128>(repeating: 0, count: standings.count)
        var isInOrder = true
        for place in list.indices {
            used[place] = standings[place].meter.settled(at: moment, decay)
            standings[place].rank = 0
            standings[place].users = list[place].isUser ? 1 : 0
            standings[place].contest = -1
            if Int(list[place].parent) > place { isInOrder = false }
        }
        // Those below come behind those above, unless an account was moved.
        if isInOrder {
            for place in list.indices.reversed() { passUp(place, &used, list) }
        } else {
            for place in associations.upward() { passUp(Int(place), &used, list) }
        }
        rankedCount = associations.userCount
        settledCount = list.count
        contests.removeAll(keepingCapacity: true)
        let count = Int32(associations.userCount)
        contests.append(Contest(accounts: [0], isTied: false, shared: count, next: count))
        standings[0].contest = 0
    }

    /// Adds what was used at a place to what is above it.
    @inline(__always)
    private mutating func passUp(
        _ place: Int,
        _ used: inout ContiguousArray<UInt128>,
        _ list: ContiguousArray<Association>
    ) {
        // Sums are rounded, not what is summed, so that who used as much has used as much.
        standings[place].usage = Self.rounded(used[place])
        let parent = Int(list[place].parent)
        guard parent >= 0 else { return }
        used[parent] += used[place]
        standings[parent].users += standings[place].users
    }

    /// Unit: millionths of the result.
    private static func rounded(_ used: UInt128) -> UInt64 {
        let sum = used + 500_000
        // Few sums are so long that they need the long division.
        guard let short = UInt64(exactly: sum) else { return UInt64(clamping: sum / 1_000_000) }
        return short / 1_000_000
    }

    /// Finds the rank of a user as of the last `settle`, if that has seen it.
    public mutating func place(_ association: Int32, _ associations: Associations) {
        guard Int(association) < settledCount, standings[Int(association)].rank == 0 else { return }
        decideContest(below: associations.list[Int(association)].parent, associations.list)
    }

    /// Settles, and finds the ranks of all users.
    ///
    /// - Complexity: O(associations · log siblings).
    public mutating func rank(_ associations: Associations, at now: Int64) {
        settle(associations, at: now)
        var next = 0
        while next < contests.count {
            if !contests[next].isOver { decide(next, associations.list) }
            next += 1
        }
    }

    /// Ranks those below an account, and before that those whom its place depends on.
    private mutating func decideContest(below account: Int32, _ list: ContiguousArray<Association>)
    {
        guard account >= 0 else { return }
        if standings[Int(account)].contest < 0 {
            decideContest(below: list[Int(account)].parent, list)
        }
        let contest = Int(standings[Int(account)].contest)
        if !contests[contest].isOver { decide(contest, list) }
    }

    private struct Candidate {
        var place: Int32
        var isUser: Bool
        var level: LevelShare

        /// By level; at one value users go before accounts, then who came first.
        static func goesBefore(_ left: Candidate, _ right: Candidate) -> Bool {
            let order = left.level.order(right.level)
            if order != 0 { return order > 0 }
            return left.isUser != right.isUser ? left.isUser : left.place < right.place
        }
    }

    private mutating func decide(_ number: Int, _ list: ContiguousArray<Association>) {
        contests[number].isOver = true
        var contest = contests[number]
        let ordered = candidates(contest.accounts, list).sorted(by: Candidate.goesBefore)
        var position = 0
        var previous: LevelShare?
        while position < ordered.count {
            let (place, level) = (Int(ordered[position].place), ordered[position].level)
            let tiesWithLast = previous.map { $0.order(level) == 0 } ?? contest.isTied
            previous = level
            if ordered[position].isUser {
                if !tiesWithLast { contest.shared = contest.next }
                standings[place].rank = contest.shared
                contest.next -= 1
                position += 1
                continue
            }
            // Accounts of one value are one: what is below them competes with each other.
            var below = contest
            (below.accounts, below.isTied, below.isOver) = ([], tiesWithLast, false)
            repeat {
                let account = ordered[position].place
                below.accounts.append(account)
                standings[Int(account)].contest = Int32(contests.count)
                contest.next -= standings[Int(account)].users
                position += 1
            } while position < ordered.count && ordered[position].level.order(level) == 0
            contests.append(below)
        }
    }

    private func candidates(
        _ accounts: [Int32],
        _ list: ContiguousArray<Association>
    ) -> ContiguousArray<Candidate> {
        var candidates: ContiguousArray<Candidate> = []
        for account in accounts {
            // Who came since counts from the next ranking on, with shares and rank.
            let children = list[Int(account)].children.filter { Int($0) < settledCount }
            let shares = children.reduce(Int64(0)) { $0 + Int64(list[Int($1)].settings.shares) }
            for child in children {
                let level = LevelShare(
                    shares: list[Int(child)].settings.shares,
                    ofAll: shares,
                    usage: standings[Int(child)].usage,
                    ofAll: standings[Int(account)].usage
                )
                candidates.append(
                    Candidate(place: child, isUser: list[Int(child)].isUser, level: level)
                )
            }
        }
        return candidates
    }
}

/// Shares ÷ usage, both as parts of all siblings': a fraction of integers.
struct LevelShare: Sendable, Codable {
    /// Own shares · usage of all; at most 2⁹⁴.
    private var numerator: UInt128
    /// All shares · own usage; 0 for whoever used nothing.
    private var denominator: UInt128

    init(shares: Int32, ofAll allShares: Int64, usage: UInt64, ofAll allUsage: UInt64) {
        guard shares > 0 else {
            // Nothing to be entitled to: behind everybody, used or not.
            (numerator, denominator) = (0, 1)
            return
        }
        numerator = usage == 0 ? 1 : UInt128(shares) * UInt128(allUsage)
        denominator = UInt128(allShares) * UInt128(usage)
    }

    /// Above 0 when this value is the higher, below 0 when it is the lower, 0 when they are equal.
    func order(_ other: LevelShare) -> Int {
        // An infinite value stands above all finite ones, beside other infinite ones.
        if denominator == 0 || other.denominator == 0 {
            return (denominator == 0 ? 1 : 0) - (other.denominator == 0 ? 1 : 0)
        }
        if (numerator | denominator | other.numerator | other.denominator) >> 64 == 0 {
            let (left, right) = (numerator * other.denominator, other.numerator * denominator)
            return left == right ? 0 : left < right ? -1 : 1
        }
        let left = numerator.multipliedFullWidth(by: other.denominator)
        let right = other.numerator.multipliedFullWidth(by: denominator)
        if left.high != right.high { return left.high < right.high ? -1 : 1 }
        if left.low != right.low { return left.low < right.low ? -1 : 1 }
        return 0
    }
}
