import ArgumentParser
import Glibc

/// A file that is written in pieces and appears whole or not at all; `-` is standard output.
///
/// The pieces go to a file beside it, which takes the name when all of them are on it, and which goes
/// when the program fails or is ended by a signal. What is no regular file (a pipe, a device) is written
/// to directly.
enum OutputFile {
    /// Writes what `body` emits.
    ///
    /// - Throws: `Refusal` with the path and the system's word for the problem, or what `body`
    ///   throws; the file that was there before is then still there.
    static func write(
        to path: String,
        _ body: ((_ piece: [UInt8]) throws -> Void) throws -> Void
    ) throws {
        if path == "-" { return try body { try StandardOutput.write($0) } }
        var status = stat()
        let exists = stat(path, &status) == 0
        guard !exists || status.st_mode & S_IFMT != S_IFDIR else {
            throw Refusal("\(path): is a folder")
        }
        let isRegular = !exists || status.st_mode & S_IFMT == S_IFREG
        let target = isRegular ? "\(path).part-\(getpid())" : path
        let leftover = isRegular ? Leftover { unlink(target) } : nil
        defer { leftover?.forget() }
        guard let file = fopen(target, "w") else { throw failure(path) }
        do {
            try body { piece in
                guard fwrite(piece, 1, piece.count, file) == piece.count else {
                    throw failure(path)
                }
            }
        } catch {
            fclose(file)
            if isRegular { unlink(target) }
            throw error
        }
        // Some file systems tell only here that the disk is full.
        let isClosed = fclose(file) == 0
        guard isClosed, !isRegular || rename(target, path) == 0 else {
            let problem = failure(path)
            if isRegular { unlink(target) }
            throw problem
        }
    }

    /// Writes a text; without a path, to standard output.
    static func write(_ text: String, to path: String?) throws {
        try write(to: path ?? "-") { emit in try emit(Array(text.utf8)) }
    }

    /// Refuses paths that cannot be written, and what would run together on standard output.
    ///
    /// - Parameters:
    ///   - outputs: options with the files that they name.
    ///   - data: the option that prints data for programs, where it was given.
    /// - Returns: whether standard output is taken, so that reports for people go to standard error.
    @discardableResult
    static func check(
        _ outputs: [(option: String, path: String?)],
        data: String? = nil
    ) throws -> Bool {
        let named = outputs.filter { $0.path == "-" }.map(\.option)
        let taken = named + [data].compactMap(\.self)
        guard taken.count <= 1 else {
            throw ValidationError(
                "\(taken[0]) and \(taken[1]) both go to standard output; name a file for one of them"
            )
        }
        for case let path? in outputs.map(\.path) { try check(path) }
        return !named.isEmpty
    }

    /// Refuses a path that cannot be written, before hours of work are spent on its content.
    static func check(_ path: String) throws {
        guard path != "-" else { return }
        var status = stat()
        if stat(path, &status) == 0 {
            guard status.st_mode & S_IFMT != S_IFDIR else { throw Refusal("\(path): is a folder") }
            guard access(path, W_OK) == 0 else { throw failure(path) }
            return
        }
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        guard access(folder.isEmpty ? "/" : folder, W_OK) == 0 else { throw failure(path) }
    }

    private static func failure(_ path: String) -> Refusal {
        Refusal("\(path): cannot be written: \(String(cString: strerror(errno)))")
    }
}
