import Glibc
import SlurmDialect

/// What the commands need of the system they run on. Only the C library is used: the commands must
/// start in a few milliseconds.
enum Host {
    /// The value of an environment variable.
    static func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }

    /// How times are written and read: in the zone of `TZ` where it is set, by `SLURM_TIME_FORMAT`.
    static func calendar() -> CentreCalendar {
        var calendar = CentreCalendar()
        if let format = variable("SLURM_TIME_FORMAT"),
            !["", "standard", "relative"].contains(format)
        {
            calendar.format = format
        }
        if let zone = variable("TZ"), !zone.isEmpty {
            tzset()
            var now = time(nil)
            var local = tm()
            localtime_r(&now, &local)
            calendar.offsetSeconds = Int64(local.tm_gmtoff)
        }
        return calendar
    }

    /// The environment with which the command was started, `NAME=value` each.
    static func environment() -> [String] {
        let bytes = read(path: "/proc/self/environ") ?? []
        return bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The name of the user with a number; the number itself when it has none.
    static func userName(_ id: UInt32) -> String {
        guard let entry = getpwuid(id) else { return "\(id)" }
        return String(cString: entry.pointee.pw_name)
    }

    /// The name of the group with a number; the number itself when it has none.
    static func groupName(_ id: UInt32) -> String {
        guard let entry = getgrgid(id) else { return "\(id)" }
        return String(cString: entry.pointee.gr_name)
    }

    /// Whether a name or a number is a user's.
    static func isUser(_ name: String) -> Bool {
        getpwnam(name) != nil || UInt32(name) != nil
    }

    /// What a login would set.
    static func loginEnvironment() -> [String] {
        var result = ["PATH=/usr/local/bin:/usr/bin:/bin", "ENVIRONMENT=BATCH"]
        if let entry = getpwuid(getuid()) {
            let name = String(cString: entry.pointee.pw_name)
            result += [
                "USER=\(name)", "LOGNAME=\(name)",
                "HOME=\(String(cString: entry.pointee.pw_dir))",
                "SHELL=\(String(cString: entry.pointee.pw_shell))",
            ]
        }
        return result
    }

    /// The current folder.
    static func currentDirectory() -> String {
        guard let buffer = getcwd(nil, 0) else { return "/" }
        defer { free(buffer) }
        return String(cString: buffer)
    }

    /// The host's name.
    static func hostName() -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
        return String(
            decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) },
            as: UTF8.self
        )
    }

    /// The file mode creation mask.
    static func fileModeMask() -> UInt32 {
        // It can be read by setting it only.
        let mask = umask(0o077)
        umask(mask)
        return mask
    }

    /// A port that nobody uses just now; nil when there is none.
    static func freePort() -> UInt16? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) == 0 && getsockname(descriptor, $0, &size) == 0
            }
        }
        return isBound ? UInt16(bigEndian: address.sin_port) : nil
    }

    /// The numbers of all processes.
    static func processes() -> [Int32] {
        guard let folder = opendir("/proc") else { return [] }
        defer { closedir(folder) }
        var numbers: [Int32] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if let number = Int32(name) { numbers.append(number) }
        }
        return numbers.sorted()
    }

    /// The process that started another; nil when it is gone.
    static func parent(of process: Int32) -> Int32? {
        let text = String(decoding: read(path: "/proc/\(process)/stat") ?? [], as: UTF8.self)
        // A name in brackets, which may hold anything, then the state and the parent.
        guard let end = text.lastIndex(of: ")") else { return nil }
        return text[end...].split(separator: " ").dropFirst(2).first.flatMap { Int32($0) }
    }

    /// What tells a process from a later one with the same number, and the process that started it; nil when
    /// it is gone.
    private static func identity(of process: Int32) -> (parent: Int32, start: UInt64)? {
        let text = String(decoding: read(path: "/proc/\(process)/stat") ?? [], as: UTF8.self)
        guard let end = text.lastIndex(of: ")") else { return nil }
        let words = text[end...].split(separator: " ")
        guard words.count > 20, let parent = Int32(words[2]), let start = UInt64(words[20]) else {
            return nil
        }
        return (parent, start)
    }

    /// Processes, and all that they have started, by number, with what tells each from a later one.
    static func family(of processes: Set<Int32>) -> [Int32: UInt64] {
        var known: [Int32: (parent: Int32, start: UInt64)] = [:]
        for process in self.processes() { known[process] = identity(of: process) }
        var family: [Int32: UInt64] = [:]
        var next = Array(processes)
        while let process = next.popLast() {
            guard let start = known[process]?.start, family[process] == nil else { continue }
            family[process] = start
            next += known.filter { $0.value.parent == process }.keys
        }
        return family
    }

    /// Sends a signal to those of a family that are still there, the oldest first: a shell whose program has
    /// ended before it goes on to its next line.
    static func signal(_ family: [Int32: UInt64], _ number: Int32) {
        let oldestFirst = family.sorted { ($0.value, $0.key) < ($1.value, $1.key) }
        for (process, start) in oldestFirst where identity(of: process)?.start == start {
            kill(process, number)
        }
    }

    /// The file of this program.
    static var programPath: String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        let bytes = buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Whether a path leads to this very program, by whatever name.
    static func isOwnProgram(_ path: String) -> Bool {
        var (own, other) = (stat(), stat())
        return stat("/proc/self/exe", &own) == 0 && stat(path, &other) == 0
            && own.st_dev == other.st_dev && own.st_ino == other.st_ino
    }

    /// Whether a path is a folder.
    static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// The bytes of a file; nil when it cannot be opened. A folder has none.
    static func read(path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        return read(descriptor: descriptor)
    }

    /// All bytes up to the end.
    static func read(descriptor: Int32) -> [UInt8] {
        var result: [UInt8] = []
        while true {
            let piece = [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, filled in
                filled = max(0, Glibc.read(descriptor, buffer.baseAddress, buffer.count))
            }
            if piece.isEmpty { return result }
            result += piece
        }
    }

    /// Writes bytes to a file; false when it cannot.
    static func write(_ bytes: [UInt8], path: String) -> Bool {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return false }
        let isWritten = write(bytes, descriptor: descriptor)
        return close(descriptor) == 0 && isWritten
    }

    /// Writes lines to standard output (1) or standard error (2).
    ///
    /// Ends the program with 1 when standard output does not take them: a script must not go on with
    /// half a listing.
    static func print(_ lines: [String], to descriptor: Int32 = 1) {
        guard !lines.isEmpty else { return }
        let bytes = Array((lines.joined(separator: "\n") + "\n").utf8)
        guard !write(bytes, descriptor: descriptor), descriptor == 1 else { return }
        print(["error: standard output: \(String(cString: strerror(errno)))"], to: 2)
        exit(1)
    }

    /// Writes all bytes; false when it cannot.
    static func write(_ bytes: [UInt8], descriptor: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                return false
            }
            rest = rest.dropFirst(count)
        }
        return true
    }
}
