import ArgumentParser
import Foundation
import LocalClient
import Quantities
import WireFormats

/// The option by which a command finds a running centre, and what all of them do with it.
struct CentreAccess: ParsableArguments {
    @Option(
        help: """
            The centre's socket; by default $XINGHE_SOCKET, else $XDG_RUNTIME_DIR/xinghe/xinghed.sock, \
            else /tmp/xinghe-UID/xinghed.sock.
            """
    )
    var socket: String?

    /// The socket's path.
    var path: String {
        socket ?? SocketLocation.path(userID: getuid()) { ProcessInfo.processInfo.environment[$0] }
    }

    var client: LocalClient {
        var client = LocalClient(socketPath: path)
        let named = socket ?? ProcessInfo.processInfo.environment["XINGHE_SOCKET"]
        client.trustsOnlyOwn = named?.isEmpty ?? true
        return client
    }

    /// Asks the centre, and turns a failure into a message and an exit status.
    static func ask<Answer>(_ body: () throws(LocalClientFailure) -> Answer) throws -> Answer {
        do throws(LocalClientFailure) {
            return try body()
        } catch {
            throw CommandError(error.description)
        }
    }

    func status() throws -> CentreStatus {
        try Self.ask { () throws(LocalClientFailure) in
            try client.get("/v1/status", as: CentreStatus.self)
        }
    }
}

/// A message for the user; the exit status is 1.
struct CommandError: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) {
        self.description = description
    }
}

/// The programs beside this one, and processes by number.
enum Programs {
    /// The path of a program of this installation.
    static func path(_ name: String) -> String {
        let own = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let folder = ((own ?? "/usr/local/bin/xinghe") as NSString).deletingLastPathComponent
        return folder + "/" + name
    }

    /// Whether a process runs; one that only waits to be reaped does not.
    static func isRunning(_ pid: Int32) -> Bool {
        guard let bytes = FileManager.default.contents(atPath: "/proc/\(pid)/stat") else {
            return false
        }
        let text = String(decoding: bytes, as: UTF8.self)
        guard let close = text.lastIndex(of: ")") else { return false }
        let state = text[text.index(after: close)...].drop { $0 == " " }.first
        return state != "Z" && state != "X"
    }
}

extension SimInstant {
    /// Date and time of day in Asia/Shanghai.
    var shanghaiText: String {
        CivilTime(self, offsetSeconds: CivilTime.shanghaiOffsetSeconds).iso8601
    }
}
