import Glibc

/// What commands print: all of it, or an error and an exit status that say so.
///
/// The standard library's `print` hides a full disk.
enum StandardOutput {
    /// Writes `text` and `terminator`.
    ///
    /// - Throws: `Refusal` with the system's word for the problem.
    static func print(_ text: String, terminator: String = "\n") throws {
        try write(Array((text + terminator).utf8))
    }

    /// Writes bytes.
    ///
    /// - Throws: `Refusal` with the system's word for the problem.
    static func write(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                let problem = String(cString: strerror(errno))
                throw Refusal("standard output: cannot be written: \(problem)")
            }
            rest = rest.dropFirst(count)
        }
    }
}
