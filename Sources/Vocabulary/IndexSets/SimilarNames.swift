/// The candidates that somebody who wrote `name` may have meant, best first, three at most.
public func similarNames(to name: String, among candidates: [String]) -> [String] {
    // Nobody mistypes a name of that length, and distances take the product of two.
    guard name.utf8.count <= 64 else { return [] }
    let wanted = Array(name.lowercased().utf8)
    // A third of the letters may be wrong, and one always.
    let tolerance = max(1, wanted.count / 3)
    var scored: [(distance: Int, name: String)] = []
    for candidate in candidates {
        let letters = Array(candidate.lowercased().utf8)
        let isPart = wanted.count >= 3 && candidate.lowercased().contains(name.lowercased())
        let edits = editDistance(wanted, letters)
        let distance = isPart ? min(edits, tolerance) : edits
        if distance <= tolerance { scored.append((distance, candidate)) }
    }
    return scored.sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }.prefix(3).map(\.name)
}

/// The fewest letters to insert, delete or replace, or neighbours to exchange, no letter twice (optimal
/// string alignment). O(n·m).
private func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...right.count)
    for (i, a) in left.enumerated() {
        var row = [i + 1]
        for (j, b) in right.enumerated() {
            var least = min(last[j] + (a == b ? 0 : 1), row[j] + 1, last[j + 1] + 1)
            if i > 0, j > 0, a == right[j - 1], left[i - 1] == b {
                least = min(least, beforeLast[j - 1] + 1)
            }
            row.append(least)
        }
        (beforeLast, last) = (last, row)
    }
    return last[right.count]
}

/// What to add to a message about a name that is not known: ` (did you mean 'a' or 'b'?)`, or nothing.
public func didYouMean(_ similar: [String]) -> String {
    guard !similar.isEmpty else { return "" }
    return " (did you mean \(similar.map { "'\($0)'" }.joined(separator: " or "))?)"
}

/// The same for `name` among `candidates`.
public func didYouMean(_ name: String, among candidates: [String]) -> String {
    didYouMean(similarNames(to: name, among: candidates))
}
