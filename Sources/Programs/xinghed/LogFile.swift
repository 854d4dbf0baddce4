import Glibc

/// Where the daemon logs when it has a file: its standard output and error lead there.
struct LogFile: Sendable {
    let path: String

    /// Opens the file, and lets output and error lead to it. Again after the file was moved away, the output
    /// goes to a new one.
    ///
    /// - Throws: `Problem` when it cannot be opened; the output goes where it went.
    func open() throws(CentreOptions.Problem) {
        let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else {
            throw CentreOptions.Problem(text: "--log: \(path): \(String(cString: strerror(errno)))")
        }
        dup2(descriptor, STDOUT_FILENO)
        dup2(descriptor, STDERR_FILENO)
        close(descriptor)
    }
}
