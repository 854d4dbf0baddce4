import Foundation
import LocalClient
import Testing
import WireFormats

@testable import HTTPService

@Suite("Submissions that come again")
struct IdempotencyTests {
    private func submit(
        _ centre: NetworkCentre,
        key: String?,
        _ change: (inout SubmitRequest) -> Void = { _ in }
    ) throws -> String {
        var fields = centre.bearer
        fields["Idempotency-Key"] = key
        let body = SmallCentre.request {
            $0.comment = "runtime=600"; change(&$0)
        }
        let answer = try centre.ask("POST /v1/jobs", fields, body: body.json.compactText)
        let job = try JSONValue(parsing: answer.body)["job_id"]?.integer
        return "\(answer.status) \(job ?? 0)"
    }

    @Test(
        "With the same key it is the same job, also after a crash; with another request it is refused"
    )
    func keys() throws {
        let centre = try NetworkCentre()
        #expect(try submit(centre, key: "a") == "200 1")
        #expect(try submit(centre, key: "a") == "200 1")
        #expect(try submit(centre, key: "b") == "200 2")
        #expect(try submit(centre, key: nil) == "200 3")
        #expect(try submit(centre, key: "a") { $0.name = "other" } == "422 0")
        for bad in ["", String(repeating: "k", count: 256), "a b"] {
            #expect(try submit(centre, key: bad) == "400 0", "\(bad.count)")
        }
        // A submission that is refused leaves its key free.
        #expect(try submit(centre, key: "c") { $0.partitions = ["none"] } == "400 0")
        #expect(try submit(centre, key: "c") == "200 4")
        centre.daemon.kill9()
        try centre.daemon.start()
        // The port may be another one now; the socket is the same.
        let again = try RawConnection(centre.daemon.socket)
        let body = SmallCentre.request { $0.comment = "runtime=600" }.json.compactText
        again.send(
            "POST /v1/jobs HTTP/1.1\r\nHost: x\r\nConnection: close\r\nIdempotency-Key: a\r\n"
                + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
        )
        #expect(again.receive().contains("\"job_id\":1,"))
        #expect(try centre.daemon.jobs().count == 4)
    }
}
