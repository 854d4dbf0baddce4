import Foundation
import LocalClient
import Quantities
import Testing
import WireFormats

@testable import HTTPService
@testable import SlurmDialect

/// A centre on the network as Slurm's clients see it.
private struct Rest {
    let centre: NetworkCentre
    /// The partition of jobs that name none, and one of its nodes.
    let partition: String
    let node: String

    init(_ extra: [String] = []) throws {
        centre = try NetworkCentre(extra)
        let list = try centre.daemon.client.get("/v1/partitions", as: PartitionList.self)
        let usual = list.partitions.first { $0.isDefault }
        let name = try #require(usual?.name)
        partition = name
        let nodes = try centre.daemon.client.get("/v1/nodes", as: NodeList.self).nodes
        let first = nodes.first { $0.partitions.contains(name) }
        node = try #require(first?.name)
    }

    /// Asks the controller in a version, or any address that begins with a slash.
    func ask(
        _ method: String,
        _ path: String,
        _ body: JSONValue? = nil,
        _ version: DataVersion = .v44,
        fields: [String: String]? = nil
    ) throws -> (status: Int, json: JSONValue) {
        let answer = try centre.ask(
            "\(method) \(path.hasPrefix("/") ? path : "/slurm/\(version.rawValue)/\(path)")",
            fields ?? ["X-SLURM-USER-TOKEN": centre.token],
            body: body?.compactText ?? ""
        )
        return (answer.status, try JSONValue(parsing: answer.body))
    }

    func status() throws -> CentreStatus {
        try centre.daemon.client.get("/v1/status", as: CentreStatus.self)
    }

    func submit(_ change: JSONValue = [:], _ version: DataVersion = .v44) throws -> Int64 {
        let answer = try ask("POST", "job/submit", Self.submission(change), version)
        #expect(answer.status == 200, "\(answer.json.compactText)")
        return try #require(answer.json["job_id"]?.integer)
    }

    func job(_ id: Int64, _ version: DataVersion = .v44) throws -> JSONValue {
        let answer = try ask("GET", "job/\(id)", nil, version)
        #expect(answer.status == 200, "\(answer.json.compactText)")
        return try #require(answer.json["jobs"]?.array?.first)
    }

    static func submission(_ change: JSONValue = [:]) -> JSONValue {
        let job: JSONValue = [
            "name": "rest", "current_working_directory": "/tmp",
            "environment": ["PATH=/usr/bin:/bin"], "comment": "runtime=600",
        ]
        let names = Set((change.members ?? []).map(\.name))
        let kept = (job.members ?? []).filter { !names.contains($0.name) }
        return [
            "script": "#!/bin/sh\ntrue\n", "job": .object(kept + (change.members ?? [])),
        ]
    }
}

@Suite("Slurm's REST")
struct RestTests {
    @Test("Every question is answered in each version that has it, in Slurm's envelope")
    func questions() throws {
        let rest = try Rest()
        let job = try rest.submit()
        let names = [
            "{job_id}": "\(job)", "{node_name}": rest.node, "{partition_name}": rest.partition,
            "{account_name}": "guest", "{name}": "nobody", "{qos}": "normal",
            "{cluster_name}": "x", "{reservation_name}": "none",
        ]
        for route in SlurmRoute.all where route.isQuestion {
            for version in DataVersion.allCases where route.isIn(version) {
                let path = names.reduce(route.describedPath(version)) { path, name in
                    path.replacingOccurrences(of: name.key, with: name.value)
                }
                let (status, json) = try rest.ask("GET", path)
                guard !path.hasSuffix("/reservation/none") else {
                    #expect(status == 422)
                    continue
                }
                #expect(status == 200, "\(path): \(json.compactText)")
                let plugin = json["meta"]?["plugin"]
                #expect(plugin?["data_parser"]?.string == "data_parser/\(version.rawValue)")
                #expect(plugin?["type"]?.string?.hasPrefix("openapi/slurm") == true)
                #expect(json["errors"] == [], "\(path)")
                #expect(json["warnings"]?.array != nil, "\(path)")
                for member in route.answer { #expect(json[member] != nil, "\(path): \(member)") }
            }
        }
    }

    @Test("The socket serves it too, for whoever the kernel says it is")
    func socket() throws {
        let rest = try Rest()
        let job = try rest.submit()
        let connection = try RawConnection(rest.centre.daemon.socket)
        connection.send(
            "GET /slurm/v0.0.42/job/\(job) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )
        let answer = connection.receive()
        #expect(answer.contains("\"job_id\":\(job),"), "\(answer)")
        #expect(answer.contains("\"data_parser\":\"data_parser/v0.0.42\""))
    }

    @Test(
        "A job is submitted, changed, held, signalled and cancelled",
        arguments: DataVersion.allCases
    )
    func life(version: DataVersion) throws {
        let rest = try Rest()
        let id = try rest.submit(
            ["time_limit": ["set": true, "number": 5], "hold": true, "minimum_nodes": 1],
            version
        )
        var job = try rest.job(id, version)
        #expect(job["job_state"] == ["PENDING"])
        #expect(job["hold"] == true)
        #expect(job["time_limit"]?["number"] == 5)
        #expect((job["association_id"]?.integer ?? 0) > 0)
        #expect(job["cluster"]?.string == (try rest.status()).machine)
        let change: JSONValue = ["time_limit": 7, "comment": "runtime=700", "hold": false]
        let changed = try rest.ask("POST", "job/\(id)", change, version)
        #expect(changed.status == 200, "\(changed.json.compactText)")
        #expect(changed.json["results"]?.array?.allSatisfy { $0["error_code"] == 0 } == true)
        #expect((changed.json["job_id"] != nil) == (version == .v41))
        job = try rest.job(id, version)
        #expect(job["job_state"] == ["RUNNING"])
        #expect(job["time_limit"]?["number"] == 7)
        #expect(job["comment"] == "runtime=700")
        #expect(try rest.ask("DELETE", "job/\(id)?signal=USR1", nil, version).status == 200)
        #expect(try rest.job(id, version)["job_state"] == ["RUNNING"])
        let ended = try rest.ask("DELETE", "job/\(id)", nil, version)
        #expect(ended.status == 200, "\(ended.json.compactText)")
        #expect(ended.json["status"]?.array?.first?["job_id"]?["number"]?.integer == id)
        #expect(try rest.job(id, version)["job_state"] == ["CANCELLED"])
        // Whoever cancels what is over has what he wants.
        let again = try rest.ask("DELETE", "job/\(id)", nil, version)
        #expect(again.status == 200)
        #expect(again.json["warnings"]?.array?.isEmpty == false)
        let records = try rest.ask("GET", "/slurmdb/\(version.rawValue)/job/\(id)")
        let record = try #require(records.json["jobs"]?.array?.first)
        #expect(record["state"]?["current"] == ["CANCELLED"])
        #expect(record["association"]?["id"] == job["association_id"])
    }

    @Test("An allocation waits for its user; a batch of jobs is chosen and cancelled")
    func allocation() throws {
        let rest = try Rest()
        let asked = try rest.ask("POST", "job/allocate", ["job": ["tasks": 1, "name": "inner"]])
        #expect(asked.status == 200, "\(asked.json.compactText)")
        let id = try #require(asked.json["job_id"]?.integer)
        #expect(try rest.job(id)["batch_flag"] == false)
        let ids = [try rest.submit(), try rest.submit(["array": "0-2"])]
        let chosen: JSONValue = ["jobs": .array((ids + [id]).map { .string("\($0)") })]
        let ended = try rest.ask("DELETE", "jobs", chosen)
        #expect(ended.json["status"]?.array?.count == 5, "\(ended.json.compactText)")
        let states = try rest.ask("GET", "jobs/state?job_id=\(ids[0])")
        #expect(states.json["jobs"]?.array?.map { $0["job_state"] } == [["CANCELLED"]])
    }

    @Test("A user is meant by number as by name")
    func userNumbers() throws {
        let rest = try Rest()
        let id = try rest.submit()
        let other = try rest.ask("DELETE", "jobs", ["user_id": .string("\(getuid() + 1)")])
        #expect(other.json["status"] == [], "\(other.json.compactText)")
        let mine = try rest.ask("DELETE", "jobs", ["user_id": .string("\(getuid())")])
        #expect(mine.json["status"]?.array?.count == 1, "\(mine.json.compactText)")
        #expect(try rest.job(id)["job_state"] == ["CANCELLED"])
    }

    @Test("What cannot be is refused with a number, a sentence, its place and Slurm's status")
    func refusals() throws {
        let rest = try Rest()
        let running = try rest.submit()
        let cases: [(String, String, JSONValue?, Int, Int64, String)] = [
            ("GET", "job/4000000", nil, 404, 2_017, "_handle_job_get"),
            ("GET", "job/x", nil, 404, 2_017, "job_id"),
            ("DELETE", "job/4000000", nil, 404, 2_017, "slurm_kill_jobs()"),
            ("DELETE", "job/\(running)?signal=NONE", nil, 422, 9_000, "signal"),
            ("GET", "node/none", nil, 500, 2_018, "node_name"),
            ("GET", "partition/none", nil, 422, 9_000, "partition_name"),
            ("DELETE", "jobs?nonsense=1", nil, 422, 9_000, "nonsense"),
            ("POST", "job/submit", [:], 422, 9_000, "#/job"),
            ("POST", "job/submit", ["job": [:]], 422, 9_000, "#/script"),
            ("POST", "job/submit", ["script": "true", "job": [:]], 422, 9_000, "#/script"),
            (
                "POST", "job/submit", ["script": "#!/bin/sh\n", "job": [:]], 422, 9_000,
                "#/job/environment"
            ),
            ("POST", "job/submit", ["script": 5, "job": [:]], 400, 9_001, "#/script"),
            (
                "POST", "job/submit", Rest.submission(["tasks": "many"]), 400, 9_001, "#/job/tasks"
            ),
            (
                "POST", "job/submit", Rest.submission(["tasks": 99_999_999_999]), 400, 9_001,
                "#/job/tasks"
            ),
            (
                "POST", "job/submit", Rest.submission(["name": "a\nb"]), 400, 9_001, "#/job"
            ),
            (
                "POST", "job/submit", Rest.submission(["partition": "none"]), 500, 2_000,
                "job/submit"
            ),
            ("POST", "job/submit", Rest.submission(["array": "9-1"]), 400, 9_001, "#/job/array"),
            ("POST", "node/\(rest.node)", [:], 422, 9_000, "#"),
            ("POST", "node/\(rest.node)", ["state": ["SHINY"]], 500, 2_028, "node/{node_name}"),
            ("DELETE", "jobs", [:], 422, 9_000, "#/jobs"),
            ("DELETE", "/slurmdb/v0.0.44/associations", nil, 422, 9_000, "account"),
            ("GET", "/slurm/v0.0.39/jobs", nil, 404, 9_006, ""),
            ("GET", "/slurm/v0.0.44/nothing", nil, 404, 9_006, ""),
            ("PUT", "jobs", nil, 405, 9_007, ""),
        ]
        for (method, path, body, status, number, source) in cases {
            let answer = try rest.ask(method, path, body)
            let error = answer.json["errors"]?.array?.first
            #expect(answer.status == status, "\(method) \(path): \(answer.json.compactText)")
            #expect(error?["error_number"]?.integer == number, "\(method) \(path)")
            #expect(error?["source"]?.string == source, "\(method) \(path)")
            #expect(error?["description"]?.string?.isEmpty == false)
            #expect(error?["error"]?.string?.isEmpty == false)
        }
        let broken = try rest.centre.ask(
            "POST /slurm/v0.0.44/job/submit",
            ["X-SLURM-USER-TOKEN": rest.centre.token],
            body: "{\"script\":"
        )
        #expect(broken.status == 400)
        #expect(broken.body.contains("\"error_number\":9001"))
        // Nothing of all this changed anything.
        #expect(try rest.ask("GET", "jobs").json["jobs"]?.array?.count == 1)
    }

    @Test("A member that Slurm does not know, or that has no effect here, is told and passed over")
    func members() throws {
        let rest = try Rest()
        let body = Rest.submission(["no_such": 1, "mail_user": "me", "exclusive": ["user"]])
        let (status, json) = try rest.ask("POST", "job/submit", body)
        #expect(status == 200)
        let sources = json["warnings"]?.array?.compactMap { $0["source"]?.string } ?? []
        #expect(sources == ["#/job/no_such", "#/job/mail_user", "#/job/exclusive"])
        // The first version has it.
        let old = try rest.ask("POST", "job/submit", Rest.submission(["exclusive": ["user"]]), .v41)
        #expect(old.json["warnings"] == [])
        #expect(old.json["result"]?["job_id"] == old.json["job_id"])
        let many = JSONValue.object((0..<5_000).map { .init("m\($0)", 1) })
        let told = try rest.ask("POST", "job/submit", Rest.submission(many))
        #expect(told.json["warnings"]?.array?.count == 33)
    }

    @Test("Without a token, or with another's name, nothing is told; too large a body is refused")
    func strangers() throws {
        let rest = try Rest()
        let token = rest.centre.token
        for fields in [
            [:], ["X-SLURM-USER-TOKEN": token + "x"],
            ["X-SLURM-USER-TOKEN": token, "X-SLURM-USER-NAME": "nobody"],
        ] {
            let answer = try rest.ask("GET", "jobs", fields: fields)
            #expect(answer.status == 401)
            let error = answer.json["errors"]?.array?.first
            #expect(error?["error_number"] == 9_008)
            #expect(answer.json["jobs"] == nil)
        }
        let large = try rest.centre.ask(
            "POST /slurm/v0.0.44/job/submit",
            ["X-SLURM-USER-TOKEN": token],
            body: String(repeating: " ", count: 17 << 20)
        )
        #expect(large.status == 413)
        #expect(large.body.contains("\"errors\":[{"))
        #expect(try rest.ask("GET", "ping").status == 200)
    }

    @Test(
        "Whoever may not see others' jobs does not see them here either",
        .enabled(if: getuid() == 0, "only root gets another's token")
    )
    func privateData() throws {
        let rest = try Rest(["--private-data", "jobs,usage,nodes"])
        let job = try rest.submit()
        var request = TokenRequest()
        request.user = "nobody"
        let other = try rest.centre.daemon.client.post("/v1/token", request, as: TokenResponse.self)
        let fields = ["X-SLURM-USER-TOKEN": other.token]
        #expect(try rest.ask("GET", "jobs", fields: fields).json["jobs"] == [])
        #expect(try rest.ask("GET", "job/\(job)", fields: fields).status == 404)
        #expect(try rest.ask("GET", "/slurmdb/v0.0.44/jobs", fields: fields).json["jobs"] == [])
        #expect(try rest.ask("GET", "nodes", fields: fields).status == 500)
        let cancelled = try rest.ask("DELETE", "job/\(job)", fields: fields)
        #expect(cancelled.status != 200, "\(cancelled.json.compactText)")
        let denied = try rest.ask("POST", "node/\(rest.node)", ["state": ["DOWN"]], fields: fields)
        #expect(denied.json["errors"]?.array?.first?["error_number"] == 2_002)
        let added: JSONValue = ["accounts": [["name": "lab"]]]
        #expect(
            try rest.ask("POST", "/slurmdb/v0.0.44/accounts", added, fields: fields).status == 500
        )
        #expect(try rest.job(job)["job_state"] == ["RUNNING"])
    }

    @Test("Nodes are drained and brought back")
    func nodes() throws {
        let rest = try Rest()
        let drain: JSONValue = ["state": ["DRAIN"], "reason": "a fan"]
        #expect(try rest.ask("POST", "node/\(rest.node)", drain).status == 200)
        func node() throws -> JSONValue? {
            try rest.ask("GET", "node/\(rest.node)").json["nodes"]?.array?.first
        }
        #expect(try node()?["state"]?.array?.contains("DRAIN") == true)
        #expect(try node()?["reason"] == "a fan")
        let back: JSONValue = ["name": [.string(rest.node)], "state": ["RESUME"]]
        #expect(try rest.ask("POST", "nodes", back).status == 200)
        #expect(try node()?["state"] == ["IDLE"])
    }

    @Test("A reservation is made, changed and ended")
    func reservations() throws {
        let rest = try Rest()
        let start = try rest.status().now.seconds + 3_600
        let asked: JSONValue = [
            "name": "course", "start_time": .integer(start),
            "duration": ["set": true, "number": 60],
            "node_list": [.string(rest.node)], "users": ["root"],
        ]
        let made = try rest.ask("POST", "reservation", asked)
        #expect(made.status == 200, "\(made.json.compactText)")
        #expect(made.json["reservations"] == [["name": "course"]])
        let longer: JSONValue = ["reservations": [["name": "course", "duration": 120]]]
        #expect(try rest.ask("POST", "reservations", longer).status == 200)
        let found = try rest.ask("GET", "reservation/course").json["reservations"]?.array?.first
        #expect(found?["end_time"]?["number"]?.integer == start + 7_200)
        #expect(try rest.ask("POST", "reservation", asked, .v42).status == 404)
        #expect(try rest.ask("DELETE", "reservation/course").status == 200)
        #expect(try rest.ask("GET", "reservation/course").status == 422)
    }

    @Test(
        "Accounts, users and limits are made, shown and removed; what fails halfway changes nothing"
    )
    func people() throws {
        let rest = try Rest()
        func db(_ method: String, _ path: String, _ body: JSONValue? = nil) throws -> JSONValue {
            let answer = try rest.ask(method, "/slurmdb/v0.0.44/\(path)", body)
            #expect(answer.status == 200, "\(path): \(answer.json.compactText)")
            return answer.json
        }
        let lab: JSONValue = ["name": "lab", "description": "A lab", "organization": "uni"]
        _ = try db("POST", "accounts", ["accounts": [lab]])
        let shown = try db("GET", "account/lab")["accounts"]?.array?.first
        #expect(shown?["description"] == "A lab")
        #expect(shown?["organization"] == "uni")
        let limits: JSONValue = [
            "account": "lab", "user": "ann", "is_default": true, "shares_raw": 7,
            "max": [
                "jobs": ["active": ["set": true, "number": 2], "per": ["wall_clock": 90]],
                "tres": ["per": ["job": [["type": "cpu", "count": 64]]]],
            ],
        ]
        _ = try db("POST", "associations", ["associations": [limits]])
        let association = try db("GET", "association?account=lab&user=ann")["associations"]?
            .array?.first
        #expect(association?["shares_raw"] == 7)
        #expect(association?["is_default"] == true)
        #expect(association?["max"]?["jobs"]?["active"]?["number"] == 2)
        #expect(association?["max"]?["jobs"]?["per"]?["wall_clock"]?["number"] == 90)
        #expect(association?["max"]?["jobs"]?["total"]?["infinite"] == true)
        #expect(association?["max"]?["tres"]?["per"]?["job"]?.array?.first?["count"] == 64)
        // What was read is taken back as it is.
        _ = try db("POST", "accounts", ["accounts": .array([try #require(shown)])])
        _ = try db("POST", "associations", ["associations": .array([try #require(association)])])
        let more: JSONValue = [
            "association_condition": [
                "accounts": ["lab"], "users": ["bob"],
                "association": ["maxjobs": ["set": true, "number": 3], "fairshare": 4],
            ], "user": ["adminlevel": ["None"]],
        ]
        let added = try db("POST", "users_association", more)
        #expect(added["added_users"]?.string?.contains("bob") == true)
        let sub: JSONValue = [
            "association_condition": ["accounts": ["sub"], "association": ["parent": "lab"]],
            "account": ["description": "Below", "organization": "uni"],
        ]
        _ = try db("POST", "accounts_association", sub)
        let under = try db("GET", "associations?account=sub")["associations"]?.array?.first
        #expect(under?["parent_account"] == "lab")
        // The second has no account that there is, so the first is not made either.
        let halves: JSONValue = [
            "associations": [
                ["account": "lab", "user": "carl"], ["account": "none", "user": "carl"],
            ]
        ]
        #expect(try rest.ask("POST", "/slurmdb/v0.0.44/associations", halves).status == 500)
        #expect(try db("GET", "user/carl")["users"] == [])
        #expect(try db("GET", "users")["users"]?.array?.contains { $0["name"] == "bob" } == true)
        for (levels, isThere) in [
            ("None,Administrator", true), ("None", true), ("Operator", false),
        ] {
            let users = try db("GET", "users?admin_level=\(levels)")["users"]?.array ?? []
            #expect(users.contains { $0["name"] == "bob" } == isThere, "\(levels)")
        }
        let gone = try db("DELETE", "association?account=lab&user=bob")
        #expect(gone["removed_associations"]?.array?.count == 1)
        #expect(try db("GET", "user/bob")["users"] == [])
        #expect(try db("DELETE", "user/ann")["removed_users"] == ["ann"])
        #expect(try db("DELETE", "account/sub")["removed_accounts"] == ["sub"])
        #expect(try db("DELETE", "account/lab")["removed_accounts"] == ["lab"])
        #expect(try db("GET", "account/lab")["accounts"] == [])
    }

    @Test("Coordinators are made with accounts and users, and are told who asks for them")
    func coordinators() throws {
        let rest = try Rest()
        func db(_ method: String, _ path: String, _ body: JSONValue? = nil) throws -> JSONValue {
            let answer = try rest.ask(method, "/slurmdb/v0.0.44/\(path)", body)
            #expect(answer.status == 200, "\(path): \(answer.json.compactText)")
            #expect(answer.json["warnings"] == [], "\(path): \(answer.json.compactText)")
            return answer.json
        }
        let lab: JSONValue = ["name": "lab", "coordinators": [["name": "ann"]]]
        _ = try db("POST", "accounts", ["accounts": [lab]])
        let group: JSONValue = [
            "association_condition": ["accounts": ["group"], "association": ["parent": "lab"]]
        ]
        _ = try db("POST", "accounts_association", group)
        let bob: JSONValue = [
            "name": "bob", "coordinators": [["name": "group"]],
            "associations": [["account": "lab"]],
        ]
        let ann: JSONValue = ["name": "ann", "associations": [["account": "lab"]]]
        _ = try db("POST", "users", ["users": [bob, ann]])
        func told(_ path: String, _ list: String) throws -> JSONValue? {
            try db("GET", path)[list]?.array?.first?["coordinators"]
        }
        #expect(try told("account/lab", "accounts") == [])
        #expect(
            try told("account/lab?with_coords=1", "accounts") == [["name": "ann", "direct": true]]
        )
        #expect(try told("user/bob?with_coords=1", "users") == [["name": "group", "direct": true]])
        let both: JSONValue = [
            ["name": "group", "direct": false], ["name": "lab", "direct": true],
        ]
        #expect(try told("user/ann?with_coords=1", "users") == both)
    }

    @Test("Users that were read are taken back as they are, levels and coordinators too")
    func usersTakenBack() throws {
        let rest = try Rest()
        func db(_ method: String, _ path: String, _ body: JSONValue? = nil) throws -> JSONValue {
            let answer = try rest.ask(method, "/slurmdb/v0.0.44/\(path)", body)
            #expect(answer.status == 200, "\(path): \(answer.json.compactText)")
            return answer.json
        }
        _ = try db("POST", "accounts", ["accounts": [["name": "lab"]]])
        let below: JSONValue = [
            "association_condition": ["accounts": ["group"], "association": ["parent": "lab"]]
        ]
        _ = try db("POST", "accounts_association", below)
        let users: [JSONValue] = ["eve", "olga", "ann"].map { name in
            ["name": .string(name), "associations": [["account": "lab"]]]
        }
        _ = try db("POST", "users", ["users": .array(users)])
        _ = try db(
            "POST",
            "users",
            ["users": [["name": "ann", "coordinators": [["name": "lab"]]]]]
        )
        for (name, level) in [("eve", "Auditor"), ("olga", "Operator")] {
            var edit = PeopleEdit()
            (edit.verb, edit.entity, edit.names) = ("modify", "user", [name])
            edit.settings = [NamedLimit(name: "AdminLevel", value: level)]
            _ = try rest.centre.daemon.client.post("/v1/people", edit, as: PeopleEditResponse.self)
        }
        func people() throws -> [AssociationInfo] {
            var list = try rest.centre.daemon.client.get("/v1/people", as: PeopleList.self)
                .associations
            for index in list.indices { list[index].usage = 0 }
            return list
        }
        let before = try people()
        #expect(before.first { $0.user == "eve" }?.shownAdminLevel == "Auditor")
        let read = try db("GET", "users?with_coords=1")["users"]
        _ = try db("POST", "users", ["users": try #require(read)])
        #expect(try people() == before)
        // Another level than the one that is shown is a change.
        let olga: JSONValue = ["name": "olga", "administrator_level": ["None"]]
        _ = try db("POST", "users", ["users": [olga]])
        #expect(try people().first { $0.user == "olga" }?.shownAdminLevel == "None")
    }

    @Test(
        "QOS are made, changed and removed; what was read is taken back as it is",
        arguments: DataVersion.allCases
    )
    func qualities(version: DataVersion) throws {
        let rest = try Rest()
        func db(
            _ method: String,
            _ path: String,
            _ body: JSONValue? = nil,
            status: Int = 200
        ) throws -> JSONValue {
            let answer = try rest.ask(method, "/slurmdb/\(version.rawValue)/\(path)", body)
            #expect(answer.status == status, "\(path): \(answer.json.compactText)")
            return answer.json
        }
        let gold: JSONValue = [
            "name": "gold", "flags": ["DENY_LIMIT"],
            "priority": ["set": true, "number": 100],
            "usage_factor": ["set": true, "number": .number(0.5)],
            "preempt": ["list": ["normal"], "mode": ["REQUEUE"], "exempt_time": 60],
            "limits": [
                "grace_time": 30,
                "max": [
                    "jobs": ["active_jobs": ["per": ["user": ["set": true, "number": 2]]]],
                    "wall_clock": ["per": ["job": 90]],
                    "tres": ["per": ["user": [["type": "cpu", "count": 64]]]],
                ],
            ],
        ]
        let made = try db("POST", "qos", ["qos": [gold]])
        #expect(made["warnings"] == [], "\(made.compactText)")
        let shown = try #require(try db("GET", "qos/gold")["qos"]?.array?.first)
        #expect(shown["flags"] == ["DENY_LIMIT"])
        #expect(shown["priority"]?["number"] == 100)
        #expect(shown["usage_factor"]?["number"]?.double == 0.5)
        #expect(shown["preempt"]?["list"] == ["normal"])
        #expect(shown["preempt"]?["mode"] == ["REQUEUE"])
        #expect(shown["preempt"]?["exempt_time"]?["number"] == 60)
        let limits = shown["limits"]
        #expect(limits?["grace_time"] == 30)
        #expect(limits?["max"]?["jobs"]?["active_jobs"]?["per"]?["user"]?["number"] == 2)
        #expect(limits?["max"]?["wall_clock"]?["per"]?["job"]?["number"] == 90)
        #expect(limits?["max"]?["tres"]?["per"]?["user"]?.array?.first?["count"] == 64)
        _ = try db("POST", "qos", ["qos": [shown]])
        #expect(try db("GET", "qos/gold")["qos"]?.array?.first == shown)
        let less: JSONValue = [
            "id": try #require(shown["id"]), "flags": ["REMOVE", "DENY_LIMIT"],
            "preempt": ["list": []], "priority": 7,
            "limits": ["max": ["wall_clock": ["per": ["job": ["infinite": true]]]]],
        ]
        _ = try db("POST", "qos", ["qos": [less]])
        let left = try db("GET", "qos/gold")["qos"]?.array?.first
        #expect(left?["flags"] == [])
        #expect(left?["preempt"]?["list"] == [])
        #expect(left?["priority"]?["number"] == 7)
        #expect(left?["limits"]?["max"]?["wall_clock"]?["per"]?["job"]?["infinite"] == true)
        #expect(left?["limits"]?["max"]?["jobs"]?["active_jobs"]?["per"]?["user"]?["number"] == 2)
        let job = try rest.submit(["qos": "gold"], version)
        _ = try db("DELETE", "qos/gold", status: 500)
        _ = try rest.ask("DELETE", "job/\(job)", nil, version)
        #expect(try db("DELETE", "qos/gold")["removed_qos"] == ["gold"])
        #expect(try db("GET", "qos/gold")["qos"] == [])
        #expect(try db("DELETE", "qos/gold")["removed_qos"] == [])
    }

    @Test(
        "A QOS that cannot be read, or cannot be, is refused with its member, and none of a request is made"
    )
    func wrongQualities() throws {
        let rest = try Rest()
        for (wrong, status, place) in [
            (["name": "iron", "flags": ["SHINY"]], 400, "#/qos/1/flags"),
            (["priority": 5], 422, "#/qos/1/name"),
            (["name": "iron", "limits": ["max": ["tres": ["total": 5]]]], 400, "#/qos/1/limits"),
            (["name": "iron", "preempt": ["list": ["none"]]], 500, ""),
            (["name": "iron", "preempt": ["mode": ["TELEPORT"]]], 500, ""),
            (["name": "iron", "usage_factor": "much"], 500, ""),
            (["name": "iron", "usage_factor": true], 400, "#/qos/1/usage_factor"),
            (["name": "a b"], 500, ""),
        ] as [(JSONValue, Int, String)] {
            let body: JSONValue = ["qos": [["name": "fine"], wrong]]
            let answer = try rest.ask("POST", "/slurmdb/v0.0.44/qos", body)
            #expect(answer.status == status, "\(answer.json.compactText)")
            let source = answer.json["errors"]?.array?.first?["source"]?.string ?? ""
            #expect(source.hasPrefix(place), "\(source)")
        }
        #expect(try rest.ask("GET", "/slurmdb/v0.0.44/qos/fine").json["qos"] == [])
        #expect(try rest.ask("POST", "/slurmdb/v0.0.44/qos", [:]).status != 200)
    }

    /// Source: eth-cscs/firecrest-v2, `slurm_rest_client.py` and the models that it reads answers with.
    @Test("FireCREST's server finds all that it asks for and that its models need")
    func firecrest() throws {
        let rest = try Rest()
        let user = NSUserName()
        let fields = ["X-SLURM-USER-NAME": user, "X-SLURM-USER-TOKEN": rest.centre.token]
        let job: JSONValue = [
            "job": [
                "name": "crest", "current_working_directory": "/tmp",
                "environment": ["F7T_version=v2.0.0"], "script": "#!/bin/sh\ntrue\n",
            ]
        ]
        func ask(_ path: String) throws -> JSONValue {
            let answer = try rest.ask("GET", path, fields: fields)
            #expect(answer.status == 200, "\(path): \(answer.json.compactText)")
            return answer.json
        }
        let sent = try rest.ask("POST", "job/submit", job, .v42, fields: fields)
        let id = try #require(sent.json["job_id"]?.integer)
        for path in ["slurm", "slurmdb"] {
            for question in ["job/\(id)", "jobs?account=guest", "jobs"] {
                let jobs = try ask("/\(path)/v0.0.42/\(question)")["jobs"]?.array ?? []
                let found = try #require(jobs.first { $0["job_id"]?.integer == id })
                for member in ["name", "cluster", "nodes", "partition"] {
                    #expect(found[member]?.string?.isEmpty == false, "\(path) \(member)")
                }
                #expect((found["user"] ?? found["user_name"])?.string == user)
                let count = found["allocation_nodes"] ?? found["job_resources"]?["nodes"]?["count"]
                #expect(count?.integer == 1, "\(path)")
                let folder = found["working_directory"] ?? found["current_working_directory"]
                #expect(folder == "/tmp")
                #expect(found["exit_code"]?["signal"]?["id"] != nil)
                #expect(found["exit_code"]?["return_code"] != nil)
                #expect((found["time"] ?? found["start_time"])?.members != nil)
            }
        }
        let nodes = try ask("/slurm/v0.0.42/nodes")["nodes"]?.array ?? []
        #expect(nodes.allSatisfy { $0["cpus"]?.integer != nil && $0["state"]?.array != nil })
        let partition = try ask("/slurm/v0.0.42/partitions?flags=all")["partitions"]?.array?.first
        #expect(partition?["nodes"]?["total"]?.integer != nil)
        #expect(partition?["cpus"]?["total"]?.integer != nil)
        #expect(partition?["partition"]?["state"] == ["UP"])
        #expect(try ask("/slurm/v0.0.42/reservations")["reservations"] == [])
        #expect(try ask("/slurm/v0.0.42/ping")["pings"]?.array?.first?["pinged"] == "UP")
        let added: JSONValue = ["associations": [["account": "guest", "user": .string(user)]]]
        _ = try rest.ask("POST", "/slurmdb/v0.0.42/associations", added)
        let mine = try ask("/slurmdb/v0.0.42/associations?user=\(user)")["associations"]?.array
        #expect(mine?.first?["account"] == "guest")
        #expect(mine?.first?["is_default"]?.bool != nil)
        #expect(try rest.ask("DELETE", "job/\(id)", fields: fields).status == 200)
        #expect(try rest.ask("GET", "job/4000000", fields: fields).status == 404)
    }
}
