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
public struct FairTree: Sendable {
    /// What ranks go by, of one association.
    private struct Standing {
        var meter: UsageMeter
        /// At the last period, with what is below it. Unit: billing · s.
        var usage: UInt64 = 0
        var level = LevelShare.unused
        /// From the last ranking: how many users stand no higher.
        var rank = 0
    }

    /// By the places of associations.
    private var standings: ContiguousArray<Standing> = []
    private var rankedCount = 0
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

    /// The rank of a user as of the last `rank`, and the number of users: their quotient is the
    /// fair-share factor.
    public func standing(_ association: Int32) -> (rank: Int, users: Int) {
        (standings[Int(association)].rank, max(1, rankedCount))
    }

    /// What an association has used, with what is below it, as of the last `rank`. Unit: billing · s.
    public func usage(_ association: Int32) -> UInt64 { standings[Int(association)].usage }

    // MARK: Ranking

    /// Brings the ranks up to date for the period of `now`, if anything has changed.
    ///
    /// - Complexity: O(associations · log siblings).
    public mutating func rank(_ associations: Associations, at now: Int64) {
        let period = decay.periodStart(now)
        guard isStale || period != rankedPeriod else { return }
        isStale = false
        rankedPeriod = period
        let list = associations.list
        // Those below come behind those above.
        var used = standings.map { $0.meter.settled(at: period, decay) }
        for place in list.indices.reversed() {
            // Sums are rounded, not what is summed, so that who used as much has used as much.
            standings[place].usage = UInt64(clamping: (used[place] + 500_000) / 1_000_000)
            if list[place].parent >= 0 { used[Int(list[place].parent)] += used[place] }
        }
        for place in list.indices where !list[place].children.isEmpty {
            let children = list[place].children
            let shares = children.reduce(Int64(0)) { $0 + Int64(list[Int($1)].settings.shares) }
            for child in children {
                standings[Int(child)].level = LevelShare(
                    shares: list[Int(child)].settings.shares,
                    ofAll: shares,
                    usage: standings[Int(child)].usage,
                    ofAll: standings[place].usage
                )
            }
        }
        rankedCount = associations.userCount
        var state = RankState(next: associations.userCount, shared: associations.userCount)
        rank(list[0].children, list, isTied: false, &state)
    }

    private struct RankState {
        /// What the next user gets who ties with nobody.
        var next: Int
        /// What a user gets who ties with the one before.
        var shared: Int
    }

    private mutating func rank(
        _ siblings: [Int32],
        _ list: ContiguousArray<Association>,
        isTied: Bool,
        _ state: inout RankState
    ) {
        let ordered = siblings.sorted { left, right in
            let order = standings[Int(left)].level.order(standings[Int(right)].level)
            if order != 0 { return order > 0 }
            let (first, second) = (list[Int(left)].isUser, list[Int(right)].isUser)
            return first != second ? first : left < right
        }
        var position = 0
        var previous: LevelShare?
        while position < ordered.count {
            let place = Int(ordered[position])
            let level = standings[place].level
            let tiesWithLast = previous.map { $0.order(level) == 0 } ?? isTied
            previous = level
            if list[place].isUser {
                if !tiesWithLast { state.shared = state.next }
                standings[place].rank = state.shared
                state.next -= 1
                position += 1
                continue
            }
            // Accounts of one value are one: what is below them competes with each other.
            var merged = list[place].children
            position += 1
            while position < ordered.count,
                standings[Int(ordered[position])].level.order(level) == 0
            {
                merged += list[Int(ordered[position])].children
                position += 1
            }
            rank(merged, list, isTied: tiesWithLast, &state)
        }
    }
}

/// Shares ÷ usage, both as parts of all siblings': a fraction of integers.
struct LevelShare: Sendable {
    /// Own shares · usage of all; at most 2⁹⁴.
    private var numerator: UInt128
    /// All shares · own usage; 0 for whoever used nothing.
    private var denominator: UInt128

    /// Of one who has shares and used nothing.
    static let unused = LevelShare(shares: 1, ofAll: 1, usage: 0, ofAll: 0)

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
        let left = numerator.multipliedFullWidth(by: other.denominator)
        let right = other.numerator.multipliedFullWidth(by: denominator)
        if left.high != right.high { return left.high < right.high ? -1 : 1 }
        if left.low != right.low { return left.low < right.low ? -1 : 1 }
        return 0
    }
}
