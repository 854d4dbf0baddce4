internal import MessagePassing

/// The row exchanges that a panel of LU asks of the columns to its right.
///
/// Within one rank rows swap in place. Over several, all exchanges of a panel are done at once: the
/// ranks of a column sum up a workspace in which each new top row and each displaced row comes from
/// exactly one rank and is zero elsewhere, so the sum is exact and everybody has the new top rows,
/// which everybody needs for the update.
final class RowExchange {
    /// The top rows of some columns, ready to be solved for.
    struct Top {
        let rows: UnsafeMutablePointer<Double>
        /// Elements from a column to the next.
        let stride: Int
    }

    private let rows: BlockCyclic
    private let group: Communicator
    private let workspace: NumericBuffer<Double>

    init(rows: BlockCyclic, over group: Communicator, block: Int, columns: Int) {
        self.rows = rows
        self.group = group
        workspace = NumericBuffer(
            count: group.size > 1 ? 2 * block * columns : 0,
            filledWith: 0
        )
    }

    /// Exchanges rows of `columns` columns at `part` and returns the top rows.
    func swap(
        _ part: UnsafeMutablePointer<Double>,
        columns: Int,
        by factors: PanelFactors
    ) throws(MPIFailure) -> Top {
        if group.size == 1 {
            let places = (0..<factors.width).map { factors.pivot($0) }
            swapRows(part, rows.count, columns, factors.first, places)
            return Top(rows: part + factors.first, stride: rows.count)
        }
        let width = factors.width
        let plan = Self.plan(factors)
        let height = width + plan.displaced.count
        workspace.pointer.update(repeating: 0, count: height * columns)
        let sources = plan.top + plan.displaced.map(\.source)
        for (place, row) in sources.enumerated() where rows.owner(of: row) == rows.part {
            let local = rows.count(below: row)
            for column in 0..<columns {
                workspace[column * height + place] = part[column * rows.count + local]
            }
        }
        try group.allReduce(inPlace: workspace.mutableSlice(0..<(height * columns)), .sum)
        for (offset, move) in plan.displaced.enumerated()
        where rows.owner(of: move.target) == rows.part {
            let local = rows.count(below: move.target)
            for column in 0..<columns {
                part[column * rows.count + local] = workspace[column * height + width + offset]
            }
        }
        return Top(rows: workspace.pointer, stride: height)
    }

    /// Puts the solved top rows where they belong.
    func putBack(
        _ top: Top,
        into part: UnsafeMutablePointer<Double>,
        columns: Int,
        by factors: PanelFactors
    ) {
        guard group.size > 1, rows.owner(of: factors.first) == rows.part else { return }
        let local = rows.count(below: factors.first)
        for column in 0..<columns {
            (part + column * rows.count + local).update(
                from: top.rows + column * top.stride,
                count: factors.width
            )
        }
    }

    /// Which rows the top rows come from, and which top rows go elsewhere, all exchanges together.
    private static func plan(
        _ factors: PanelFactors
    ) -> (top: [Int], displaced: [(source: Int, target: Int)]) {
        var contents: [Int: Int] = [:]
        for column in 0..<factors.width {
            let (row, other) = (factors.first + column, factors.pivot(column))
            let (one, two) = (contents[row] ?? row, contents[other] ?? other)
            contents[row] = two
            contents[other] = one
        }
        let end = factors.first + factors.width
        let top = (factors.first..<end).map { contents[$0] ?? $0 }
        let displaced = contents.filter { $0.key >= end }.sorted { $0.key < $1.key }
        return (top, displaced.map { (source: $0.value, target: $0.key) })
    }
}

/// Swaps row `first + k` with row `places[k]`, for each k in order, in every column.
private func swapRows(
    _ part: UnsafeMutablePointer<Double>,
    _ stride: Int,
    _ columns: Int,
    _ first: Int,
    _ places: [Int]
) {
    places.withUnsafeBufferPointer { places in
        for column in 0..<columns {
            let cells = part + column &* stride
            for k in 0..<places.count {
                let other = places[k]
                let value = cells[first &+ k]
                cells[first &+ k] = cells[other]
                cells[other] = value
            }
        }
    }
}
