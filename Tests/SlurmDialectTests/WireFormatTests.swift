import Quantities
import Testing
import WireFormats

@testable import LocalClient

@Suite("What travels between the daemon and its clients")
struct WireFormatTests {
    @Test("A submission comes back from JSON as it was")
    func submissionRoundTrip() throws {
        var request = SubmitRequest()
        request.script = "#!/bin/bash\n#SBATCH -N 2\necho \"天河\" \\ \t\u{1}\n"
        request.scriptArguments = ["one", "two three", ""]
        request.environment = ["PATH=/bin", "EMPTY=", "LINES=a\nb"]
        request.userID = .max
        request.minimumNodes = 2
        request.maximumNodes = 4
        request.timeLimit = SimDuration(seconds: 600)
        request.memoryPerNode = ByteCount(mebibytes: 500)
        request.gres = [GresRequest(name: "gpu", type: "a100", count: 2)]
        request.begin = SimInstant(seconds: 1_795_224_567)
        request.nice = -5
        request.dependencies = [
            DependencyRequest(kind: "after", jobID: 34, delay: SimDuration(seconds: 60)),
            DependencyRequest(kind: "afterok", jobID: 55, arrayTask: 2),
        ]
        var array = ArrayRequest()
        array.ranges = [ArrayRequest.Range(first: 0, last: 15, step: 4)]
        array.limit = 2
        request.array = array
        request.requeues = false

        let text = request.json.compactText
        let back = try SubmitRequest(parsing: Array(text.utf8))
        #expect(back == request)
        #expect(back.json.compactText == text)
        #expect(back.array?.indices == [0, 4, 8, 12])
    }

    @Test("A hand-written submission needs the script only")
    func minimalSubmission() throws {
        let request = try SubmitRequest(
            parsing: Array(#"{"unknown": [1], "script": "true", "tasks": 3}"#.utf8)
        )
        #expect(request.script == "true")
        #expect(request.tasks == 3)
        #expect(request.minimumNodes == nil)
    }

    @Test(
        "A wrong member is named",
        arguments: [
            (#"{}"#, #"member "script" is missing"#),
            (#"{"script": 1}"#, #"member "script": a string expected"#),
            (
                #"{"script": "", "tasks": 2147483648}"#,
                #"member "tasks": an integer from -2147483648 to 2147483647 expected"#
            ),
            (
                #"{"script": "", "dependencies": [{"kind": "singleton"}, {"kind": null}]}"#,
                #"member "dependencies": element 1: member "kind": a string expected"#
            ),
            (#"[]"#, "an object expected"),
        ]
    )
    func wrongMember(text: String, problem: String) {
        #expect(throws: JSONValue.Malformed(line: 0, problem: problem)) {
            try SubmitRequest(parsing: Array(text.utf8))
        }
    }

    @Test("Every record comes back as it was, and reads its members in any order")
    func allRecords() throws {
        try expectRoundTrip(SubmitResponse())
        try expectRoundTrip(ErrorBody(code: "a", text: "b", details: ["c"], exitCode: 210))
        try expectRoundTrip(JobInfo())
        try expectRoundTrip(NodeInfo())
        try expectRoundTrip(PartitionInfo())
        try expectRoundTrip(CancelRequest())
        try expectRoundTrip(JobUpdateRequest())
        try expectRoundTrip(JobActionRequest())
        try expectRoundTrip(NodeUpdateRequest())
        try expectRoundTrip(PartitionUpdateRequest())
        try expectRoundTrip(CentreStatus())
        try expectRoundTrip(ClockAdvanceRequest())
        try expectRoundTrip(ActionResponse(outcomes: [ActionOutcome(jobID: 7)]))
        var record = AccountingRecord()
        record.steps = [StepRecord()]
        try expectRoundTrip(AccountingList(now: SimInstant(seconds: 1), records: [record]))
        var job = JobInfo()
        job.timeLimit = nil
        job.start = SimInstant(seconds: 5)
        job.state = "RUNNING"
        var list = JobList(now: .epoch, jobs: [job, JobInfo()])
        try expectRoundTrip(list)
        list.selection = ["state", "start"]
        #expect(list.compactText == list.json.compactText)
    }

    @Test("Nodes that are alike travel together, and come back one by one in their order")
    func nodeGroups() throws {
        var nodes = World.nodes()
        nodes[4].state = "DOWN"
        let list = NodeList(now: SimInstant(seconds: 7), nodes: nodes)
        #expect(try NodeList(json: list.json) == list)
        // cn[1-2] have cards, cn[3-8] are of three partitions but for cn5, the rest of one.
        #expect(list.json["groups"]?.array?.count == 5)
    }

    private func expectRoundTrip<Record: WireRecord>(_ record: Record) throws {
        let json = record.json
        #expect(try Record(json: json) == record)
        let members = try #require(json.members)
        #expect(Set(members.map(\.name)).count == members.count, "a member is named twice")
        #expect(try Record(json: .object(members.reversed())) == record)
        // The text is written without the tree, and is the tree's.
        for levels in 0...3 {
            let twin = json.withoutNulls(levels: levels).compactText
            #expect(record.compactText(withoutNulls: levels) == twin)
        }
    }
}

@Suite("Where the socket is")
struct SocketLocationTests {
    @Test("XINGHE_SOCKET goes before XDG_RUNTIME_DIR, and an empty variable counts as none")
    func order() {
        func path(_ variables: [String: String]) -> String {
            SocketLocation.path(userID: 1001) { variables[$0] }
        }
        #expect(path(["XINGHE_SOCKET": "/s", "XDG_RUNTIME_DIR": "/run/user/1"]) == "/s")
        #expect(
            path(["XINGHE_SOCKET": "", "XDG_RUNTIME_DIR": "/run/user/1"])
                == "/run/user/1/xinghe/xinghed.sock"
        )
        #expect(path([:]) == "/tmp/xinghe-1001/xinghed.sock")
    }
}

@Suite("Reading HTTP responses")
struct ResponseReaderTests {
    /// Reads `text` in pieces of `size` bytes.
    private func read(_ text: String, pieces size: Int) throws(LocalClientFailure) -> Response {
        var rest = Array(text.utf8)[...]
        var reader = ResponseReader(socketPath: "/s")
        return try reader.read { () throws(LocalClientFailure) in
            defer { rest = rest.dropFirst(size) }
            return Array(rest.prefix(size))
        }
    }

    @Test("A body is whole however the bytes arrive", arguments: [1, 2, 3, 7, 1_000])
    func pieces(size: Int) throws {
        let bodies = [
            "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nX-A: b\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n",
            "HTTP/1.0 200 OK\r\n\r\nhello",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        ]
        for body in bodies {
            let response = try read(body, pieces: size)
            #expect(response.status == 200)
            #expect(String(decoding: response.body, as: UTF8.self) == "hello", "\(body)")
        }
    }

    @Test("A response cut short is a failure, at every place")
    func cutShort() {
        let whole =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n0\r\n\r\n"
        for length in 0..<whole.utf8.count {
            let cut = String(decoding: Array(whole.utf8).prefix(length), as: UTF8.self)
            #expect(throws: LocalClientFailure.hungUp(path: "/s"), "\(length) bytes") {
                try read(cut, pieces: 1_000)
            }
        }
    }

    @Test(
        "What is not HTTP is refused",
        arguments: [
            "SSH-2.0\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 200 OK\r\nnonsense\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        ]
    )
    func notHTTP(text: String) {
        #expect {
            try read(text, pieces: 1_000)
        } throws: { failure in
            if case .malformedAnswer = failure as? LocalClientFailure { true } else { false }
        }
    }

    @Test("Without a daemon the message names the path and the way out")
    func noCentre() {
        let client = LocalClient(socketPath: "/nonexistent/xinghed.sock")
        let failure = #expect(throws: LocalClientFailure.self) {
            try client.get("/v1/status", as: CentreStatus.self)
        }
        #expect(
            failure?.description
                == "no centre is running at /nonexistent/xinghed.sock (start one with 'xinghe up')"
        )
        let long = LocalClient(socketPath: "/" + String(repeating: "x", count: 200))
        #expect(throws: LocalClientFailure.pathTooLong(long.socketPath)) {
            try long.send("GET", "/v1/status", body: nil)
        }
    }
}
