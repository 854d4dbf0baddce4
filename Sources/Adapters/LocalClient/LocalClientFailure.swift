import Glibc
public import WireFormats

/// Why a request to the daemon has no good answer.
public enum LocalClientFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// There is no socket.
    case noCentre(path: String)
    /// There is a socket, but nobody listens: the daemon was killed.
    case staleSocket(path: String)
    /// The socket belongs to somebody else.
    case notPermitted(path: String)
    /// Neither root nor this user listens there.
    case strangersSocket(path: String, user: UInt32)
    /// A socket's path must be shorter than 108 bytes.
    case pathTooLong(String)
    /// The daemon did not answer in time.
    case timedOut(path: String)
    /// The daemon closed the connection before the answer was whole.
    case hungUp(path: String)
    /// The answer was not HTTP, or not the JSON that was expected.
    case malformedAnswer(String)
    /// The daemon refused the request.
    case refused(status: Int, ErrorBody)
    /// A system call failed.
    case system(call: String, errno: Int32)

    /// A sentence for the user; without a prefix.
    public var description: String {
        switch self {
        case .noCentre(let path):
            "no centre is running at \(path) (start one with 'xinghe up')"
        case .staleSocket(let path):
            "no centre is running: nobody listens at the socket \(path)"
                + " (start one with 'xinghe up')"
        case .notPermitted(let path):
            "the socket \(path) is not open to you"
        case .strangersSocket(let path, let user):
            "user \(user) listens at the socket \(path), not you and not root: nothing was sent"
                + " (set XINGHE_SOCKET to use the centre of somebody else)"
        case .pathTooLong(let path):
            "the socket's path is longer than 107 bytes: \(path)"
        case .timedOut(let path):
            "the centre at \(path) did not answer in time"
        case .hungUp(let path):
            "the centre at \(path) closed the connection before it had answered"
        case .malformedAnswer(let problem):
            "the centre's answer cannot be understood: \(problem)"
        case .refused(_, let body):
            body.sentence
        case .system(let call, let number):
            "\(call): \(String(cString: strerror(number)))"
        }
    }
}
