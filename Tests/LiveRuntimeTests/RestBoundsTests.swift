import LocalClient
import SlurmDialect
import Testing
import WireFormats

@testable import HTTPService

/// What a request to Slurm's REST comes to is bounded before anything is done, and a change of which a part is
/// not understood is refused whole.
@Suite("What a request to Slurm's REST comes to")
struct RestBoundsTests {
    /// Asks as the operator.
    private static func ask(
        _ centre: NetworkCentre,
        _ method: String,
        _ path: String,
        _ body: JSONValue? = nil,
        fields: [String: String] = [:]
    ) throws -> (status: Int, json: JSONValue) {
        let answer = try centre.ask(
            "\(method) \(path)",
            ["X-SLURM-USER-TOKEN": centre.token].merging(fields) { $1 },
            body: body?.compactText ?? ""
        )
        return (answer.status, try JSONValue(parsing: answer.body))
    }

    private static func words(_ word: String, _ count: Int) -> JSONValue {
        .array(Array(repeating: .string(word), count: count))
    }

    @Test("Elements of arrays are counted before they are laid out")
    func elements() throws {
        let centre = try NetworkCentre()
        let wide = Array(repeating: "0-99999", count: 20_000).joined(separator: ",")
        let bodies: [JSONValue] = [
            ["jobs": Self.words("5_[0-100000]", 100_000)],
            ["jobs": .array([.string("5_[\(wide)]")])],
            ["jobs": Self.words("7", 100_001)], ["jobs": ["5_[0-99999]", "6"]],
        ]
        for body in bodies {
            let answer = try Self.ask(centre, "DELETE", "/slurm/v0.0.44/jobs", body)
            #expect(answer.status == 400)
            #expect(answer.json["errors"]?.array?.first?["source"]?.string == "#/jobs")
        }
        let several = "5_[0-60000],5_[0-60000]"
        for path in ["/slurm/v0.0.44/jobs/state?job_id=", "/slurmdb/v0.0.44/jobs?step="] {
            #expect(try Self.ask(centre, "GET", path + several).status == 422)
            #expect(try Self.ask(centre, "GET", path + "5_[1,3],7").status == 200)
        }
        let twice = "5_[0-60000,0-60000]"
        for path in ["/slurm/v0.0.44/job/", "/slurm/v0.0.44/jobs/state?job_id="] {
            #expect(try Self.ask(centre, "GET", path + twice).status == 404)
        }
    }

    @Test("Named jobs are told apart as one selector tells them apart")
    func selection() throws {
        let words = ["3", "5_[1,3-4]", "5_9", "8_*"]
        let selection = try JobSelection(words)
        #expect(try JobSelection(list: words.joined(separator: ",")).selectors.count == 4)
        let selectors = words.compactMap { OptionValues.job($0) }
        for job in UInt32(1)...12 {
            for (array, task) in [(nil, nil), (UInt32(5), UInt32(job)), (8, job), (3, 1), (9, nil)]
                as [(UInt32?, UInt32?)]
            {
                let isOne = selectors.contains {
                    $0.selects(jobID: job, arrayJobID: array, arrayTaskID: task)
                }
                let isSelected = selection.selects(
                    jobID: job,
                    arrayJobID: array,
                    arrayTaskID: task
                )
                #expect(isSelected == isOne, "\(job) \(array ?? 0)_\(task ?? 0)")
            }
        }
    }

    @Test("A deletion of which a part is not understood deletes nothing")
    func deletions() throws {
        let centre = try NetworkCentre()
        let db = "/slurmdb/v0.0.44/"
        let made: JSONValue = [
            "association_condition": ["accounts": ["guest"], "users": ["ann", "bob"]],
            "user": [:],
        ]
        #expect(try Self.ask(centre, "POST", db + "users_association", made).status == 200)
        let many = (0..<64).map { "&user=u\($0)" }.joined()
        for choice in [
            "account=guest&partition=debug", "account=guest&only_defaults=true",
            "account=guest&with_sub_accts=true", "account=guest\(many)", "account=guest&x=1",
        ] {
            let answer = try Self.ask(centre, "DELETE", db + "associations?\(choice)")
            #expect(answer.status == 422, "\(choice): \(answer.json.compactText)")
        }
        let there = try Self.ask(centre, "GET", db + "associations?account=guest&user=ann,bob")
        #expect(there.json["associations"]?.array?.count == 2, "\(there.json.compactText)")
        let running = SmallCentre.request { $0.comment = "runtime=600" }.json.compactText
        #expect(try centre.ask("POST /v1/jobs", centre.bearer, body: running).status == 200)
        let unknown = (0..<40).map { JSONValue.Member("x\($0)", 1) }
        for body: JSONValue in [
            ["jobs": ["1"], "usr_name": "ann"],
            .object([.init("jobs", ["1"])] + unknown + [.init("user_name", "ann")]),
        ] {
            let answer = try Self.ask(centre, "DELETE", "/slurm/v0.0.44/jobs", body)
            #expect(answer.status == 400, "\(answer.json.compactText)")
        }
        // However many members are unknown, those behind them are read.
        let job = JSONValue.object(
            (0..<1_000).map { .init("x\($0)", 1) } + [.init("tasks", "many")]
        )
        let submission: JSONValue = ["script": "#!/bin/sh\n", "job": job]
        let late = try Self.ask(centre, "POST", "/slurm/v0.0.44/job/submit", submission)
        #expect(late.status == 400, "\(late.json.compactText)")
        #expect(try centre.daemon.jobs().first?.state == "RUNNING")
        let gone = try Self.ask(
            centre,
            "DELETE",
            db + "associations?account=guest&user=ann,bob&format=x"
        )
        #expect(gone.json["removed_associations"]?.array?.count == 2, "\(gone.json.compactText)")
    }

    @Test("Entries are counted, at the top and below")
    func entries() throws {
        let centre = try NetworkCentre()
        func many(_ count: Int, _ entry: (Int) -> JSONValue) -> JSONValue {
            .array((0..<count).map(entry))
        }
        let associations = many(1_001) { _ in ["account": "guest"] }
        let names = many(1_001) { .string("u\($0)") }
        let cases: [(String, JSONValue, Int)] = [
            ("accounts", ["accounts": many(1_001) { ["name": .string("a\($0)")] }], 422),
            ("users", ["users": [["name": "ann", "associations": associations]]], 400),
            (
                "users_association",
                ["association_condition": ["accounts": ["guest"], "users": names]], 422
            ),
            (
                "users",
                [
                    "users": many(40) { index in
                        [
                            "name": .string("u\(index)"),
                            "associations": many(100) { _ in ["account": "guest"] },
                        ]
                    }
                ], 422
            ),
        ]
        for (path, body, status) in cases {
            let answer = try Self.ask(centre, "POST", "/slurmdb/v0.0.44/\(path)", body)
            #expect(answer.status == status, "\(path): \(answer.json.compactText.prefix(500))")
        }
        var edit = PeopleEdit()
        edit.entity = "user"
        edit.accounts = ["guest"]
        edit.names = (0..<3_001).map { "u\($0)" }
        let refused = try centre.ask("POST /v1/people", centre.bearer, body: edit.json.compactText)
        #expect(refused.status == 400)
        #expect(refused.body.contains("bad_people"))
        let accounts: JSONValue = ["accounts": many(1_000) { ["name": .string("a\($0)")] }]
        let made = try Self.ask(centre, "POST", "/slurmdb/v0.0.44/accounts", accounts)
        #expect(made.status == 200, "\(made.json.compactText.prefix(500))")
    }

    @Test("A member without effect is told of wherever it stands")
    func warnings() throws {
        let centre = try NetworkCentre()
        let users: JSONValue = [
            "users": [
                [
                    "name": "ann", "x": 1,
                    "associations": [["account": "guest", "priority": 3, "y": [:]]],
                ]
            ]
        ]
        let condition: JSONValue = [
            "association_condition": [
                "accounts": ["guest"], "users": ["bob"], "clusters": ["c"],
                "association": ["comment": "none", "fairshare": 2],
            ], "user": ["defaultwckey": "w"],
        ]
        for (path, body, places) in [
            (
                "users", users,
                ["#/users/0/x"]
                    + ["priority", "y"].map { "#/users/0/associations/0/\($0)" }
            ),
            (
                "users_association", condition,
                [
                    "#/association_condition/clusters",
                    "#/association_condition/association/comment", "#/user/defaultwckey",
                ]
            ),
        ] {
            let answer = try Self.ask(centre, "POST", "/slurmdb/v0.0.44/\(path)", body)
            #expect(answer.status == 200, "\(answer.json.compactText)")
            let told = answer.json["warnings"]?.array?.compactMap { $0["source"]?.string } ?? []
            #expect(Set(told) == Set(places), "\(path): \(told)")
        }
    }

    @Test("A key that cannot be, or came with another request, is the request's fault")
    func keys() throws {
        let centre = try NetworkCentre()
        func submit(_ name: String, key: String) throws -> Int {
            let body: JSONValue = [
                "script": "#!/bin/sh\ntrue\n",
                "job": [
                    "name": .string(name), "current_working_directory": "/tmp",
                    "environment": ["PATH=/bin"],
                ],
            ]
            let fields = ["Idempotency-Key": key]
            let path = "/slurm/v0.0.44/job/submit"
            return try Self.ask(centre, "POST", path, body, fields: fields).status
        }
        #expect(try submit("one", key: "k") == 200)
        #expect(try submit("one", key: "k") == 200)
        #expect(try submit("two", key: "k") == 422)
        #expect(try submit("two", key: "a b") == 400)
        #expect(try centre.daemon.jobs().count == 1)
    }

    @Test("What is refused before any route sees it speaks the version that was asked for")
    func versions() throws {
        let centre = try NetworkCentre()
        for (fields, path) in [([:], "jobs"), (["X-SLURM-USER-TOKEN": centre.token], "nothing")] {
            let answer = try centre.ask("GET /slurmdb/v0.0.44/\(path)", fields)
            let json = try JSONValue(parsing: answer.body)
            let plugin = json["meta"]?["plugin"]
            #expect(plugin?["data_parser"]?.string == "data_parser/v0.0.44", "\(answer.body)")
            #expect(plugin?["type"]?.string == "openapi/slurmdbd")
            #expect(json["meta"]?["slurm"]?["cluster"]?.string?.isEmpty == false)
        }
    }
}
