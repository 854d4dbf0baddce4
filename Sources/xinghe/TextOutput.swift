import Glibc

/// Writing a finished text, all of it or with an error.
enum TextOutput {
    /// Why a text could not be written.
    struct Failure: Error, CustomStringConvertible {
        let path: String
        let code: Int32

        var description: String { "\(path): cannot be written: \(String(cString: strerror(code)))" }
    }

    /// Writes `text` to a file, or to standard output without a path.
    ///
    /// Not by renaming a temporary file: the path may be a pipe or a device. A file that could not
    /// be finished is removed if it was not there before.
    ///
    /// - Throws: `Failure`, when the path cannot be opened or the disk is full.
    static func write(_ text: String, to path: String?) throws(Failure) {
        guard let path else {
            return try write(Array(text.utf8), to: STDOUT_FILENO, path: "standard output")
        }
        let existed = access(path, F_OK) == 0
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw Failure(path: path, code: errno) }
        do {
            try write(Array(text.utf8), to: file, path: path)
        } catch {
            close(file)
            if !existed { unlink(path) }
            throw error
        }
        // Some file systems tell only here that the disk is full.
        guard close(file) == 0 else { throw Failure(path: path, code: errno) }
    }

    private static func write(
        _ bytes: [UInt8],
        to file: Int32,
        path: String
    ) throws(Failure) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Failure(path: path, code: errno) }
            rest = rest.dropFirst(count)
        }
    }
}
