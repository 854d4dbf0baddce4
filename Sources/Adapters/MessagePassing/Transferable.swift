internal import CMPI

/// The element types that MPI moves.
public enum TransferType: Sendable {
    /// A 64-bit float.
    case double
    /// A 32-bit float.
    case float
    /// A signed 32-bit integer.
    case int32
    /// A signed 64-bit integer.
    case int64
    /// An unsigned 64-bit integer.
    case uint64
    /// A byte, moved without interpretation.
    case byte

    var datatype: MPI_Datatype {
        switch self {
        case .double: CMPI_DOUBLE()
        case .float: CMPI_FLOAT()
        case .int32: CMPI_INT32()
        case .int64: CMPI_INT64()
        case .uint64: CMPI_UINT64()
        case .byte: CMPI_BYTE()
        }
    }
}

/// A Swift type whose arrays MPI can move.
public protocol Transferable: BitwiseCopyable, Sendable {
    /// The corresponding MPI type.
    static var transferType: TransferType { get }
}

extension Double: Transferable {
    /// `MPI_DOUBLE`.
    public static var transferType: TransferType { .double }
}

extension Float: Transferable {
    /// `MPI_FLOAT`.
    public static var transferType: TransferType { .float }
}

extension Int32: Transferable {
    /// `MPI_INT32_T`.
    public static var transferType: TransferType { .int32 }
}

extension Int64: Transferable {
    /// `MPI_INT64_T`.
    public static var transferType: TransferType { .int64 }
}

extension UInt64: Transferable {
    /// `MPI_UINT64_T`.
    public static var transferType: TransferType { .uint64 }
}

extension UInt8: Transferable {
    /// `MPI_BYTE`.
    public static var transferType: TransferType { .byte }
}

/// How a reduction joins two elements.
public enum ReduceOperation: Sendable {
    /// The sum. The order of additions is MPI's, so the last bits may depend on the ranks.
    case sum
    /// The larger.
    case maximum
    /// The smaller.
    case minimum

    var operation: MPI_Op {
        switch self {
        case .sum: CMPI_SUM()
        case .maximum: CMPI_MAX()
        case .minimum: CMPI_MIN()
        }
    }
}
