internal import CMPI

/// Sends and receives that have been started and not yet waited for.
///
/// Reusable, so that a halo exchange allocates nothing: start the transfers of a round, compute,
/// `waitAll()`, go on. The buffers must stay where they are until then.
public final class PendingTransfers {
    private let communicator: Communicator
    private let requests: UnsafeMutableBufferPointer<MPI_Request?>
    private var count = 0

    /// Room for `capacity` transfers over `communicator`.
    public init(over communicator: Communicator, capacity: Int) {
        self.communicator = communicator
        requests = .allocate(capacity: max(capacity, 1))
        requests.initialize(repeating: CMPI_REQUEST_NULL())
    }

    deinit {
        // After a failure some may still be under way. MPI knows them without this array.
        requests.deallocate()
    }

    /// Starts to send `buffer` to `rank` (`MPI_Isend`).
    @inlinable
    public func send<Element: Transferable>(
        _ buffer: UnsafeBufferPointer<Element>,
        to rank: Int,
        tag: Int = 0
    ) throws(MPIFailure) {
        try startSend(
            UnsafeRawPointer(buffer.baseAddress),
            try messageCount(buffer.count),
            Element.transferType,
            Int32(rank),
            Int32(tag)
        )
    }

    /// Starts to receive `buffer.count` elements from `rank` (`MPI_Irecv`).
    @inlinable
    public func receive<Element: Transferable>(
        into buffer: UnsafeMutableBufferPointer<Element>,
        from rank: Int,
        tag: Int = 0
    ) throws(MPIFailure) {
        try startReceive(
            UnsafeMutableRawPointer(buffer.baseAddress),
            try messageCount(buffer.count),
            Element.transferType,
            Int32(rank),
            Int32(tag)
        )
    }

    /// Starts to join `buffer` over all ranks in place (`MPI_Iallreduce`). Collective.
    @inlinable
    public func allReduce<Element: Transferable>(
        inPlace buffer: UnsafeMutableBufferPointer<Element>,
        _ operation: ReduceOperation
    ) throws(MPIFailure) {
        try startAllReduce(
            UnsafeMutableRawPointer(buffer.baseAddress),
            try messageCount(buffer.count),
            Element.transferType,
            operation
        )
    }

    /// Returns when all started transfers are done; the set is empty again.
    public func waitAll() throws(MPIFailure) {
        let started = Int32(count)
        count = 0
        try check(
            "MPI_Waitall",
            MPI_Waitall(started, requests.baseAddress, CMPI_STATUSES_IGNORE())
        )
    }

    @usableFromInline
    func startSend(
        _ start: UnsafeRawPointer?,
        _ elements: Int32,
        _ type: TransferType,
        _ rank: Int32,
        _ tag: Int32
    ) throws(MPIFailure) {
        let handle = communicator.handle
        let slot = freeSlot()
        try check(
            "MPI_Isend",
            MPI_Isend(start, elements, type.datatype, rank, tag, handle, slot)
        )
        count += 1
    }

    @usableFromInline
    func startReceive(
        _ start: UnsafeMutableRawPointer?,
        _ elements: Int32,
        _ type: TransferType,
        _ rank: Int32,
        _ tag: Int32
    ) throws(MPIFailure) {
        let handle = communicator.handle
        let slot = freeSlot()
        try check(
            "MPI_Irecv",
            MPI_Irecv(start, elements, type.datatype, rank, tag, handle, slot)
        )
        count += 1
    }

    @usableFromInline
    func startAllReduce(
        _ start: UnsafeMutableRawPointer?,
        _ elements: Int32,
        _ type: TransferType,
        _ operation: ReduceOperation
    ) throws(MPIFailure) {
        let handle = communicator.handle
        let slot = freeSlot()
        try check(
            "MPI_Iallreduce",
            MPI_Iallreduce(
                CMPI_IN_PLACE(),
                start,
                elements,
                type.datatype,
                operation.operation,
                handle,
                slot
            )
        )
        count += 1
    }

    private func freeSlot() -> UnsafeMutablePointer<MPI_Request?>? {
        precondition(count < requests.count, "more transfers started than there is room for")
        return requests.baseAddress.map { $0 + count }
    }
}
