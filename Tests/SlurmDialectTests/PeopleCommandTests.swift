import Quantities
import Testing
import WireFormats

@testable import SlurmDialect

@Suite("sprio, sshare, sacctmgr, sreport, salloc")
struct PeopleCommandTests {
    @Test("What is no job of sstat, and no width of a column, is refused in Slurm's words")
    func noNumbers() {
        let step = #expect(throws: CommandFailure.self) {
            try StepStatisticsCommand(program: "sstat", arguments: ["-j", "."])
        }
        #expect(step?.lines == ["sstat: fatal: Bad job/step specified: ."])
        for width in ["-9223372036854775808", "99999999999999999999"] {
            #expect(throws: CommandFailure.self) {
                try AccountManagerCommand(
                    program: "sacctmgr",
                    arguments: ["show", "account", "format=account%\(width)"]
                ).output(.account, PeopleList())
            }
        }
    }

    private func role(
        _ user: String,
        _ level: String = "None",
        coordinates account: String? = nil
    ) -> RoleInfo {
        var info = RoleInfo()
        (info.user, info.adminLevel) = (user, level)
        info.coordinated =
            account.map { name in
                var one = CoordinatedAccount()
                (one.account, one.isDirect) = (name, true)
                return [one]
            } ?? []
        return info
    }

    private func people() -> PeopleList {
        func association(_ account: String, _ user: String?, _ depth: Int32) -> AssociationInfo {
            var info = AssociationInfo()
            info.account = account
            info.user = user
            info.depth = depth
            info.parent = depth == 0 ? nil : user == nil ? "root" : account
            info.siblingShares = 4
            info.usage = 30
            info.siblingUsage = 40
            (info.exactUsage, info.exactSiblingUsage) = (30_000, 40_000)
            info.endedUsage = 31
            info.rank = 1
            return info
        }
        var list = PeopleList()
        list.cluster = "thlab"
        list.clusters = ["thlab", "nebulae"]
        list.ranked = 5
        list.associations = [
            association("root", nil, 0), association("phys", nil, 1), association("phys", "ann", 2),
        ]
        list.associations[2].limits = [NamedLimit(name: "MaxJobs", value: "2")]
        list.associations[2].isDefault = true
        return list
    }

    @Test("Shares are indented by account, and their fields can be chosen")
    func shares() throws {
        let command = try ShareCommand(program: "sshare", arguments: ["-a"], user: "bob")
        #expect(
            try command.output(people()).lines == [
                "Account                    User  RawShares  NormShares    RawUsage  EffectvUsage"
                    + "  FairShare ",
                "-------------------- ---------- ---------- ----------- ----------- -------------"
                    + " ---------- ",
                "root                                          0.000000          31      1.000000"
                    + "            ",
                " phys                                    1    0.250000          31      0.750000"
                    + "            ",
                "  phys                      ann          1    0.250000          31      0.750000"
                    + "   0.200000 ",
            ]
        )
        let mine = try ShareCommand(
            program: "sshare",
            arguments: ["-P", "-n", "-o", "Account%4,User"],
            user: "bob"
        )
        #expect(try mine.output(people()).lines == ["root|", " phys|"])
        let failure = #expect(throws: CommandFailure.self) {
            try ShareCommand(program: "sshare", arguments: ["-o", "bogus"], user: "bob")
        }
        #expect(failure?.lines == ["sshare: error: Invalid field requested: \"bogus\""])
    }

    @Test("Quotation marks that no shell took off are taken off, and a parent's share is one")
    func quotes() throws {
        let command = try AccountManagerCommand(
            program: "sacctmgr",
            arguments: [
                "add", "account", "wc", "description=\"a b\"", "parent='wp'", "Share=parent",
            ]
        )
        guard case .change(let edit) = command.action else {
            Issue.record("no change")
            return
        }
        #expect(edit.settings.map(\.value) == ["a b", "wp", "1"])
    }

    @Test("Accounts have the columns of their associations, filled where they are asked for")
    func accountColumns() throws {
        func lines(_ words: String...) throws -> [String] {
            let command = try AccountManagerCommand(
                program: "sacctmgr",
                arguments: ["-nP", "list", "account", "format=account,fairshare", "where"] + words
            )
            return try command.output(.account, people()).lines
        }
        #expect(try lines("account=phys") == ["phys|"])
        #expect(try lines("account=phys", "withassoc") == ["phys|1"])
    }

    @Test("A priority shows its parts as its weights make them")
    func priorities() throws {
        var list = PriorityList()
        list.isMultifactor = true
        list.weights.fairShare = 10_000
        list.weights.cpu = 100
        var job = PriorityInfo()
        job.jobID = 69
        job.partition = "work"
        job.priority = 2_001
        job.fairShare = 200_000_000
        job.cpu = 7_812_500
        list.jobs = [job]
        let command = try PriorityCommand(program: "sprio", arguments: [])
        #expect(
            command.output(list).lines == [
                "          JOBID PARTITION   PRIORITY       SITE  FAIRSHARE                 TRES",
                "             69 work            2001          0       2000                cpu=1",
            ]
        )
        let normal = try PriorityCommand(program: "sprio", arguments: ["-n", "-h"])
        #expect(
            normal.output(list).lines == [
                "             69 work      0.00000046 0.2000000  cpu=0.01            "
            ]
        )
        let other = try PriorityCommand(program: "sprio", arguments: ["-j", "1"])
        #expect(
            other.output(list).lines == ["Unable to find jobs matching user/id(s) specified"]
        )
        list.isMultifactor = false
        #expect(command.output(list).exitCode == 1)
    }

    @Test("What sacctmgr changes is read in Slurm's ways")
    func edits() throws {
        func read(_ words: String) throws(CommandFailure) -> PeopleEdit {
            let arguments = words.split(separator: " ").map(String.init)
            let command = try AccountManagerCommand(program: "sacctmgr", arguments: arguments)
            guard case .change(let edit) = command.action else { return PeopleEdit() }
            return edit
        }
        let user = try read("-i add user ann,bob account=phys fairshare=2")
        #expect(user.names == ["ann", "bob"])
        #expect(user.accounts == ["phys"])
        #expect(user.settings == [NamedLimit(name: "fairshare", value: "2")])
        #expect(try read("modify user where name=ann set MaxJobs=2").names == ["ann"])
        #expect(try read("modify user ann set MaxJobs=2").settings.first?.value == "2")
        #expect(try read("delete account name=phys").names == ["phys"])
        #expect(try read("remove user where user=ann account=phys").accounts == ["phys"])
        for (words, line) in [
            ("frob", "invalid keyword: frob"), ("add user", " Need name of user to add"),
            ("add wckey x", "No valid entity in add command"),
            ("show bogus", "No valid entity in list command"),
            ("modify user ann fairshare=1", " Unknown condition: fairshare=1"),
        ] {
            let failure = #expect(throws: CommandFailure.self) { try read(words) }
            #expect(failure?.lines.first == line)
        }
    }

    @Test("Coordinators are made, removed and shown as sacctmgr does it")
    func coordinators() throws {
        func command(_ words: String) throws(CommandFailure) -> AccountManagerCommand {
            let arguments = words.split(separator: " ").map(String.init)
            return try AccountManagerCommand(program: "sacctmgr", arguments: arguments)
        }
        func change(_ words: String, _ changed: [String]) throws -> [String] {
            let command = try command(words)
            guard case .change(let edit) = command.action else { return [] }
            #expect(edit.entity == "coordinator")
            var response = PeopleEditResponse()
            response.changed = changed
            return command.output(edit, response).lines
        }
        #expect(
            try change("add coordinator account=phys names=ann,bob", []) == [
                " Adding Coordinator User(s)", "  ann", "  bob",
                " To Account(s) and all sub-accounts", "  phys",
            ]
        )
        #expect(
            try change("delete coord where user=ann", ["coordinator ann of account phys"]) == [
                " Removing Coordinators with user name", "  ann", " From all accounts",
                " Removed Coordinators (sub accounts not listed)...", "  ann (phys)",
            ]
        )
        #expect(
            try change("remove coordinators account=phys", []) == [
                " Removing all users from Accounts", "  phys", " Nothing removed",
            ]
        )
        for (words, line) in [
            ("add coordinator account=phys", " You need to specify a user list here."),
            ("add coordinator ann", " You need to specify a account list here."),
            ("delete coordinator", " You need to specify a user list or an account list here."),
            ("modify coordinator ann", "No valid entity in modify command"),
        ] {
            let failure = #expect(throws: CommandFailure.self) { try command(words) }
            #expect(failure?.lines.first == line)
        }
        var list = people()
        list.associations[0].coordinators = ["ann"]
        list.roles = [role("ann", coordinates: list.associations[0].account)]
        func rows(_ words: String) throws -> [String] {
            let command = try command(words)
            guard case .show(let entity) = command.action else { return [] }
            return try command.output(entity, list).lines
        }
        let account = list.associations[0].account
        let table = try rows("-P show account withcoord")
        #expect(table.first == "Account|Descr|Org|Coord Accounts")
        #expect(table.contains { $0.hasPrefix(account) && $0.hasSuffix("|ann") })
        let users = try rows("-P show user withcoord")
        #expect(users.first == "User|Def Acct|Admin|Coord Accounts")
        #expect(users.contains { $0.hasPrefix("ann|") && $0.contains(account) })
    }

    @Test("Limits of each job and user are those of accounts above, unless asked for without")
    func limitsInForce() throws {
        var list = people()
        list.associations[2].limitsInForce =
            list.associations[2].limits + [NamedLimit(name: "MaxWall", value: "1-00:00:00")]
        list.associations[2].qos = ["gold"]
        func row(_ words: String) throws -> String? {
            try AccountManagerCommand(
                program: "sacctmgr",
                arguments: ["-nP"] + words.split(separator: " ").map(String.init)
            )
            .output(.association, list).lines.last
        }
        let shown = "show assoc format=user,maxjobs,maxwall,qos"
        #expect(try row(shown) == "ann|2|1-00:00:00|gold")
        #expect(try row(shown + " WOPLimits") == "ann|2||")
    }

    @Test("A dump is read as what makes the same")
    func dump() throws {
        let command = try AccountManagerCommand(program: "sacctmgr", arguments: ["dump"])
        let text = command.dump(people()).lines.joined(separator: "\n")
        let edits = try command.edits(of: text, path: "d")
        #expect(edits.map(\.entity) == ["account", "user"])
        #expect(edits[1].names == ["ann"])
        #expect(edits[1].accounts == ["phys"])
        #expect(edits[1].settings.contains(NamedLimit(name: "MaxJobs", value: "2")))
        #expect(!text.contains("AdminLevel"))
        // Whoever has a role and no account is there too; so is what is said of QOS.
        var list = people()
        list.roles = [role("eve", "Auditor", coordinates: "phys"), role("op", "Administrator")]
        list.associations[1].ownQOS = ["gold", "normal"]
        list.associations[1].ownDefaultQOS = "gold"
        let whole = command.dump(list).lines
        #expect(whole.contains("User - 'eve':AdminLevel='Auditor':Coordinator='phys'"))
        #expect(whole.contains { $0.hasSuffix(":QOS='gold,normal':DefaultQOS='gold'") })
        let all = try command.edits(of: whole.joined(separator: "\n"), path: "d")
        #expect(all.map(\.entity) == ["user", "user", "account", "user", "coordinator"])
        #expect(all[0].verb == "modify" && all[0].names == ["eve"] && all[0].accounts.isEmpty)
        #expect(all[0].settings == [NamedLimit(name: "AdminLevel", value: "Auditor")])
        #expect(all[2].settings.contains(NamedLimit(name: "QOS", value: "gold,normal")))
        let slurms = "Parent - 'root'\nUser - 'root':DefaultAccount='root':Fairshare=1"
        #expect(try command.edits(of: slurms, path: "d").isEmpty)
        let signed = "Parent - 'root'\nAccount - 'a':QOS='+gold,+normal'"
        #expect(
            try command.edits(of: signed, path: "d")[0].settings
                == [NamedLimit(name: "QOS", value: "gold,normal")]
        )
        let users = try AccountManagerCommand(
            program: "sacctmgr",
            arguments: ["-nP", "show", "user"]
        )
        .output(.user, list).lines
        #expect(users == ["ann|phys|None", "eve||Auditor", "op||Administrator"])
        // Coordinators come once all accounts are there.
        let last = try command.edits(
            of: "Parent - 'a'\nUser - 'b':AdminLevel='Auditor':Coordinator='a,c'\nAccount - 'c'",
            path: "d"
        )
        #expect(last.map(\.entity) == ["user", "account", "coordinator"])
        #expect(last[0].settings == [NamedLimit(name: "AdminLevel", value: "Auditor")])
        #expect(last[2].accounts == ["a", "c"])
        for (text, problem) in [
            ("User - 'ann':x=1", "d, line 1: a 'Parent' line must come first"),
            ("# x\n\nboo", "d, line 3: 'KIND - NAME' expected"),
            ("Parent - 'a'\nUser - 'b':x", "d, line 2: 'x' is no NAME=VALUE"),
        ] {
            let failure = #expect(throws: CommandFailure.self) {
                try command.edits(of: text, path: "d")
            }
            #expect(failure?.lines == ["sacctmgr: error: " + problem])
        }
    }

    @Test("A report adds up whole hours")
    func report() throws {
        var record = AccountingRecord()
        record.account = "phys"
        record.user = "ann"
        record.cores = 2
        record.start = CentreCalendar().instant("2026-11-20T10:30:00", now: .epoch)
        record.end = CentreCalendar().instant("2026-11-20T11:30:00", now: .epoch)
        let now = try #require(CentreCalendar().instant("2026-11-20T11:40:00", now: .epoch))
        let list = AccountingList(now: now, cluster: "thlab", records: [record])
        let command = try ReportCommand(
            program: "sreport",
            arguments: ["-n", "-P", "user", "top", "start=2026-11-20", "end=2026-11-21"]
        )
        // The half hour up to eleven.
        #expect(try command.output(list, CentreStatus()).lines == ["thlab|ann|ann|phys|60|0"])
        let failure = #expect(throws: CommandFailure.self) {
            try ReportCommand(program: "sreport", arguments: ["bogus"])
        }
        #expect(failure?.lines == ["invalid keyword: bogus"])
    }

    @Test(
        "The times of a report go to the nearest hour",
        arguments: [("10:29:29", "10"), ("10:29:30", "11")]
    )
    func reportHours(clock: String, hour: String) throws {
        let now = try #require(CentreCalendar().instant("2026-11-21T\(clock)", now: .epoch))
        let list = AccountingList(now: now, cluster: "thlab", records: [])
        let command = try ReportCommand(
            program: "sreport",
            arguments: ["user", "top", "start=now-1days", "end=now"]
        )
        let lines = try command.output(list, CentreStatus()).lines
        #expect(lines[1].hasPrefix("Top 10 Users 2026-11-20T\(hour):00:00 - "))
        #expect(lines[1].hasSuffix(" (86400 secs)"))
    }

    @Test("srun and salloc ask for what sbatch asks for, without a script")
    func allocations() throws {
        let run = try RunCommand(
            program: "srun",
            arguments: ["-p", "work", "-N", "2", "-n", "4", "-t", "5", "./a", "-n", "1"],
            variable: { $0 == "SLURM_QOS" ? "high" : nil }
        )
        let request = try #require(run.allocation?.request)
        #expect(request.isInteractive)
        #expect(request.partitions == ["work"])
        #expect(request.minimumNodes == 2)
        #expect(request.tasks == 4)
        #expect(request.qos == "high")
        #expect(request.name == "a")
        let salloc = try AllocateCommand(
            program: "salloc",
            arguments: ["-n", "3", "env", "-i"],
            variable: { _ in nil }
        )
        #expect(salloc.words == ["env", "-i"])
        #expect(salloc.allocation.request.name == "interactive")
        #expect(
            AllocateCommand.variables(["SLURM_JOB_ID=1", "SLURM_PROCID=0", "HOME=/"]) == [
                "SLURM_JOB_ID=1"
            ]
        )
        #expect(salloc.killSignal == nil)
        func killSignal(_ word: String) throws -> Int32? {
            try AllocateCommand(
                program: "salloc",
                arguments: [word, "env"],
                variable: { _ in nil }
            ).killSignal
        }
        #expect(try killSignal("--kill-command=USR1") == 10)
        #expect(try killSignal("-K9") == 9)
        #expect(try killSignal("-K") == nil)
        #expect(throws: CommandFailure.self) { try killSignal("-Knever") }
        let het = try AllocateCommand(
            program: "salloc",
            arguments: ["-n", "3", "-A", "x", ":", "-N", "2", "-p", "work", "env", ":"],
            variable: { _ in nil }
        )
        #expect(het.words == ["env", ":"] && het.allocation.components.count == 1)
        let second = try #require(het.allocation.components.first?.request)
        #expect(second.isInteractive && second.account == "x" && second.tasks == nil)
        #expect(second.minimumNodes == 2 && second.partitions == ["work"])
    }

    @Test("Tasks fill the nodes by their cores, and every node has one")
    func layout() {
        func layout(_ tasks: Int, _ cores: [Int], each: Int = 1) -> [Int] {
            RunCommand.Layout(
                tasks: tasks,
                nodes: cores.indices.map { "cn\($0 + 1)" },
                cores: cores,
                coresPerTask: each
            ).nodeOfTask
        }
        #expect(layout(4, [3, 1]) == [0, 0, 0, 1])
        #expect(layout(4, [6, 2], each: 2) == [0, 0, 0, 1])
        #expect(layout(2, [8, 8]) == [0, 1])
        #expect(layout(5, [1, 1]) == [0, 0, 0, 1, 1])
        #expect(layout(1, [1, 1]) == [0])
    }
}
