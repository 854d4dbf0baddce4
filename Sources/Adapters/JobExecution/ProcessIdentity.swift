import Glibc

/// Which process is meant, also after its number was given to another one.
///
/// A process number alone is reused; the number, the start time of the process and the boot
/// together are not.
public struct ProcessIdentity: Hashable, Sendable, CustomStringConvertible {
    /// The number of the process.
    public var pid: Int32
    /// When it started. Unit: clock ticks since boot (`proc(5)`, field 22 of `stat`).
    public var startTicks: UInt64
    /// The kernel's `boot_id`.
    public var bootID: String

    /// The process that has `pid` now; nil when there is none, or when it is a zombie.
    public init?(running pid: Int32) {
        guard let bytes = try? SmallFile.read("/proc/\(pid)/stat"),
            let close = bytes.lastIndex(of: UInt8(ascii: ")"))
        else { return nil }
        let fields = String(decoding: bytes[(close + 1)...], as: UTF8.self).split(separator: " ")
        // After the name come field 3, the state, and so on.
        guard fields.count > 19, fields[0] != "Z", fields[0] != "X",
            let ticks = UInt64(fields[19])
        else { return nil }
        self.pid = pid
        startTicks = ticks
        bootID = Self.currentBootID
    }

    /// Reads what `description` wrote.
    init?(parsing text: some StringProtocol) {
        let parts = text.split(separator: " ")
        guard parts.count == 3, let pid = Int32(parts[0]), let ticks = UInt64(parts[1]) else {
            return nil
        }
        self.pid = pid
        startTicks = ticks
        bootID = String(parts[2])
    }

    /// `PID TICKS BOOT`.
    public var description: String { "\(pid) \(startTicks) \(bootID)" }

    /// Whether this very process still runs.
    public var isRunning: Bool { ProcessIdentity(running: pid) == self }

    /// Whether it was started since the computer was.
    var isOfThisBoot: Bool { bootID == Self.currentBootID }

    private static var currentBootID: String {
        let bytes = (try? SmallFile.read("/proc/sys/kernel/random/boot_id")) ?? []
        return String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self)
    }
}
