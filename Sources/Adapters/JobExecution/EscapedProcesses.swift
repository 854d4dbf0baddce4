import Glibc

/// Processes of a run that left its session, found by what every process of a job has in its environment.
///
/// A supervisor ends what its job started, in whatever session. Should the job kill the supervisor first, this is
/// how the rest is found. Who also takes the variable out of its environment is not: that needs a control
/// group.
enum EscapedProcesses {
    /// Ends all processes that have the variable, `NAME=value`; how many there were.
    @discardableResult
    static func end(with variable: String) -> Int {
        var ended = 0
        // One look may miss what is being forked meanwhile.
        for _ in 0..<20 {
            let found = all(with: variable)
            guard !found.isEmpty else { break }
            for pid in found where kill(pid, SIGKILL) == 0 { ended += 1 }
            usleep(5_000)
        }
        return ended
    }

    private static func all(with variable: String) -> [pid_t] {
        guard let folder = opendir("/proc") else { return [] }
        defer { closedir(folder) }
        let wanted = Array(variable.utf8)
        var found: [pid_t] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard let pid = pid_t(name), pid != getpid(),
                let environment = try? SmallFile.read("/proc/\(name)/environ"),
                environment.split(separator: 0).contains(where: { $0.elementsEqual(wanted) }),
                // A zombie has none any more, and nothing is left to be ended.
                ProcessIdentity(running: pid) != nil
            else { continue }
            found.append(pid)
        }
        return found
    }
}
