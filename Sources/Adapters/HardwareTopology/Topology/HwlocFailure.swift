/// A call into hwloc or libnuma that did not do its part.
public struct HwlocFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The C function.
    public var call: String
    /// Its `errno`.
    public var errno: Int32
    /// What it was asked to read, or the part of it that is at fault.
    public var subject: String

    /// Makes a failure.
    public init(call: String, errno: Int32, subject: String) {
        self.call = call
        self.errno = errno
        self.subject = subject
    }

    /// One sentence for people.
    public var description: String {
        "\(subject) (\(call): \(errnoText(errno)))"
    }
}
