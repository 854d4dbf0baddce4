import ClusterModel
import Foundation
import LocalClient
import TestSupport
import Testing
import WireFormats

@testable import HTTPService
@testable import SlurmDialect

@Suite("Roles")
struct RightsTests {
    /// As docs/security.md has it.
    private static let table = """
        | | `user` | `coordinator` | `office` | `auditor` | `operator` |
        |---|---|---|---|---|---|
        | see jobs | own | accounts | own | all | all |
        | read charges | own | accounts | own | all | all |
        | read money | own | accounts | all | all | all |
        | change jobs | own | accounts | own | own | all |
        | change people | - | accounts | - | - | all |
        | operate | - | - | - | - | all |

        """

    @Test("The one table of roles is the one that is documented")
    func documented() throws {
        var text = "| |" + Role.allCases.map { " `\($0.rawValue)` |" }.joined() + "\n"
        text += "|---|" + Role.allCases.map { _ in "---|" }.joined() + "\n"
        for power in Power.allCases {
            let cells = Role.allCases.map { " \($0.reach(of: power).rawValue) |" }
            text += "| \(power.rawValue) |\(cells.joined())\n"
        }
        #expect(text == Self.table)
        let page = URL(fileURLWithPath: #filePath)
            .appendingPathComponent("../../../docs/security.md").standardized
        #expect(try String(contentsOf: page, encoding: .utf8).contains(Self.table))
    }

    @Test("Roles add up, and a coordinator's accounts are those below, wherever they stand")
    func roles() {
        var machine = SmallCentre.machine
        func account(_ name: String, parent: String?, _ coordinators: [String] = []) {
            var entry = AccountEntry(name: name, title: name, customerClass: .university, users: [])
            entry.parent = parent
            entry.coordinators = coordinators
            machine.accounts.append(entry)
        }
        account("group", parent: "lab")
        account("lab", parent: "school", ["ann"])
        account("school", parent: nil)
        account("other", parent: "school", ["bob"])
        machine.office = ["ann"]
        let ann = Rights(of: "ann", in: machine)
        #expect(ann.roles == [.user, .office, .coordinator])
        let coordination = machine.accounts.coordination
        #expect(coordination["ann"]?.map(\.account) == ["group", "lab"])
        #expect(coordination["ann"]?.map(\.isDirect) == [false, true])
        // As the one rule for all who ask has it.
        let places = machine.accounts.places
        for account in machine.accounts {
            for user in ["ann", "bob", "eve"] {
                let isFound = coordination[user]?.contains { $0.account == account.name } ?? false
                let isOne = machine.accounts.isCoordinated(account.name, by: user) { places[$0] }
                #expect(isFound == isOne, "\(user), \(account.name)")
            }
        }
        #expect(ann.may(.changeJobs, in: "group") && !ann.may(.changeJobs, in: "school"))
        #expect(ann.may(.readMoney, in: "school") && !ann.may(.readCharges, in: "other"))
        #expect(ann.may(.changeJobs, toJobOf: "other", isOwn: true))
        #expect(!ann.may(.operate) && ann.reach(of: .operate) == .nothing)
        #expect(Rights(of: "bob", in: machine, isOwner: true).may(.operate))
    }

    // MARK: Routes

    /// Users that every computer has, one of each role; the first two letters say it.
    private static let people: [(role: Role, letter: Character, user: String)] = [
        (.user, "u", "man"), (.coordinator, "c", "sys"), (.office, "f", "bin"),
        (.auditor, "a", "daemon"), (.operator, "o", "games"),
    ]

    private static let machine = """
        machine: m
        title: t
        node_types:
          - title: n
            name: n
            topology: {synthetic: "core:1024 pu:1"}
            processor: {model: x}
            cores: 1024
            memory: 1 GiB
        nodes: [{names: "n[0-3]", type: n}]
        platforms: [{name: p, title: p, key: true}]
        partitions:
          - name: q
            title: q
            nodes: "n[0-3]"
            sharing: cores
            platform: p
            prices: {core_hour: 0.1 CNY}
        accounts:
          - {name: open, title: Everybody, class: individual}
          - {name: phys, title: Physics, class: university, enterprise: uni, users: [root], coordinators: [sys]}
          - {name: lab, title: Lab, class: university, users: [root, nobody], parent: phys}
        default_account: open
        operators: [games]
        auditors: [daemon]
        office: [bin]

        """

    /// Who may use a route on what is somebody else's, where that is not everybody.
    private static let allowed: [String: String] = [
        "GET /v1/bill?account=phys": "cfao",
        "GET /v1/claims?enterprise=uni": "cfao",
        "GET /v1/ledger?account=lab": "cao",
        "GET /v1/jobs/:id/environment": "co",
        "GET /v1/jobs/:id/program?kernel=stream&size=1000&repeat=1": "co",
        "GET /v1/jobs/:id/script": "co",
        "POST /v1/archive": "o",
        "POST /v1/clock/advance": "o",
        "POST /v1/cancel": "co",
        "POST /v1/jobs/:id/cancel": "co",
        "POST /v1/jobs/:id/complete": "co",
        "POST /v1/jobs/:id/hold": "co",
        "POST /v1/jobs/:id/release": "co",
        "POST /v1/jobs/:id/requeue": "co",
        "POST /v1/jobs/:id/resume": "o",
        "POST /v1/jobs/:id/steps": "co",
        "POST /v1/jobs/:id/suspend": "o",
        "POST /v1/jobs/:id/top": "o",
        "POST /v1/jobs/:id/update": "co",
        "POST /v1/money": "o",
        "POST /v1/nodes/update": "o",
        "POST /v1/partitions/update": "o",
        "POST /v1/people": "co",
        "POST /v1/reservations": "o",
        "POST /v1/reservations/delete": "o",
        "POST /v1/reservations/update": "o",
        "POST /v1/shutdown": "o",
        // A token lets do all that its user may: no role gives those of others.
        "POST /v1/token": "",
        "DELETE /slurm/job/{job_id}": "co",
        "DELETE /slurm/jobs": "co",
        "DELETE /slurm/reservation/{reservation_name}": "o",
        "POST /slurm/job/{job_id}": "co",
        "POST /slurm/node/{node_name}": "o",
        "POST /slurm/nodes": "o",
        "POST /slurm/reservation": "o",
        "POST /slurm/reservations": "o",
        "DELETE /slurmdb/account/{account_name}": "co",
        "DELETE /slurmdb/association": "co",
        "DELETE /slurmdb/associations": "co",
        // It would take a user from all accounts.
        "DELETE /slurmdb/user/{name}": "o",
        "POST /slurmdb/accounts": "co",
        "POST /slurmdb/accounts_association": "co",
        "POST /slurmdb/associations": "co",
        "POST /slurmdb/qos": "o",
        "DELETE /slurmdb/qos/{qos}": "o",
        "POST /slurmdb/users": "co",
        "POST /slurmdb/users_association": "co",
    ]

    /// Routes that find nothing to change here, whoever asks.
    private static let empty: Set<String> = [
        "POST /v1/jobs/:id/complete", "POST /v1/reservations", "POST /v1/reservations/delete",
        "POST /v1/reservations/update", "POST /slurm/reservation", "POST /slurm/reservations",
        "DELETE /slurm/reservation/{reservation_name}", "DELETE /slurmdb/qos/{qos}",
    ]

    /// What is sent to a route.
    private static func body(_ route: String, _ job: UInt32) -> JSONValue {
        let id = JSONValue.integer(Int64(job))
        let association: JSONValue = ["account": "lab", "user": "nobody", "shares_raw": 2]
        return switch route {
        case "POST /v1/cancel": ["jobs": [["job_id": id]]]
        case "POST /v1/clock/advance": ["duration": 1]
        case "POST /v1/money": ["action": "limit", "account": "phys", "amount_fen": 100]
        case "POST /v1/nodes/update": ["nodes": "n0", "reason": "x"]
        case "POST /v1/partitions/update": ["name": "q", "state": "UP"]
        case "POST /v1/people":
            [
                "verb": "modify", "entity": "account", "names": ["lab"],
                "settings": [["name": "fairshare", "value": "2"]],
            ]
        case "POST /v1/reservations/delete", "POST /v1/reservations/update": ["name": "none"]
        case "POST /v1/token": ["user": "root"]
        case "POST /v1/jobs/:id/steps": ["name": "x"]
        case "DELETE /slurm/jobs": ["jobs": [.string("\(job)")]]
        case "POST /slurm/nodes": ["name": ["n0"], "reason": "x"]
        case "POST /slurm/node/{node_name}": ["reason": "x"]
        case "POST /slurm/job/{job_id}": ["comment": "runtime=900"]
        case "POST /slurm/reservations": ["reservations": [["name": "none"]]]
        case "POST /slurmdb/accounts":
            ["accounts": [["name": "lab", "description": "A lab"]]]
        case "POST /slurmdb/accounts_association":
            ["association_condition": ["accounts": ["lab"], "association": ["fairshare": 3]]]
        case "POST /slurmdb/associations": ["associations": [association]]
        case "POST /slurmdb/qos": ["qos": [["name": "silver", "priority": 5]]]
        case "POST /slurmdb/users":
            ["users": [["name": "nobody", "associations": [association]]]]
        case "POST /slurmdb/users_association":
            ["association_condition": ["accounts": ["lab"], "users": ["nobody"]]]
        default: [:]
        }
    }

    /// An address of a route, with somebody's job and what else it may name.
    private static func address(_ path: String, _ job: UInt32) -> String {
        let names = [
            ":id": "\(job)", "{job_id}": "\(job)", "{node_name}": "n0", "{partition_name}": "q",
            "{account_name}": "sub", "{name}": "nobody", "{qos}": "normal",
            "{cluster_name}": "m", "{reservation_name}": "none", "{id}": "1",
        ]
        return names.reduce(path) { $0.replacingOccurrences(of: $1.key, with: $1.value) }
    }

    @Test(
        "Each route of the service and of Slurm's REST is for the roles that the table names",
        arguments: [false, true]
    )
    func routes(hidesAll: Bool) throws {
        let folder = try ScratchFolder()
        let file = folder.path + "/m.yaml"
        try Self.machine.write(toFile: file, atomically: true, encoding: .utf8)
        let hiding = hidesAll ? ["--private-data", "all"] : []
        let centre = try NetworkCentre(["--machine", file] + hiding)
        let client = centre.daemon.client
        var tokens: [Character: String] = [:]
        for person in Self.people {
            var request = TokenRequest()
            request.user = person.user
            tokens[person.letter] =
                try client.post("/v1/token", request, as: TokenResponse.self).token
        }
        var routes = ServiceRoute.all.map { ("\($0.method) \($0.path)", $0.path) }
        routes += SlurmRoute.all.filter { $0.isIn(.v44) }.map { route in
            let place = "/\(route.part.rawValue)/\(route.path)"
            return ("\(route.method) \(place)", route.describedPath(.v44))
        }
        routes.removeAll { $0.0 == "POST /v1/shutdown" || $0.0 == "GET /v1/events" }
        let queries = [
            "GET /v1/bill": "?account=phys", "GET /v1/claims": "?enterprise=uni",
            "GET /v1/ledger": "?account=lab",
            "GET /v1/jobs/:id/program": "?kernel=stream&size=1000&repeat=1",
        ]
        routes = routes.map { ($0.0 + (queries[$0.0] ?? ""), $0.1 + (queries[$0.0] ?? "")) }
        // Nobody answers after it.
        routes.append(("POST /v1/shutdown", "/v1/shutdown"))
        let unknown = Set(Self.allowed.keys).subtracting(routes.map(\.0))
        #expect(unknown.isEmpty, "\(unknown.sorted())")
        /// What a request that is refused must leave as it is, time or not.
        func standing(_ job: UInt32) throws -> [String] {
            let people = try client.get("/v1/people", as: PeopleList.self)
            let nodes = try client.get("/v1/nodes", as: NodeList.self).nodes
            let partitions = try client.get("/v1/partitions", as: PartitionList.self).partitions
            let info = try client.get("/v1/jobs?id=\(job)", as: JobList.self).jobs.first
            return people.associations.map {
                "\($0.account) \($0.user ?? "-") \($0.shares) \($0.limits) \($0.title ?? "-")"
                    + " \($0.parent ?? "-") \($0.coordinators) \($0.isDefault)"
            } + people.roles.map { "\($0.user) \($0.adminLevel)" } + people.qos.map(\.name)
                + nodes.map { "\($0.name) \($0.reason ?? "-")" }
                + partitions.map { "\($0.name) \($0.state)" }
                + ["\(String(describing: info?.comment)) \(String(describing: info?.timeLimit))"]
        }
        for (route, path) in routes {
            var allowed = ""
            for person in Self.people {
                var account = PeopleEdit()
                account.entity = "account"
                account.names = ["sub"]
                account.settings = [NamedLimit(name: "parent", value: "lab")]
                _ = try client.post("/v1/people", account, as: PeopleEditResponse.self)
                var user = PeopleEdit()
                user.entity = "user"
                user.names = ["nobody"]
                user.accounts = ["lab"]
                _ = try client.post("/v1/people", user, as: PeopleEditResponse.self)
                let job = try centre.daemon.submit(
                    SmallCentre.request {
                        $0.account = "lab"
                        $0.comment = "runtime=600"
                    }
                )
                let method = route.split(separator: " ")[0]
                var address = Self.address(path, job)
                if path.hasSuffix("/association") || path.hasSuffix("/associations"),
                    method == "DELETE"
                {
                    address += "?account=lab&user=nobody"
                }
                let token = try #require(tokens[person.letter])
                let before = try standing(job)
                let answer = try centre.ask(
                    "\(method) \(address)",
                    ["Authorization": "Bearer \(token)"],
                    body: method == "GET" ? "" : Self.body(route, job).compactText
                )
                #expect(answer.status != 401 && answer.status < 600, "\(route)")
                let isRefused = ["Access/permission denied", "Invalid user id"].contains {
                    answer.body.contains($0)
                }
                if isRefused, method != "GET" {
                    #expect(try standing(job) == before, "\(route), \(person.letter)")
                }
                // Who may is not stopped by something else: the refusals of others are for what they are.
                if !isRefused, method != "GET", Self.allowed[route] != nil {
                    #expect(
                        answer.status < 300 || Self.empty.contains(route),
                        "\(route), \(person.letter): \(answer.status) \(answer.body)"
                    )
                }
                #expect(answer.status != 403 || isRefused, "\(route): \(answer.body)")
                if !isRefused { allowed.append(person.letter) }
            }
            let expected = Self.allowed[route] ?? "ucfao"
            guard hidesAll, route.hasPrefix("GET ") else {
                #expect(allowed == expected, "\(route)")
                continue
            }
            // What is hidden is read by fewer, and by nobody who could not read it before.
            #expect(Set(allowed).isSubset(of: expected) && allowed.hasSuffix("o"), "\(route)")
            if ["GET /v1/nodes", "GET /v1/reservations"].contains(route) {
                #expect(allowed == "o", "\(route)")
            }
        }
    }
}
