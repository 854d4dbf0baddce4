import Foundation
import Glibc

/// The manager that started the daemon, if it wants to be told how it is: systemd, with `Type=notify`.
///
/// Source: sd_notify(3). A datagram to the socket that `$NOTIFY_SOCKET` names; none is no error.
enum ServiceManager {
    /// Takes the name of the socket, once: it is not for jobs.
    static func takeSocket() -> String? {
        let path = ProcessInfo.processInfo.environment["NOTIFY_SOCKET"]
        unsetenv("NOTIFY_SOCKET")
        return path.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Tells the manager, `READY=1` for instance.
    static func tell(_ text: String, at path: String?) {
        guard let path else { return }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return }
        // An abstract name is written with @ and begins with NUL.
        if bytes.first == UInt8(ascii: "@") { bytes[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let type = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(AF_UNIX, type, 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let size = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
        let message = Array(text.utf8)
        _ = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor, message, message.count, Int32(MSG_NOSIGNAL), $0, size)
            }
        }
    }
}
