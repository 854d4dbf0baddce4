internal import CMPI

/// An MPI call that did not succeed.
///
/// Communicators return errors instead of ending the process (`MPI_ERRORS_RETURN`), so that the
/// program decides what to say. After most failures MPI itself is of no more use; see
/// `MPIEnvironment.abort`.
public struct MPIFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The function that failed, such as `MPI_Send`.
    public var call: String
    /// Its error code.
    public var code: Int32
    /// What `MPI_Error_string` says about the code.
    public var text: String

    /// `MPI_Send: MPI_ERR_RANK: invalid rank`.
    public var description: String { "\(call): \(text)" }
}

/// A number of elements as MPI takes it: 32 bits with a sign.
///
/// - Throws: `MPIFailure`, when it does not fit.
@usableFromInline
func messageCount(_ count: Int) throws(MPIFailure) -> Int32 {
    guard let narrow = Int32(exactly: count) else {
        throw MPIFailure(
            call: "a message of \(count) elements",
            code: MPI_ERR_COUNT,
            text: "MPI counts at most \(Int32.max); start more ranks"
        )
    }
    return narrow
}

/// Several of them.
///
/// - Throws: `MPIFailure`, when one does not fit.
public func messageCounts(_ counts: [Int]) throws(MPIFailure) -> [Int32] {
    var narrow: [Int32] = []
    for count in counts { narrow.append(try messageCount(count)) }
    return narrow
}

/// Turns the result of an MPI call into a value or an error.
@inline(__always)
func check(_ call: StaticString, _ code: Int32) throws(MPIFailure) {
    guard code == MPI_SUCCESS else { throw failure(of: call, code: code) }
}

private func failure(of call: StaticString, code: Int32) -> MPIFailure {
    var bytes = [CChar](repeating: 0, count: Int(MPI_MAX_ERROR_STRING) + 1)
    var length: Int32 = 0
    let isKnown = MPI_Error_string(code, &bytes, &length) == MPI_SUCCESS
    let text = bytes.prefix(Int(length)).map { UInt8(bitPattern: $0) }
    return MPIFailure(
        call: "\(call)",
        code: code,
        text: isKnown ? String(decoding: text, as: UTF8.self) : "error \(code)"
    )
}
