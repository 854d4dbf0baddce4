import CLinux
import Glibc

/// A process that belongs to another one: it ends with that, and what it and its jobs write is nobody
/// else's.
public enum PrivateProcess {
    /// Ends this process, and removes `folder`, when nobody holds the other end of standard input any more,
    /// however that came about.
    ///
    /// - Throws: `ExecutionFailure`.
    public static func endWithInput(removing folder: String) throws(ExecutionFailure) {
        guard CLinux_end_with_input(folder) == 0 else { throw failure("fork", folder) }
    }

    /// Keeps aside what this process and its children write below `folders`: others do not see it, and it
    /// goes with the last of them. To be called before there is a second thread.
    ///
    /// - Parameter shown: a folder that stays as it is, wherever it lies; it gets a folder `changes`.
    /// - Throws: `ExecutionFailure` where the kernel or the container does not allow it, or where another
    ///   file system is mounted below one of them, which would vanish.
    public static func cover(
        _ folders: [String],
        butNot shown: String
    ) throws(ExecutionFailure) {
        let folders = outermost(folders.compactMap(Self.realPath))
        guard let shown = realPath(shown) else { throw failure("realpath", shown) }
        let mounts = mountPoints()
        for folder in folders {
            let inside = folder == "/" ? "/" : folder + "/"
            guard !mounts.contains(where: { $0 != folder && $0.hasPrefix(inside) }) else {
                throw ExecutionFailure(call: "mount", subject: folder, code: EBUSY)
            }
        }
        let room = shown + "/changes"
        guard mkdir(room, 0o700) == 0 else { throw failure("mkdir", room) }
        guard CLinux_own_mounts(room) == 0 else { throw failure("unshare", room) }
        let place = CLinux_open_place(shown)
        guard place >= 0 else { throw failure("open", shown) }
        defer { close(place) }
        for (index, folder) in folders.enumerated() {
            let (changes, work) = ("\(room)/\(index)", "\(room)/\(index)-work")
            guard CLinux_cover(folder, changes, work) == 0 else { throw failure("mount", folder) }
            // One that covers it hides the room of the next.
            let isHidden = shown == folder || shown.hasPrefix(folder + "/")
            guard !isHidden || CLinux_show(place, shown) == 0 else { throw failure("mount", shown) }
        }
    }

    /// Those that lie in none of the others, each once.
    static func outermost(_ folders: [String]) -> [String] {
        let all = Set(folders)
        return all.filter { folder in
            !all.contains { other in
                other != folder && folder.hasPrefix(other == "/" ? "/" : other + "/")
            }
        }.sorted()
    }

    /// Without links; nil for one that is not there.
    private static func realPath(_ path: String) -> String? {
        guard let found = realpath(path, nil) else { return nil }
        defer { free(found) }
        return String(cString: found)
    }

    /// Where file systems are mounted. Source: proc(5), `mountinfo`; a blank is written `\040`.
    private static func mountPoints() -> [String] {
        let bytes = (try? SmallFile.read("/proc/self/mountinfo")) ?? []
        return bytes.split(separator: 0x0A).compactMap { line in
            let words = line.split(separator: 0x20)
            guard words.count > 4 else { return nil }
            return String(decoding: words[4], as: UTF8.self)
                .split(separator: "\\040", omittingEmptySubsequences: false).joined(separator: " ")
        }
    }

    private static func failure(_ call: String, _ subject: String) -> ExecutionFailure {
        ExecutionFailure(call: call, subject: subject, code: errno)
    }
}
