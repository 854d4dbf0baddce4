// Which accounts stand above and below which: one answer for whoever asks.

extension [AccountEntry] {
    /// Where each account stands, by its name.
    public var places: [String: Int] {
        Dictionary(enumerated().map { ($0.element.name, $0.offset) }) { first, _ in first }
    }

    /// Where an account and those above it stand, the nearest first. Ends at what is not there, and where a circle
    /// closes.
    ///
    /// - Parameter place: where an account of a name stands.
    public func chain(from name: String?, _ place: (String) -> Int?) -> [Int] {
        var chain: [Int] = []
        var next = name.flatMap(place)
        while let current = next, !chain.contains(current) {
            chain.append(current)
            next = self[current].parent.flatMap(place)
        }
        return chain
    }

    /// The accounts, each behind those above it, otherwise in their order.
    public var downward: [AccountEntry] {
        let places = self.places
        var isDone = [Bool](repeating: false, count: count)
        var order: [AccountEntry] = []
        order.reserveCapacity(count)
        for account in self {
            for place in chain(from: account.name, { places[$0] }).reversed() where !isDone[place] {
                isDone[place] = true
                order.append(self[place])
            }
        }
        return order
    }

    /// Whether a user looks after an account: is a coordinator of it, or of one above.
    ///
    /// Source: `_fill_user_coordinators` of Slurm's `assoc_mgr.c`.
    public func isCoordinated(
        _ name: String?,
        by user: String,
        _ place: (String) -> Int?
    ) -> Bool {
        chain(from: name, place).contains { self[$0].coordinators.contains(user) }
    }

    /// The accounts that each coordinator looks after, in their order, and of which he is one directly.
    ///
    /// - Complexity: O(accounts · depth).
    public var coordination: [String: [(account: String, isDirect: Bool)]] {
        let places = self.places
        var found: [String: [(account: String, isDirect: Bool)]] = [:]
        for account in self {
            var seen: Set<String> = []
            // Whoever is one of it directly is found before those of the accounts above.
            for (steps, above) in chain(from: account.name, { places[$0] }).enumerated() {
                for user in self[above].coordinators where seen.insert(user).inserted {
                    found[user, default: []].append((account.name, steps == 0))
                }
            }
        }
        return found
    }
}
