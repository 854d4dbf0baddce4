internal import CMPI

/// A group of ranks that exchange messages.
///
/// The face of MPI that the kernels use: typed buffers, errors as values. Calls named collective
/// must be made by all ranks of the group in the same order. The generic functions are thin and
/// inlinable, so that what crosses the module's border is one plain call (a generic that the
/// compiler cannot see through costs more than a small message).
public final class Communicator {
    /// MPI's handle.
    let handle: MPI_Comm
    private let isOwned: Bool

    /// This process's number in the group, from 0.
    public let rank: Int
    /// How many processes the group has.
    public let size: Int

    init(adopting handle: MPI_Comm, isOwned: Bool) throws(MPIFailure) {
        var rank: Int32 = 0
        var size: Int32 = 0
        try check("MPI_Comm_rank", MPI_Comm_rank(handle, &rank))
        try check("MPI_Comm_size", MPI_Comm_size(handle, &size))
        self.handle = handle
        self.isOwned = isOwned
        self.rank = Int(rank)
        self.size = Int(size)
    }

    deinit {
        guard isOwned, MPIEnvironment.isRunning else { return }
        var handle: MPI_Comm? = handle
        MPI_Comm_free(&handle)
    }

    /// Whether this is the rank that speaks for all.
    public var isRoot: Bool { rank == 0 }

    /// Splits the group: ranks that name the same colour form a new one, in order of `key`.
    ///
    /// Collective.
    public func split(color: Int, key: Int) throws(MPIFailure) -> Communicator {
        var fresh: MPI_Comm?
        try check("MPI_Comm_split", MPI_Comm_split(handle, Int32(color), Int32(key), &fresh))
        return try Self.adopt(fresh)
    }

    /// The ranks of this group that share memory with this one. Collective.
    public func splitByNode() throws(MPIFailure) -> Communicator {
        var fresh: MPI_Comm?
        try check(
            "MPI_Comm_split_type",
            MPI_Comm_split_type(
                handle,
                Int32(MPI_COMM_TYPE_SHARED),
                Int32(rank),
                CMPI_INFO_NULL(),
                &fresh
            )
        )
        return try Self.adopt(fresh)
    }

    private static func adopt(_ handle: MPI_Comm?) throws(MPIFailure) -> Communicator {
        guard let handle else { preconditionFailure("MPI gave no communicator") }
        return try Communicator(adopting: handle, isOwned: true)
    }
}

// MARK: - Point to point

extension Communicator {
    /// Sends `buffer` to `rank`; returns when it may be reused.
    @inlinable
    public func send<Element: Transferable>(
        _ buffer: UnsafeBufferPointer<Element>,
        to rank: Int,
        tag: Int = 0
    ) throws(MPIFailure) {
        try sendBytes(
            UnsafeRawPointer(buffer.baseAddress),
            try messageCount(buffer.count),
            Element.transferType,
            Int32(rank),
            Int32(tag)
        )
    }

    /// Receives exactly `buffer.count` elements from `rank`, or fewer if the sender sent fewer.
    @inlinable
    public func receive<Element: Transferable>(
        into buffer: UnsafeMutableBufferPointer<Element>,
        from rank: Int,
        tag: Int = 0
    ) throws(MPIFailure) {
        try receiveBytes(
            UnsafeMutableRawPointer(buffer.baseAddress),
            try messageCount(buffer.count),
            Element.transferType,
            Int32(rank),
            Int32(tag)
        )
    }

    @usableFromInline
    func sendBytes(
        _ start: UnsafeRawPointer?,
        _ count: Int32,
        _ type: TransferType,
        _ rank: Int32,
        _ tag: Int32
    ) throws(MPIFailure) {
        try check("MPI_Send", MPI_Send(start, count, type.datatype, rank, tag, handle))
    }

    @usableFromInline
    func receiveBytes(
        _ start: UnsafeMutableRawPointer?,
        _ count: Int32,
        _ type: TransferType,
        _ rank: Int32,
        _ tag: Int32
    ) throws(MPIFailure) {
        try check(
            "MPI_Recv",
            MPI_Recv(start, count, type.datatype, rank, tag, handle, CMPI_STATUS_IGNORE())
        )
    }
}
