internal import CMPI

// All functions here are collective: every rank of the group calls them in the same order.

extension Communicator {
    /// Waits until every rank has come here.
    public func barrier() throws(MPIFailure) {
        try check("MPI_Barrier", MPI_Barrier(handle))
    }

    /// Copies `buffer` of rank `root` to all ranks.
    @inlinable
    public func broadcast<Element: Transferable>(
        _ buffer: UnsafeMutableBufferPointer<Element>,
        from root: Int = 0
    ) throws(MPIFailure) {
        try broadcastBytes(
            UnsafeMutableRawPointer(buffer.baseAddress),
            try messageCount(buffer.count),
            Element.transferType,
            Int32(root)
        )
    }

    /// The values of all ranks joined by `operation`; every rank gets the same.
    @inlinable
    public func allReduce<Element: Transferable>(
        _ value: Element,
        _ operation: ReduceOperation
    ) throws(MPIFailure) -> Element {
        var value = value
        try allReduceBytes(&value, 1, Element.transferType, operation)
        return value
    }

    /// Joins the buffers of all ranks element by element; every rank gets the result in place.
    @inlinable
    public func allReduce<Element: Transferable>(
        inPlace buffer: UnsafeMutableBufferPointer<Element>,
        _ operation: ReduceOperation
    ) throws(MPIFailure) {
        try allReduceBytes(
            UnsafeMutableRawPointer(buffer.baseAddress),
            try messageCount(buffer.count),
            Element.transferType,
            operation
        )
    }

    /// The arrays of all ranks, joined by `operation` element by element.
    public func allReduce<Element: Transferable>(
        _ values: [Element],
        _ operation: ReduceOperation
    ) throws(MPIFailure) -> [Element] {
        let buffer = UnsafeMutableBufferPointer<Element>.allocate(capacity: values.count)
        defer { buffer.deallocate() }
        _ = buffer.initialize(fromContentsOf: values)
        try allReduce(inPlace: buffer, operation)
        return Array(buffer)
    }

    /// The value of every rank, in order of rank.
    public func allGather<Element: Transferable>(
        _ value: Element
    ) throws(MPIFailure) -> [Element] {
        try allGather([value])
    }

    /// The arrays of all ranks, one after the other; all must have the same count.
    public func allGather<Element: Transferable>(
        _ values: [Element]
    ) throws(MPIFailure) -> [Element] {
        let all = UnsafeMutableBufferPointer<Element>.allocate(capacity: values.count * size)
        let mine = UnsafeMutableBufferPointer<Element>.allocate(capacity: values.count)
        defer {
            all.deallocate()
            mine.deallocate()
        }
        _ = mine.initialize(fromContentsOf: values)
        let count = try messageCount(values.count)
        let type = Element.transferType.datatype
        try check(
            "MPI_Allgather",
            MPI_Allgather(mine.baseAddress, count, type, all.baseAddress, count, type, handle)
        )
        return Array(all)
    }

    /// The arrays of all ranks, one after the other, on rank `root`; an empty array elsewhere.
    ///
    /// The arrays may differ in length.
    public func gather<Element: Transferable>(
        _ values: [Element],
        to root: Int = 0
    ) throws(MPIFailure) -> [Element] {
        let counts = try allGather(try messageCount(values.count))
        let starts = try Self.starts(of: counts)
        let total = try messageCount(counts.reduce(0) { $0 + Int($1) })
        let all = UnsafeMutableBufferPointer<Element>
            .allocate(capacity: rank == root ? Int(total) : 0)
        let mine = UnsafeMutableBufferPointer<Element>.allocate(capacity: values.count)
        defer {
            all.deallocate()
            mine.deallocate()
        }
        _ = mine.initialize(fromContentsOf: values)
        let type = Element.transferType.datatype
        try check(
            "MPI_Gatherv",
            MPI_Gatherv(
                mine.baseAddress,
                try messageCount(values.count),
                type,
                all.baseAddress,
                counts,
                starts,
                type,
                Int32(root),
                handle
            )
        )
        return Array(all)
    }

    /// The text of every rank, in order of rank, on rank `root`; an empty array elsewhere.
    public func gather(text: String, to root: Int = 0) throws(MPIFailure) -> [String] {
        let lengths = try gather([try messageCount(text.utf8.count)], to: root)
        var bytes = try gather(Array(text.utf8), to: root)[...]
        return lengths.map { length in
            defer { bytes = bytes.dropFirst(Int(length)) }
            return String(decoding: bytes.prefix(Int(length)), as: UTF8.self)
        }
    }

    /// Sends block `r` of `source` to rank `r` and receives block `r` of `target` from rank `r`.
    ///
    /// - Parameter count: Elements in each block; both buffers hold `count * size`.
    @inlinable
    public func allToAll<Element: Transferable>(
        _ source: UnsafeBufferPointer<Element>,
        _ target: UnsafeMutableBufferPointer<Element>,
        count: Int
    ) throws(MPIFailure) {
        precondition(source.count >= count * size && target.count >= count * size)
        try allToAllBytes(
            UnsafeRawPointer(source.baseAddress),
            UnsafeMutableRawPointer(target.baseAddress),
            try messageCount(count),
            Element.transferType
        )
    }

    /// As `allToAll`, with blocks of different lengths given in elements.
    public func allToAll<Element: Transferable>(
        _ source: UnsafeBufferPointer<Element>,
        counts: [Int32],
        _ target: UnsafeMutableBufferPointer<Element>,
        counts targetCounts: [Int32]
    ) throws(MPIFailure) {
        precondition(counts.count == size && targetCounts.count == size)
        let type = Element.transferType.datatype
        try check(
            "MPI_Alltoallv",
            MPI_Alltoallv(
                source.baseAddress,
                counts,
                try Self.starts(of: counts),
                type,
                target.baseAddress,
                targetCounts,
                try Self.starts(of: targetCounts),
                type,
                handle
            )
        )
    }

    /// Sends `outgoing[r]` to rank `r` and returns what all ranks sent here, in order of rank.
    public func exchange<Element: Transferable>(
        _ outgoing: [[Element]]
    ) throws(MPIFailure) -> [Element] {
        precondition(outgoing.count == size)
        let counts = try messageCounts(outgoing.map(\.count))
        let coming = try allToAll(counts)
        let source = UnsafeMutableBufferPointer<Element>
            .allocate(capacity: counts.reduce(0) { $0 + Int($1) })
        let target = UnsafeMutableBufferPointer<Element>
            .allocate(capacity: coming.reduce(0) { $0 + Int($1) })
        defer {
            source.deallocate()
            target.deallocate()
        }
        _ = source.initialize(fromContentsOf: Array(outgoing.joined()))
        try allToAll(UnsafeBufferPointer(source), counts: counts, target, counts: coming)
        return Array(target)
    }

    /// Sends one value to each rank, in order of rank, and returns those that came.
    public func allToAll<Element: Transferable>(
        _ values: [Element]
    ) throws(MPIFailure) -> [Element] {
        precondition(values.count == size)
        let source = UnsafeMutableBufferPointer<Element>.allocate(capacity: size)
        let target = UnsafeMutableBufferPointer<Element>.allocate(capacity: size)
        defer {
            source.deallocate()
            target.deallocate()
        }
        _ = source.initialize(fromContentsOf: values)
        try allToAll(UnsafeBufferPointer(source), target, count: 1)
        return Array(target)
    }

    private static func starts(of counts: [Int32]) throws(MPIFailure) -> [Int32] {
        var total = 0
        return try messageCounts(
            counts.map { count in
                defer { total += Int(count) }
                return total
            }
        )
    }
}

extension Communicator {
    @usableFromInline
    func broadcastBytes(
        _ start: UnsafeMutableRawPointer?,
        _ count: Int32,
        _ type: TransferType,
        _ root: Int32
    ) throws(MPIFailure) {
        try check("MPI_Bcast", MPI_Bcast(start, count, type.datatype, root, handle))
    }

    @usableFromInline
    func allReduceBytes(
        _ start: UnsafeMutableRawPointer?,
        _ count: Int32,
        _ type: TransferType,
        _ operation: ReduceOperation
    ) throws(MPIFailure) {
        try check(
            "MPI_Allreduce",
            MPI_Allreduce(
                CMPI_IN_PLACE(),
                start,
                count,
                type.datatype,
                operation.operation,
                handle
            )
        )
    }

    @usableFromInline
    func allToAllBytes(
        _ source: UnsafeRawPointer?,
        _ target: UnsafeMutableRawPointer?,
        _ count: Int32,
        _ type: TransferType
    ) throws(MPIFailure) {
        let type = type.datatype
        try check(
            "MPI_Alltoall",
            MPI_Alltoall(source, count, type, target, count, type, handle)
        )
    }
}
