import Accounts
import Testing

@Suite("Fair Tree")
struct FairTreeTests {
    private let hour: Int64 = 3_600_000_000
    private var associations = Associations()
    private var tree = FairTree(UsageDecay(halfLifeSeconds: 7 * 86_400, periodSeconds: 300))

    private mutating func users(_ names: [(account: Int32, user: Int32)]) -> [Int32] {
        let places = names.map { associations.user($0.user, of: $0.account) }
        tree.admit(associations, at: 0)
        return places
    }

    /// The ranks of four users, after each of them held so many cores for an hour.
    private mutating func ranks(_ users: [Int32], after cores: [Int64]) -> [Int] {
        for (user, held) in zip(users, cores) { tree.change(user, by: held, at: 0) }
        tree.rank(associations, at: hour)
        return users.map { tree.standing($0).rank }
    }

    private let pairs: [(account: Int32, user: Int32)] = [(0, 0), (0, 1), (1, 2), (1, 3)]

    @Test("nobody has used anything: all have the whole factor")
    mutating func unused() {
        let places = users(pairs)
        #expect(ranks(places, after: [0, 0, 0, 0]) == [4, 4, 4, 4])
    }

    @Test("users of the account that used less go first, whatever they used themselves")
    mutating func accountsFirst() {
        let places = users(pairs)
        // Ranks: 2 before 3 (account 1 used 5 of 15), then 1 before 0.
        #expect(ranks(places, after: [10, 0, 2, 3]) == [1, 2, 4, 3])
    }

    @Test("accounts of one value are merged, users of one value share a rank")
    mutating func ties() {
        let places = users(pairs)
        // Both accounts used 4: (1, 3) and (2, 2).
        #expect(ranks(places, after: [1, 3, 2, 2]) == [4, 1, 3, 3])
    }

    @Test("who is added to others has no factor until the next period")
    mutating func newcomers() {
        let old = users(pairs)
        tree.rank(associations, at: hour)
        let new = users([(1, 4)])[0]
        tree.noteNewcomer(new, at: hour)
        tree.rank(associations, at: hour + 1)
        #expect(tree.isNewcomer(new) && !tree.isNewcomer(old[0]))
        #expect(tree.standing(new).rank == 0)
        #expect(tree.standing(old[0]).rank == 5)
        tree.rank(associations, at: hour + 300_000_000)
        #expect(!tree.isNewcomer(new) && tree.standing(new).rank == 5)
    }

    @Test("shares weigh what was used")
    mutating func shares() {
        let places = users(pairs)
        associations.set(associations.account(0), to: AssociationSettings(shares: 3))
        associations.set(places[0], to: AssociationSettings(shares: 2))
        tree.noteChange()
        // Account 0 used 8 with three shares of four, account 1 used 4 with one; in account 0 both
        // used 4, and user 0 has twice the shares.
        #expect(ranks(places, after: [4, 4, 1, 3]) == [4, 3, 2, 1])
    }

    @Test("accounts stand in accounts, and a user goes before an account of one value")
    mutating func depth() {
        // The root has user 9 of account 7 beside accounts 8 and, below 8, account 1.
        tree = FairTree(UsageDecay(halfLifeSeconds: 0, periodSeconds: 300))
        let above = associations.account(8)
        associations.add(account: 1, below: above)
        let places = users([(7, 9), (8, 4), (1, 5), (1, 6)])
        // Accounts 7 and 8 used 6 each and are merged; of them users 9 and 4 and account 1 have what
        // they are entitled to, so they share a rank, and the first of account 1 shares it too.
        #expect(ranks(places, after: [6, 3, 2, 1]) == [4, 4, 1, 4])
    }

    @Test("usage halves in a half-life")
    mutating func decay() {
        tree = FairTree(UsageDecay(halfLifeSeconds: 7_200, periodSeconds: 3_600))
        let places = users([(0, 0), (1, 1)])
        // 3 core-hours at first; two half-lives later they count 3/4 core-hours.
        tree.change(places[0], by: 3, at: 0)
        tree.rank(associations, at: hour)
        #expect(places.map { tree.standing($0).rank } == [1, 2])
        tree.change(places[0], by: -3, at: hour)
        tree.change(places[1], by: 1, at: 4 * hour)
        tree.rank(associations, at: 5 * hour)
        #expect(places.map { tree.standing($0).rank } == [2, 1])
        #expect(tree.usage(places[0]) == 2_700)
        #expect(tree.usage(places[1]) == 3_600)
    }

    @Test("usage is set to zero at the begin of a period")
    mutating func reset() {
        let rule = UsageDecay(halfLifeSeconds: 0, periodSeconds: 3_600, reset: .daily)
        tree = FairTree(rule)
        let places = users([(0, 0)])
        tree.change(places[0], by: 1, at: 0)
        // Midnight in China is 16:00 UTC.
        tree.rank(associations, at: 15 * hour)
        #expect(tree.usage(places[0]) == 15 * 3_600)
        tree.rank(associations, at: 18 * hour)
        #expect(tree.usage(places[0]) == 2 * 3_600)
    }
}
