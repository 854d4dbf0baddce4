import Determinism

/// What users ask for: few round values, the longest one above all, and never less than the run.
///
/// Source: Tsafrir, Etsion and Feitelson, "Modeling User Runtime Estimates", JSSPP 2005: 20 values hold
/// 89 % of the jobs, the others lie along a curve, and which job gets which is drawn so that no run is
/// longer than its estimate. Which round values are popular is assumed.
struct EstimateModel {
    /// The longest estimate. Unit: min.
    let longest: Int
    private let seed: UInt64

    init(longestMinutes: Int, seed: UInt64) {
        longest = longestMinutes
        self.seed = seed
    }

    /// The values users write most after the longest, by popularity. Unit: min.
    private static let popular = [
        60, 240, 120, 1440, 720, 30, 480, 20, 360, 10, 180, 2160, 600, 15, 1080, 90, 40, 5, 300,
    ]

    /// The share of the jobs that the value of a rank from 2 on holds. Unit: 1/1,000,000.
    private static func share(ofRank rank: Int) -> Int {
        let decay = ReproducibleMath.exponential(-0.177531 * Double(rank))
        return Int((1e4 * (14.0491 * decay + 0.462513)).rounded())
    }

    /// How many of `jobCount` jobs ask for each number of minutes.
    func counts(jobCount: Int) -> [Int] {
        var counts = [Int](repeating: 0, count: longest + 1)
        let head = [longest] + Self.popular.filter { $0 < longest }
        var given = 0
        for (place, minutes) in head.enumerated().dropFirst() {
            let count = jobCount * Self.share(ofRank: place + 1) / 1_000_000
            counts[minutes] = count
            given += count
        }
        let others = (2...20).reduce(0) { $0 + Self.share(ofRank: $1) }
        counts[longest] = jobCount * (890_000 - others) / 1_000_000
        given += counts[longest]
        let tail = tailValues(jobCount: jobCount, without: Set(head))
        let weights = tail.indices.map { ReproducibleMath.power(Double($0 + 21), -2.267) }
        let sum = weights.reduce(0, +)
        let rest = Double(jobCount - given)
        for (minutes, weight) in zip(tail, weights) {
            let count = Int(rest * weight / sum)
            counts[minutes] += count
            given += count
        }
        counts[longest] += jobCount - given
        return counts
    }

    /// The values of the tail along Tsafrir's curve, in an order drawn at random.
    private func tailValues(jobCount: Int, without head: Set<Int>) -> [Int] {
        let wanted = 0.653566 * ReproducibleMath.power(Double(max(1, jobCount)), 0.547761)
        let a = 1 + 12.1039 * ReproducibleMath.power(wanted, -0.6026)
        var seen = head
        var values: [Int] = []
        for value in stride(from: 1, through: Int(wanted), by: 1) {
            let x = Double(value) / wanted
            let minutes = Int(((a - 1) * x / (a - x) * Double(longest)).rounded())
            if (1...longest).contains(minutes), seen.insert(minutes).inserted {
                values.append(minutes)
            }
        }
        var chance = SplitMix64(seed: seed, stream: "estimates: tail")
        for last in values.indices.reversed() where last > 0 {
            values.swapAt(last, Int(chance.below(UInt64(last) + 1)))
        }
        return values
    }

    /// An estimate for each job: from the longest run down, one at random of those left that are long
    /// enough; where none is, the longest. Unit: min.
    ///
    /// - Parameter runs: unit: s, not longer than the longest estimate.
    func estimates(of runs: ContiguousArray<Int32>) -> ContiguousArray<UInt16> {
        var tree = CountTree(counts(jobCount: runs.count))
        var order = ContiguousArray<Int32>(repeating: 0, count: runs.count)
        var first = ContiguousArray<Int32>(repeating: 0, count: longest * 60 + 2)
        for run in runs { first[longest * 60 - Int(run) + 1] += 1 }
        for time in 0...(longest * 60) { first[time + 1] += first[time] }
        for job in runs.indices {
            let place = longest * 60 - Int(runs[job])
            order[Int(first[place])] = Int32(job)
            first[place] += 1
        }
        var minutes = ContiguousArray<UInt16>(repeating: UInt16(longest), count: runs.count)
        var chance = SplitMix64(seed: seed, stream: "estimates")
        for job in order {
            let shortest = (Int(runs[Int(job)]) + 59) / 60
            let tooShort = tree.count(below: shortest)
            let left = tree.total - tooShort
            // More long runs than long estimates: this one asks for all it can.
            guard left > 0 else { continue }
            let place = tooShort + Int(chance.below(UInt64(left)))
            minutes[Int(job)] = UInt16(tree.take(at: place))
        }
        return minutes
    }
}

/// Counts of things by a small number, of which one after another is taken out.
private struct CountTree {
    private let leafCount: Int
    private var nodes: ContiguousArray<Int>

    init(_ counts: [Int]) {
        var leaves = 1
        while leaves < counts.count { leaves *= 2 }
        leafCount = leaves
        nodes = ContiguousArray(repeating: 0, count: 2 * leaves)
        for (index, count) in counts.enumerated() { nodes[leaves + index] = count }
        for node in stride(from: leaves - 1, to: 0, by: -1) {
            nodes[node] = nodes[2 * node] + nodes[2 * node + 1]
        }
    }

    var total: Int { nodes[1] }

    func count(below number: Int) -> Int {
        var sum = 0
        var node = leafCount + number
        while node > 1 {
            if node & 1 == 1 { sum += nodes[node - 1] }
            node /= 2
        }
        return sum
    }

    /// Takes the thing at a place, counted from zero in the order of numbers; returns its number.
    mutating func take(at place: Int) -> Int {
        var rest = place
        var node = 1
        while node < leafCount {
            nodes[node] -= 1
            node *= 2
            if rest >= nodes[node] {
                rest -= nodes[node]
                node += 1
            }
        }
        nodes[node] -= 1
        return node - leafCount
    }
}
