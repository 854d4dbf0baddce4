internal import Glibc

/// Memory for numbers, aligned to a cache line, freed with its owner.
///
/// The loops of the kernels take the pointers; this class only owns them. Filling it is the first
/// touch that places its pages, so the rank's binding must be done before.
final class NumericBuffer<Element: BitwiseCopyable> {
    let pointer: UnsafeMutablePointer<Element>
    let count: Int

    /// Memory for `count` elements, all equal to `value`; each thread of a team touches its part
    /// first, in multiples of `step` elements.
    init(
        count: Int,
        filledWith value: Element,
        by team: ThreadTeam? = nil,
        step: Int = 1
    ) {
        let bytes = max(count, 1) * MemoryLayout<Element>.stride
        let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
        // Where huge pages are on request only, ask: fewer misses of the translation buffers.
        let page = 1 << 21
        let start = (Int(bitPattern: memory) + page - 1) / page * page
        let end = (Int(bitPattern: memory) + bytes) / page * page
        if end > start { madvise(UnsafeMutableRawPointer(bitPattern: start), end - start, 14) }
        pointer = memory.bindMemory(to: Element.self, capacity: max(count, 1))
        self.count = count
        guard let team, team.count > 1, count > 0 else {
            pointer.initialize(repeating: value, count: max(count, 1))
            return
        }
        let pointer = pointer
        team.split(count, step: step) { part in
            (pointer + part.lowerBound).initialize(repeating: value, count: part.count)
        }
    }

    deinit {
        UnsafeMutableRawPointer(pointer).deallocate()
    }

    subscript(index: Int) -> Element {
        @inline(__always) get {
            assert(index >= 0 && index < count)
            return pointer[index]
        }
        @inline(__always) set {
            assert(index >= 0 && index < count)
            pointer[index] = newValue
        }
    }

    /// Makes every element one that no right answer has: not a number, or all bits set.
    func spoil() {
        memset(pointer, 0xFF, count * MemoryLayout<Element>.stride)
    }

    var buffer: UnsafeMutableBufferPointer<Element> {
        UnsafeMutableBufferPointer(start: pointer, count: count)
    }

    /// The elements of `range`, to send.
    func slice(_ range: Range<Int>) -> UnsafeBufferPointer<Element> {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        return UnsafeBufferPointer(start: pointer + range.lowerBound, count: range.count)
    }

    /// The elements of `range`, to receive into.
    func mutableSlice(_ range: Range<Int>) -> UnsafeMutableBufferPointer<Element> {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        return UnsafeMutableBufferPointer(start: pointer + range.lowerBound, count: range.count)
    }
}
