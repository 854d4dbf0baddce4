import Accounts
import Determinism
import Testing

/// Fair Tree beside its plain twin: whoever is asked for, in whatever order, while use, people and shares
/// change.
@Suite("Fair Tree beside its plain twin")
struct FairTreeTwinTests {
    private static let period: Int64 = 300_000_000

    /// A centre that grows and works.
    private struct Centre {
        var random: SplitMix64
        var associations = Associations()
        var tree: FairTree
        /// What users hold and have used, by their places.
        var meters: [Int32: UsageMeter] = [:]
        var held: [Int32: Int64] = [:]
        var users: [Int32] = []
        var accountCount: Int32 = 0
        let decay: UsageDecay
        /// How many kinds of amounts there are: few make ties.
        let amounts: Int

        init(seed: UInt64) {
            random = SplitMix64(seed: seed, stream: "fair tree")
            let reset: UsageDecay.Reset = random.draw(0...3) == 0 ? .daily : .none
            decay = UsageDecay(
                halfLifeSeconds: random.draw(0...1) * random.draw(600...600_000),
                periodSeconds: 300,
                reset: reset
            )
            amounts = [1, 3, 1_000_000][random.draw(0...2)]
            tree = FairTree(decay)
        }

        mutating func grow(at now: Int64) {
            if accountCount == 0 || random.draw(0...2) == 0 {
                let above = random.draw(0...Int(accountCount)) - 1
                let place = associations.add(
                    account: accountCount,
                    below: above < 0 ? 0 : associations.account(Int32(above))
                )
                accountCount += 1
                share(place)
            }
            let account = Int32(random.draw(0...Int(accountCount - 1)))
            let user = associations.user(Int32(users.count), of: account)
            users.append(user)
            meters[user] = UsageMeter(at: now)
            share(user)
            tree.admit(associations, at: now)
        }

        /// Moves an account below another, or below the root.
        mutating func move() {
            let account = Int32(random.draw(0...Int(accountCount - 1)))
            let above = Int32(random.draw(0...Int(accountCount)) - 1)
            guard above != account else { return }
            let place = associations.account(account)
            associations.move(place, below: above < 0 ? 0 : associations.account(above))
            tree.noteChange()
        }

        mutating func share(_ place: Int32) {
            guard random.draw(0...1) == 0 else { return }
            associations.set(place, to: AssociationSettings(shares: Int32(random.draw(0...3))))
            tree.noteChange()
        }

        mutating func work(at now: Int64) {
            let user = users[random.draw(0...(users.count - 1))]
            let has = held[user, default: 0]
            let change = has > 0 && random.draw(0...1) == 0 ? -has : Int64(random.draw(1...amounts))
            held[user] = has + change
            tree.change(user, by: change, at: now)
            meters[user]?.change(by: change, at: now, decay)
        }

        /// What everybody has used by the begin of the period of `now`.
        func usages(at now: Int64) -> [UInt64] {
            let start = now / FairTreeTwinTests.period * FairTreeTwinTests.period
            var used = [UInt128](repeating: 0, count: associations.list.count)
            for (user, meter) in meters { used[Int(user)] = meter.settled(at: start, decay) }
            // The plain way: each passes what is its own to all above.
            for (place, own) in used.enumerated() {
                for above in associations.chain(from: Int32(place)).dropFirst() {
                    used[Int(above)] += own
                }
            }
            return used.map { UInt64(($0 + 500_000) / 1_000_000) }
        }
    }

    @Test("gives the same ranks", arguments: 1...300 as ClosedRange<UInt64>)
    func twin(seed: UInt64) {
        var centre = Centre(seed: seed)
        var now: Int64 = 0
        for _ in 0..<20 {
            now +=
                Int64(centre.random.draw(0...3)) * Self.period
                + Int64(centre.random.draw(0...299)) * 1_000_000
            for _ in 0..<centre.random.draw(0...4) { centre.grow(at: now) }
            guard !centre.users.isEmpty else { continue }
            if centre.random.draw(0...4) == 0 {
                let places = centre.associations.list.count - 1
                centre.share(Int32(centre.random.draw(1...places)))
            }
            if seed % 2 == 0, centre.random.draw(0...2) == 0 { centre.move() }
            centre.tree.settle(centre.associations, at: now)
            let plain = PlainFairTree(centre.associations, usages: centre.usages(at: now))
            if centre.random.draw(0...3) == 0 { centre.tree.rank(centre.associations, at: now) }
            for _ in 0..<centre.random.draw(1...6) {
                let user = centre.users[centre.random.draw(0...(centre.users.count - 1))]
                centre.tree.place(user, centre.associations)
                let (rank, count) = centre.tree.standing(user)
                #expect(rank == plain.ranks[Int(user)], "seed \(seed), user \(user) at \(now)")
                #expect(count == centre.users.count, "seed \(seed)")
                #expect(centre.tree.usage(user) == plain.usages[Int(user)], "seed \(seed)")
                // What happens later in a period changes no rank of it.
                centre.work(at: now)
            }
            for _ in 0..<centre.random.draw(0...8) { centre.work(at: now) }
        }
        guard !centre.users.isEmpty else { return }
        now += 7 * Self.period
        centre.tree.rank(centre.associations, at: now)
        let plain = PlainFairTree(centre.associations, usages: centre.usages(at: now))
        for user in centre.users {
            #expect(
                centre.tree.standing(user).rank == plain.ranks[Int(user)],
                "seed \(seed), user \(user) at the end"
            )
        }
    }

    @Test("who came after the last settlement has no rank, and those before keep theirs")
    func newcomer() {
        var associations = Associations()
        var tree = FairTree(UsageDecay(halfLifeSeconds: 0, periodSeconds: 300))
        let old = associations.user(0, of: 0)
        tree.settle(associations, at: 0)
        let new = associations.user(1, of: 0)
        tree.admit(associations, at: 0)
        tree.place(new, associations)
        tree.place(old, associations)
        #expect(tree.standing(new).rank == 0)
        #expect(tree.standing(old) == (1, 1))
        tree.settle(associations, at: 0)
        tree.place(new, associations)
        #expect(tree.standing(new) == (2, 2))
    }

    @Test("an account that is moved takes its users along, and one below it takes its place first")
    func moves() {
        var associations = Associations()
        let top = associations.add(account: 0, below: 0)
        let middle = associations.add(account: 1, below: top)
        let low = associations.add(account: 2, below: middle)
        let other = associations.add(account: 3, below: 0)
        let user = associations.user(0, of: 2)
        #expect(associations.move(middle, below: other) == [top, other])
        #expect(associations.chain(from: user) == [user, low, middle, other, 0])
        #expect(associations.list[Int(top)].children.isEmpty)
        #expect(associations.move(middle, below: other).isEmpty)
        #expect(associations.move(other, below: low) == [low, other])
        #expect(associations.chain(from: middle) == [middle, other, low, 0])
        #expect(associations.chain(from: user) == [user, low, 0])
        #expect(associations.upward() == [top, user, middle, other, low, 0])
    }
}
