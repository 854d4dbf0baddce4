/// This rank's part of what a kernel computed, as one array of all ranks, for others to check.
struct KernelAnswer {
    /// What the elements are.
    enum Element: String {
        case double = "<f8"
        case float = "<f4"
        /// Real and imaginary part, doubles.
        case complex = "<c16"
        case int16 = "<i2"
        case int64 = "<i8"

        var bytes: Int {
            switch self {
            case .double, .int64: 8
            case .float: 4
            case .complex: 16
            case .int16: 2
            }
        }
    }

    /// Elements that follow one another in the whole array.
    struct Run {
        /// The first one's place in the whole array.
        var start: Int
        var bytes: UnsafeRawBufferPointer
    }

    var element: Element
    /// The extents of the whole array.
    var shape: [Int]
    /// Whether the first index, and not the last, runs fastest.
    var isByColumns = false
    private(set) var runs: [Run] = []
    /// Keeps alive what the runs point to.
    private var owners: [AnyObject] = []

    init(_ element: Element, shape: [Int], isByColumns: Bool = false) {
        self.element = element
        self.shape = shape
        self.isByColumns = isByColumns
    }

    /// Adds the elements of `buffer` from `first` on, `count` of the answer's, which lie at `start` of the
    /// whole array.
    mutating func add<Number>(
        _ buffer: NumericBuffer<Number>,
        from first: Int,
        count: Int,
        at start: Int
    ) {
        let bytes = UnsafeRawBufferPointer(
            start: buffer.pointer + first,
            count: count * element.bytes
        )
        runs.append(Run(start: start, bytes: bytes))
        owners.append(buffer)
    }

    /// Adds `values`, which lie at `start` of the whole array.
    mutating func add<Number: BitwiseCopyable>(_ values: [Number], at start: Int) {
        guard let first = values.first else { return }
        let buffer = NumericBuffer(count: values.count, filledWith: first)
        _ = buffer.buffer.update(fromContentsOf: values)
        let count = values.count * MemoryLayout<Number>.stride / element.bytes
        add(buffer, from: 0, count: count, at: start)
    }
}
