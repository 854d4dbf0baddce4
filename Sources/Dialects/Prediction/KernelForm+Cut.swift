/// How a problem is cut into parts for nodes, by the rules of `xinghe-kernel`.
extension KernelForm {
    /// Whether each of `parties` gets a part.
    func canBeSpread(_ shape: [Int], over parties: Int) -> Bool {
        let (rows, columns) = squarest(parties)
        switch self {
        case .align: return parties <= shape[1]
        case .cg, .hpcg, .md, .shallow, .stencil: return boxes(shape, over: parties) != nil
        case .comm: return true
        case .fft:
            let isOfPencils =
                rows <= min(shape[0], shape[1]) && columns <= min(shape[1], shape[2])
            return parties <= min(shape[0], shape[1]) || isOfPencils
        case .gemm: return rows <= min(shape[0], shape[2]) && columns <= min(shape[1], shape[2])
        case .graph: return shape[0] >= 62 || parties <= 1 << shape[0]
        case .infer, .train, .stream: return parties <= shape[0]
        case .lu: return Double(shape[1]) * Double(columns - 1) <= Double(shape[0])
        }
    }

    /// Parts along each axis of a grid, by the cut that sends least; nil when no cut of so many
    /// parts leaves each part as thick as its margins.
    public func boxes(_ shape: [Int], over parties: Int) -> [Double]? {
        let extents = shape.map(Double.init)
        var best: [Double]?
        var least = Double.infinity
        func consider(_ parts: [Int]) {
            let count = parts.map(Double.init)
            let isThick = zip(extents, count).allSatisfy { $1 == 1 || $0 >= $1 * thinnest }
            let isWhole = zip(shape, parts).allSatisfy { $0 % ($1 * sidesMultiple) == 0 }
            guard isThick, isWhole || sidesMultiple == 1 else { return }
            let area = extents.indices.reduce(0.0) { sum, axis in
                sum + (count[axis] - 1) * Self.face(of: extents, across: axis)
            }
            if area < least {
                least = area
                best = count
            }
        }
        for first in divisors(parties) {
            let rest = parties / first
            if shape.count == 2 {
                consider([first, rest])
            } else {
                for second in divisors(rest) { consider([first, second, rest / second]) }
            }
        }
        return best
    }

    /// The product of all extents but one.
    static func face(of extents: [Double], across axis: Int) -> Double {
        extents.indices.reduce(1) { $1 == axis ? $0 : $0 * extents[$1] }
    }

    /// What the sides of each block are multiples of: three coarser grids take half of them each.
    private var sidesMultiple: Int { self == .hpcg ? 8 : 1 }

    /// The least extent of a block beside others: what its neighbours take from it. For `md` a
    /// cutoff of 2.5 and a skin of 0.3 in lattice cells of 1.68.
    private var thinnest: Double {
        switch self {
        case .stencil: 4
        case .shallow: 2
        case .md: 1.667
        default: 1
        }
    }
}

/// Factors of `count` that are nearest to one another, the smaller first.
func squarest(_ count: Int) -> (Int, Int) {
    var rows = Int(Double(count).squareRoot())
    while count % rows != 0 { rows -= 1 }
    return (rows, count / rows)
}

/// All divisors of `count`.
private func divisors(_ count: Int) -> [Int] {
    var result: [Int] = []
    var candidate = 1
    while candidate * candidate <= count {
        if count % candidate == 0 {
            result.append(candidate)
            if candidate * candidate != count { result.append(count / candidate) }
        }
        candidate += 1
    }
    return result
}
