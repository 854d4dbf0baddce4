/// One axis of a matrix dealt out in blocks, in turn, to the parts of an axis of ranks.
struct BlockCyclic: Hashable, Sendable {
    /// Indices on the whole axis.
    let extent: Int
    /// Indices in a block.
    let block: Int
    /// Which part this is, of how many.
    let part: Int
    let parts: Int

    /// Indices that this part holds.
    var count: Int { count(below: extent) }

    /// How many indices below `index` this part holds; also the local place of the first held index
    /// that is not below `index`.
    func count(below index: Int) -> Int {
        let blocks = index / block
        let turn = blocks % parts
        let rest = part < turn ? block : part == turn ? index % block : 0
        return blocks / parts * block + rest
    }

    /// The part that holds `index`.
    func owner(of index: Int) -> Int {
        index / block % parts
    }

    /// The index at local place `place`.
    func global(_ place: Int) -> Int {
        (place / block * parts + part) * block + place % block
    }
}
