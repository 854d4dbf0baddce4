internal import Glibc

/// The file protocol by which a program tells the accounting of its job what it measured.
///
/// `XINGHE_MEASURE` names a file or a folder that exists. A line of JSON is appended to the file by
/// one write, or put into the folder as a file of its own under its final name at once; a reader
/// never sees half a file. A full disk may leave half a line in a shared file: it cannot be taken
/// back, since others append too, so the next line starts on one of its own.
/// docs/measure.md has the members.
public enum MeasurementFile {
    /// The environment variable that names the file or folder.
    public static let variable = "XINGHE_MEASURE"

    /// Why a measurement was not reported.
    public struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
        /// The file that could not be written.
        public var path: String
        /// The call that failed and what it said.
        public var problem: String

        /// `XINGHE_MEASURE: PATH: open: Permission denied`.
        public var description: String { "\(MeasurementFile.variable): \(path): \(problem)" }
    }

    /// Reports `line` where the environment says; does nothing when it says nothing.
    ///
    /// - Throws: `Failure`, with the file and the system's reason.
    public static func report(_ line: String) throws(Failure) {
        guard let value = getenv(variable) else { return }
        let path = String(cString: value)
        guard !path.isEmpty else { return }
        try write(line, to: path)
    }

    /// Appends `line` to the file `path`, or puts it into the folder `path`.
    static func write(_ line: String, to path: String) throws(Failure) {
        var status = stat()
        let kind = stat(path, &status) == 0 ? status.st_mode & S_IFMT : 0
        guard kind == S_IFDIR else {
            // Only a file can be read from its end; a pipe would wait for us to write.
            let start = kind == S_IFREG && endsInsideLine(path) ? "\n" : ""
            try put(start + line, into: path, flags: O_WRONLY | O_CREAT | O_APPEND)
            return
        }
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let name = "measure-\(getpid())-\(now.tv_sec)\(now.tv_nsec)"
        let hidden = "\(path)/.\(name).tmp"
        do {
            try put(line, into: hidden, flags: O_WRONLY | O_CREAT | O_EXCL)
        } catch {
            unlink(hidden)
            throw error
        }
        guard rename(hidden, "\(path)/\(name).json") == 0 else {
            let reason = systemReason("rename")
            unlink(hidden)
            throw Failure(path: hidden, problem: reason)
        }
    }

    /// Whether a file has a last line without its end.
    private static func endsInsideLine(_ path: String) -> Bool {
        guard let file = fopen(path, "r") else { return false }
        defer { fclose(file) }
        guard fseek(file, -1, SEEK_END) == 0 else { return false }
        let last = getc(file)
        return last != EOF && last != 10
    }

    private static func put(_ line: String, into path: String, flags: Int32) throws(Failure) {
        let descriptor = open(path, flags | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Failure(path: path, problem: systemReason("open")) }
        defer { close(descriptor) }
        let bytes = Array((line + "\n").utf8)
        let written = Glibc.write(descriptor, bytes, bytes.count)
        guard written == bytes.count else {
            let reason = written < 0 ? systemReason("write") : "write: only part of the line fitted"
            throw Failure(path: path, problem: reason)
        }
    }

    private static func systemReason(_ call: String) -> String {
        "\(call): \(String(cString: strerror(errno)))"
    }
}
