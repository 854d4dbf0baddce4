import IndexSets

/// Numbers of nodes as an external policy writes them, ascending: `0-3,8`.
struct NodeNumbers: CustomStringConvertible {
    let nodes: IDSet

    init(_ nodes: IDSet) {
        self.nodes = nodes
    }

    /// Reads numbers and ranges; nil where one is not below `count`, or they do not ascend.
    init?(_ text: String, below count: Int) {
        var members: [Int] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false)
            let numbers = ends.compactMap { Int($0) }
            guard (1...2).contains(ends.count), numbers.count == ends.count,
                let first = numbers.first, let last = numbers.last,
                (members.last ?? -1) < first, first <= last, last < count
            else { return nil }
            members += first...last
        }
        nodes = IDSet(members)
    }

    var description: String { nodes.rangeText }
}
