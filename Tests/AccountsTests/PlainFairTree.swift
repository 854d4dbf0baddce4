import Accounts

/// The plain twin of `FairTree`: everybody ranked depth first, at once, from usages that are given.
struct PlainFairTree {
    /// By the places of associations; with what is below them. Unit: billing · s.
    let usages: [UInt64]
    let list: ContiguousArray<Association>
    private(set) var ranks: [Int]
    private var next: Int
    private var shared: Int

    init(_ associations: Associations, usages: [UInt64]) {
        self.usages = usages
        list = associations.list
        ranks = Array(repeating: 0, count: list.count)
        next = associations.userCount
        shared = associations.userCount
        rank(list[0].children, isTied: false)
    }

    /// Shares ÷ usage as parts of those of all siblings: own shares · usage of all, all shares · own usage.
    private func level(_ place: Int32) -> (UInt128, UInt128) {
        let parent = Int(list[Int(place)].parent)
        let shares = list[Int(place)].settings.shares
        if shares == 0 { return (0, 1) }
        let all = list[parent].children.reduce(0) { $0 + Int(list[Int($1)].settings.shares) }
        let own = usages[Int(place)]
        let numerator = own == 0 ? 1 : UInt128(shares) * UInt128(usages[parent])
        return (numerator, UInt128(all) * UInt128(own))
    }

    /// Whether the first is higher, with what is unused above all.
    private func isHigher(_ left: Int32, _ right: Int32) -> Bool {
        let (one, other) = (level(left), level(right))
        if one.1 == 0 || other.1 == 0 { return one.1 == 0 && other.1 != 0 }
        let products = (
            one.0.multipliedFullWidth(by: other.1), other.0.multipliedFullWidth(by: one.1)
        )
        return (products.0.high, products.0.low) > (products.1.high, products.1.low)
    }

    private func areEqual(_ left: Int32, _ right: Int32) -> Bool {
        !isHigher(left, right) && !isHigher(right, left)
    }

    private mutating func rank(_ siblings: [Int32], isTied: Bool) {
        let ordered = siblings.sorted { left, right in
            if !areEqual(left, right) { return isHigher(left, right) }
            let isUser = (list[Int(left)].isUser, list[Int(right)].isUser)
            return isUser.0 != isUser.1 ? isUser.0 : left < right
        }
        var previous: Int32?
        var position = 0
        while position < ordered.count {
            let place = ordered[position]
            let tiesWithLast = previous.map { areEqual($0, place) } ?? isTied
            previous = place
            if list[Int(place)].isUser {
                if !tiesWithLast { shared = next }
                ranks[Int(place)] = shared
                next -= 1
                position += 1
                continue
            }
            var merged: [Int32] = []
            while position < ordered.count, areEqual(ordered[position], place) {
                merged += list[Int(ordered[position])].children
                position += 1
            }
            rank(merged, isTied: tiesWithLast)
        }
    }
}
