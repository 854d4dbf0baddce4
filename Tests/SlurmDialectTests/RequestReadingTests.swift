import Testing
import WireFormats

/// A request is read more strictly than an answer: what it would pass over is refused by name.
@Suite("Reading requests")
struct RequestReadingTests {
    private func refusal<Request: WireRequest>(
        _ type: Request.Type,
        _ text: String
    ) -> String? {
        do throws(JSONValue.Malformed) {
            _ = try Request(requesting: Array(text.utf8))
            return nil
        } catch {
            return error.problem
        }
    }

    @Test(
        "A member that there is not is refused, with the one that was meant",
        arguments: [
            (#"{"time_limt":60}"#, #"member "time_limt" is unknown (did you mean 'time_limit'?)"#),
            (
                #"{"nodes":2}"#,
                #"member "nodes" is unknown (did you mean 'required_nodes' or 'excluded_nodes' or 'max_nodes'?)"#
            ),
            (#"{"name":"a","name":"b"}"#, #"member "name" stands there twice"#),
            (
                #"{"array":{"range":[]}}"#,
                #"member "array": member "range" is unknown (did you mean 'ranges'?)"#
            ),
            (
                #"{"gres":[{"name":"gpu","count":1},{"nam":"gpu"}]}"#,
                #"member "gres": element 1: member "nam" is unknown (did you mean 'name'?)"#
            ),
        ]
    )
    func unknown(text: String, expected: String) throws {
        let problem = try #require(refusal(SubmitRequest.self, text))
        // Which similar names are shown is not what matters here.
        #expect(problem == expected || problem.hasPrefix(expected.prefix { $0 != "(" }))
    }

    @Test(
        "A control character is refused where a line must not end, and NUL everywhere",
        arguments: [
            (#"{"name":"a\nb"}"#, true), (#"{"name":"a\u007fb"}"#, true),
            (#"{"partitions":["batch","b\tc"]}"#, true), (#"{"script":"a\nb\t\u0001"}"#, false),
            (#"{"script":"a\u0000b"}"#, true), (#"{"environment":["A=1\n2","B=\u0000"]}"#, true),
            (#"{"environment":["A=1\n2"]}"#, false), (#"{"name":"作业"}"#, false),
        ]
    )
    func controlCharacters(text: String, isRefused: Bool) {
        // Some of these lack members that must be there, which is looked at later.
        let problem = refusal(SubmitRequest.self, text) ?? ""
        #expect(problem.contains("a control character (U+00") == isRefused, "\(problem)")
    }

    @Test(
        "A payment's reference with a NUL, and a row of storage with an unknown member, are refused"
    )
    func money() {
        #expect(refusal(MoneyRequest.self, #"{"action":"pay","reference":"a\u0000b"}"#) != nil)
        #expect(
            refusal(MoneyRequest.self, #"{"action":"storage","storage":[{"acount":"a"}]}"#) != nil
        )
        #expect(refusal(MoneyRequest.self, #"{"action":"pay","reference":"a b"}"#) == nil)
    }

    @Test("Every member of every request may be said, also those that are not written when nil")
    func allMembers() throws {
        try check(SubmitRequest())
        try check(JobUpdateRequest())
        try check(CancelRequest())
        try check(MoneyRequest())
        try check(ReservationRequest())
    }

    private func check<Request: WireRequest>(_ request: Request) throws {
        guard case .object(let members) = request.json else { return }
        #expect(Set(members.map(\.name)).isSubset(of: Request.memberNames))
        _ = try Request(requesting: Array(request.json.compactText.utf8))
    }

    @Test("A name of a megabyte is refused at once")
    func longNames() {
        let name = String(repeating: "x", count: 1 << 20)
        #expect(refusal(SubmitRequest.self, "{\"\(name)\":1}")?.utf8.count ?? 0 < 200)
    }

    @Test("What a client asks for is what the daemon reads")
    func queries() throws {
        var jobs = JobQuery()
        jobs.ids = [3, 1]
        jobs.users = ["张三", "a&b=c"]
        jobs.states = ["PENDING"]
        jobs.partitions = ["thcp1"]
        jobs.accounts = ["a%b"]
        jobs.includesEnded = true
        jobs.fields = ["job_id", "name"]
        jobs.looksAhead = false
        #expect(try JobQuery(Self.parameters(jobs.target)) == jobs)
        #expect(try JobQuery(Self.parameters(JobQuery().target)) == JobQuery())
        var accounting = AccountingQuery()
        accounting.ids = [7]
        accounting.users = ["u"]
        accounting.accounts = ["a"]
        accounting.from = "2026-11-01T10:00:00+1 day"
        accounting.until = "now"
        #expect(try AccountingQuery(Self.parameters(accounting.target)) == accounting)
        for bad in ["bogus=1", "id=1&id=2", "id=x", "id=1,-1"] {
            #expect(throws: JSONValue.Malformed.self) { try JobQuery(Self.parameters("?" + bad)) }
        }
    }

    /// As a server takes a URL apart.
    private static func parameters(_ target: String) -> [(key: String, value: String)] {
        guard let start = target.firstIndex(of: "?") else { return [] }
        return target[target.index(after: start)...].split(separator: "&").map { part in
            let words = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (String(words[0]), decoded(words.count > 1 ? words[1] : ""))
        }
    }

    private static func decoded(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            bytes.append(UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) ?? 0)
            rest = rest.dropFirst(2)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
