import Foundation
import LocalClient
import TestSupport
import Testing
import WireFormats

/// A centre that listens on a free port of this computer.
struct NetworkCentre {
    let daemon: Daemon
    let token: String
    let port: UInt16

    init(_ extra: [String] = []) throws {
        let daemon = try Daemon(
            ScratchFolder(),
            ["--time", "stepped", "--listen", "0"] + extra
        )
        self.daemon = daemon
        var answer = TokenResponse()
        // The socket may be there a moment before the port.
        _ = eventually {
            let asked = try? daemon.client.post(
                "/v1/token",
                TokenRequest(),
                as: TokenResponse.self
            )
            answer = asked ?? answer
            return asked.map { !$0.address.hasSuffix(":0") } ?? false
        }
        token = answer.token
        port = try #require(UInt16(answer.address.split(separator: ":").last ?? ""))
    }

    /// Status, head and body of an answer.
    func ask(
        _ line: String,
        _ fields: [String: String] = [:],
        body: String = ""
    ) throws -> (status: Int, head: String, body: String) {
        let connection = try RawConnection(port: port)
        let lines = fields.map { "\($0): \($1)\r\n" }.joined()
        connection.send(
            "\(line) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\(lines)"
                + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
        )
        let answer = connection.receive()
        let end = try #require(answer.range(of: "\r\n\r\n"))
        let status = try #require(Int(answer.split(separator: " ")[1]))
        return (status, String(answer[..<end.lowerBound]), String(answer[end.upperBound...]))
    }

    var bearer: [String: String] { ["Authorization": "Bearer \(token)"] }
}
