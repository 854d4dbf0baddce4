import Quantities
import Testing
import WireFormats

@testable import SlurmDialect

/// Prepares a submission as the program does, with files in memory.
func prepare(
    _ arguments: [String],
    environment: [String: String] = [:],
    files: [String: String] = [:],
    input: String = "",
    program: String = "sbatch"
) throws(CommandFailure) -> SubmitCommand {
    try SubmitCommand.prepare(
        program: program,
        arguments: arguments,
        variable: { environment[$0] }
    ) { path throws(CommandFailure) in
        guard let path else { return Array(input.utf8) }
        if path == "/tmp" { return [] }
        guard let text = files[path] else {
            throw .error("sbatch", "Unable to open file \(path)")
        }
        return Array(text.utf8)
    }
}

@Suite("sbatch reads what it is asked for")
struct SubmitTests {
    /// The scripts of the recordings.
    private static let files = [
        "badd.sh": "#!/bin/bash\n#SBATCH --bogus\ntrue\n",
        "pbs.sh": "#!/bin/bash\n#PBS -l nodes=2\n#PBS -N pbsname\n#SBATCH -H\ntrue\n",
        "noshebang.sh": "echo hi\n", "empty.sh": "",
        "dos.sh": "#!/bin/bash\r\necho hi\r\n", "/bin/ls": "\u{7f}ELF\u{0}\u{1}",
    ]

    @Test(
        "What the client refuses, it refuses in Slurm's words and with its exit status",
        arguments: [
            ("15_invalid", "001"), ("15_invalid", "002"), ("15_invalid", "010"),
            ("15_invalid", "013"), ("15_invalid", "014"), ("15_invalid", "016"),
            ("15_invalid", "017"), ("15_invalid", "018"), ("15_invalid", "019"),
            ("15_invalid", "020"), ("15_invalid", "024"), ("15_invalid", "028"),
            ("15_invalid", "031"), ("15_invalid", "032"), ("15_invalid", "033"),
            ("15_invalid", "034"), ("15_invalid", "035"), ("15_invalid", "036"),
            ("15_invalid", "039"), ("15_invalid", "045"),
            ("13_failures", "005"), ("13_failures", "006"), ("13_failures", "008"),
            ("13_failures", "009"), ("05_dependency", "027"),
            ("05_dependency", "028"), ("05_dependency", "029"), ("04_array", "036"),
            ("04_array", "037"), ("04_array", "038"), ("04_array", "039"),
        ]
    )
    func refusals(recording: String, number: String) throws {
        let entry = try Transcript(recording)[number]
        let failure = #expect(throws: CommandFailure.self, "\(entry.command)") {
            try prepare(entry.arguments, files: Self.files)
        }
        #expect(failure?.lines == entry.errors, "\(entry.command)")
        #expect(failure?.exitCode == entry.exitCode, "\(entry.command)")
    }

    @Test(
        "What the daemon refuses is told in Slurm's words",
        arguments: [
            (
                "15_invalid", "003", SlurmError.invalidPartition,
                "invalid partition specified: nosuch"
            ),
            ("15_invalid", "008", .invalidAccount, nil), ("15_invalid", "009", .invalidQOS, nil),
            ("15_invalid", "021", .invalidNodeName, nil), ("15_invalid", "025", .invalidGres, nil),
            ("15_invalid", "026", .requestNotAvailable, nil),
            ("15_invalid", "027", .invalidReservation, nil),
            ("15_invalid", "040", .invalidLicense, nil),
            ("11_nodes", "035", .partitionNotAvailable, nil),
        ] as [(String, String, SlurmError, String?)]
    )
    func daemonRefusals(
        recording: String,
        number: String,
        error: SlurmError,
        detail: String?
    ) throws {
        let entry = try Transcript(recording)[number]
        let command = try prepare(["--wrap", "true"])
        let failure = command.failure(error.body(details: detail.map { [$0] } ?? []))
        #expect(failure.lines == entry.errors)
        #expect(failure.exitCode == entry.exitCode)
    }

    @Test(
        "What a real sbatch accepts is accepted",
        arguments: ["004", "011", "012", "015", "037", "038", "041", "044"]
    )
    func accepted(number: String) throws {
        let entry = try Transcript("15_invalid")[number]
        #expect(entry.exitCode == 0)
        _ = try prepare(entry.arguments, files: Self.files)
    }

    @Test("The script of the recording says what it says")
    func directives() throws {
        let script = """
            #!/bin/bash
            #SBATCH -J mytest
            #SBATCH -N 2

            #SBATCH -n 4 -c2
            #SBATCH -t 00:10:00
            #SBATCH --comment="a comment" # with a remark
            #SBATCH --mem=500
            # an ordinary comment
            ##SBATCH --bogus
            echo start
            #SBATCH -J ignored_after_command
            """
        let command = try prepare(["job.sh", "one", "-N", "9"], files: ["job.sh": script])
        let request = command.request
        #expect(request.name == "mytest")
        #expect(request.minimumNodes == 2 && request.maximumNodes == 2)
        #expect(request.tasks == 4 && request.cpusPerTask == 2)
        #expect(request.timeLimit == SimDuration(seconds: 600))
        #expect(request.comment == "a comment")
        #expect(request.memoryPerNode == ByteCount(mebibytes: 500))
        #expect(request.scriptArguments == ["one", "-N", "9"])
        #expect(request.scriptBytes == Array(script.utf8))
    }

    @Test("The command line goes before the environment, and the environment before the script")
    func order() throws {
        let script = "#!/bin/sh\n#SBATCH -p fromscript -J fromscript\ntrue\n"
        let environment = [
            "SBATCH_PARTITION": "fromvariable", "SBATCH_TIMELIMIT": "5", "SBATCH_ACCOUNT": "a",
        ]
        let command = try prepare(
            ["-J", "fromline", "job.sh"],
            environment: environment,
            files: ["job.sh": script]
        )
        #expect(command.request.name == "fromline")
        #expect(command.request.partitions == ["fromvariable"])
        #expect(command.request.account == "a")
        #expect(command.request.timeLimit == SimDuration(seconds: 300))
    }

    @Test("#PBS lines are read, unless they are to be ignored")
    func pbs() throws {
        let script = """
            #!/bin/sh
            #PBS -N pbsname
            #PBS -l nodes=2:ppn=8,walltime=01:30:00
            #PBS -q work
            true
            """
        let request = try prepare(["pbs.sh"], files: ["pbs.sh": script]).request
        #expect(request.name == "pbsname")
        #expect(request.minimumNodes == 2 && request.tasksPerNode == 8)
        #expect(request.timeLimit == SimDuration(seconds: 5_400))
        #expect(request.partitions == ["work"])
        let ignored = try prepare(["--ignore-pbs", "pbs.sh"], files: ["pbs.sh": script]).request
        #expect(ignored.name == "pbs.sh" && ignored.minimumNodes == nil)
    }

    @Test("A script in another encoding travels byte for byte")
    func otherEncoding() throws {
        let bytes = Array("#!/bin/sh\n#SBATCH -J gbk\necho ".utf8) + [0xCC, 0xEC, 0xBA, 0xD3, 0x0A]
        let command = try SubmitCommand.prepare(
            program: "sbatch",
            arguments: ["job.sh"],
            variable: { _ in nil },
            load: { _ in bytes }
        )
        #expect(command.request.name == "gbk")
        let back = try SubmitRequest(json: command.request.json)
        #expect(back.scriptBytes == bytes)
    }

    @Test("Standard input, --wrap and a path give the job its name")
    func names() throws {
        #expect(try prepare([], input: "#!/bin/sh\ntrue\n").request.name == "sbatch")
        let wrapped = try prepare(["--wrap", "echo hi"]).request
        #expect(wrapped.name == "wrap")
        #expect(
            wrapped.script
                == "#!/bin/sh\n# This script was created by sbatch --wrap.\n\necho hi\n"
        )
        let files = ["/a/b.sh": "#!/bin/sh\n"]
        #expect(try prepare(["/a/b.sh"], files: files).request.name == "b.sh")
    }

    @Test("An estimate is told as Slurm tells it, under our own names with the price")
    func estimates() throws {
        var response = SubmitResponse()
        response.jobID = 7
        var estimate = StartEstimate()
        estimate.start = World.at("10:00:00")
        estimate.cores = 24
        estimate.partition = "work"
        estimate.price = PriceEstimate()
        estimate.price?.account = "guest"
        estimate.price?.tariff = "t"
        estimate.price?.elements = 10
        estimate.price?.grossEach = 1_392
        estimate.price?.gross = 13_920
        estimate.price?.net = 13_920
        var cores = BillResource()
        (cores.resource, cores.seconds, cores.fee) = ("core-hour", 24 * 3_600 * 4, 1_392)
        estimate.price?.resources = [cores]
        func output(_ program: String) throws -> CommandOutput {
            try SubmitCommand.prepare(
                program: program,
                arguments: ["--test-only", "--wrap=x"],
                variable: { _ in nil },
                load: { _ in [] }
            ).output(response, estimate)
        }
        let start =
            "Job 7 to start at \(CentreCalendar().text(World.at("10:00:00"))) using 24 processors"
            + " in partition work"
        let price =
            "Gross fee 139.20 CNY (10 elements, 13.92 each), expected subsidy 0.00, net 139.20"
            + " (account guest, tariff t, whole time limit)"
        #expect(try output("sbatch").errors == ["sbatch: " + start])
        let lines = [
            start, price, "  96.00 core-hours × 0.145 CNY = 13.92 CNY each",
            "No subsidy: account guest belongs to no enterprise",
        ]
        #expect(try output("yhbatch").errors == lines.map { "yhbatch: " + $0 })
        estimate.start = nil
        estimate.reason = "Dependency"
        #expect(try output("sbatch").errors[0].contains("to start when its dependencies allow"))
        estimate.reason = "AssocGrpBillingMinutes"
        let refused = try output("yhbatch")
        #expect(refused.exitCode == 1)
        #expect(refused.errors[0] == "yhbatch: error: the job would wait: AssocGrpBillingMinutes")
        #expect(refused.errors[1].hasPrefix("allocation failure: Job violates accounting/QOS"))
        #expect(refused.errors[2] == "yhbatch: " + price)
    }

    @Test("A price in Chinese says the same")
    func priceInChinese() {
        var price = PriceEstimate()
        (price.account, price.tariff, price.enterprise) = ("bohai", "t", "bohai")
        (price.gross, price.subsidy, price.net, price.grossEach) = (1_200, 600, 600, 1_200)
        var cores = BillResource()
        (cores.resource, cores.seconds, cores.fee) = ("core-hour", 48 * 7_200, 1_200)
        price.resources = [cores]
        var grant = ExpectedGrantRecord()
        (grant.rule, grant.year, grant.amount, grant.cap, grant.left) = ("r", 2026, 600, 900, 700)
        price.grants = [grant]
        price.available = 1_000
        #expect(
            PriceReport.lines(price, in: .chinese) == [
                "费用 12.00 元，预计补贴 6.00 元，应付 6.00 元（账户 bohai，价目表 t，按全部时限计）",
                "  96.00 核时 × 0.125 元 = 12.00 元",
                "细则 r，2026 年：6.00 元，上限 9.00 元，尚余 7.00 元",
                "账户可用 10.00 元：不足以运行此作业",
            ]
        )
        var response = SubmitResponse()
        response.jobID = 7
        #expect(response.warning(of: "yhbatch", in: .chinese) == nil)
        response.obstacle = "AssocGrpBillingMinutes"
        let warning = response.warning(of: "yhbatch", in: .english) ?? ""
        #expect(warning.contains("(AssocGrpBillingMinutes: its account cannot pay for it)"))
        let chinese = response.warning(of: "yhbatch", in: .chinese) ?? ""
        #expect(chinese.contains("账户余额不够") && !chinese.contains("cannot"))
        #expect(MessageLanguage { $0 == "LANG" ? "zh_CN.UTF-8" : nil } == .chinese)
        #expect(MessageLanguage { $0 == "LANG" ? "zh_CN" : "C" } == .english)
    }

    @Test("Options of a component go on to the next, but for its size and place")
    func components() throws {
        let files = ["a.sh": "#!/bin/sh\n#SBATCH -J two -n 2\n#SBATCH hetjob\n#SBATCH -N3\ntrue\n"]
        let script = try prepare(["a.sh"], files: files)
        #expect(script.components.count == 1)
        #expect(script.request.tasks == 2 && script.request.minimumNodes == nil)
        #expect(script.components[0].request.minimumNodes == 3)
        #expect(script.components[0].request.tasks == nil)
        #expect(script.components[0].request.name == "two")
        let line = try prepare(
            ["-n1", "-H", ":", "-pdebug", ":", "-n4", "a.sh", ":", "x"],
            files: files
        )
        #expect(line.request.tasks == 1 && line.request.scriptArguments == [":", "x"])
        #expect(line.components.map(\.request.partitions) == [["debug"], []])
        #expect(line.components.map(\.request.minimumNodes) == [3, nil])
        #expect(line.components.map(\.request.tasks) == [nil, 4])
        #expect(line.components.map(\.request.isHeld) == [true, true])
        let wrapped = try prepare(["-n1", ":", "-n2", "--wrap", "true"])
        #expect(wrapped.components.count == 1 && wrapped.request.name == "wrap")
    }

    @Test(
        "What asks in vain for something that a centre could do is warned of, but not by Slurm's name"
    )
    func ineffective() throws {
        let options = ["--contiguous", "--tmp=5", "--hint=x", "--wrap=x"]
        #expect(
            try prepare(options, program: "yhbatch").warnings
                == ["--contiguous has no effect here", "--tmp has no effect here"]
        )
        #expect(try prepare(["--contiguous", "--tmp=0", "--hint=x", "--wrap=x"]).warnings.isEmpty)
        // By Slurm's name it is refused as by nodes without such a disk.
        let failure = #expect(throws: CommandFailure.self) { try prepare(options) }
        #expect(
            failure?.lines == [
                "sbatch: error: Temporary disk specification can not be satisfied",
                "sbatch: error: Batch job submission failed: Requested node configuration is not available",
            ]
        )
    }

    @Test("-v tells the options by their names, and under Slurm's name its plug-ins")
    func verbose() throws {
        let told = try prepare(["-v", "-t", "5", "--wrap", "true"]).told
        let rule = "-------------------- --------------------"
        #expect(
            told.prefix(6) == [
                "defined options", rule, "time                : 00:05:00",
                "verbose             : 1",
                "wrap                : true", rule,
            ]
        )
        #expect(told.count == 11)
        #expect(try prepare(["-v", "--wrap", "true"], program: "yhbatch").told.count == 6)
        #expect(try prepare(["--wrap", "true"]).told.isEmpty)
    }

    @Test("SBATCH_JOB_NAME names a job, unless the command line does")
    func nameOfEnvironment() throws {
        let environment = ["SBATCH_JOB_NAME": "outer"]
        let files = ["a.sh": "#!/bin/sh\n", "b.sh": "#!/bin/sh\n#SBATCH -J inner\n"]
        func name(_ words: [String]) throws -> String {
            try prepare(words, environment: environment, files: files).request.name
        }
        #expect(try name(["a.sh"]) == "outer")
        #expect(try name(["--wrap", "true"]) == "outer")
        #expect(try name(["b.sh"]) == "outer")
        #expect(try name(["-J", "nearest", "b.sh"]) == "nearest")
    }

    @Test("Cards of one kind are asked for once, and their model is not lost")
    func cards() throws {
        let both = try prepare(["--gres=gpu:1", "--gpus-per-node=a100:2", "--wrap=x"]).request
        #expect(both.gres == [GresRequest(name: "gpu", type: "a100", count: 2)])
        let total = try prepare(["--gpus=a100:4", "--wrap=x"]).request
        #expect(total.accelerators == 4)
        #expect(total.acceleratorModel == "a100")
        #expect(
            try prepare(["--gpus-per-task=v100", "--wrap=x"]).request.acceleratorModel == "v100"
        )
    }

    @Test(
        "Numbers that are too large are refused, and nothing stops the program",
        arguments: [
            "--time=999999999-0", "--priority=-9223372036854775808", "--priority=abc",
            "--immediate=9223372036854775807", "--mem=16777216T", "--nodes=99999999999",
        ]
    )
    func largeNumbers(option: String) {
        #expect(throws: CommandFailure.self) { try prepare([option, "--wrap=x"]) }
    }

    @Test("Fewer tasks than nodes make fewer nodes, with Slurm's warning")
    func fitNodes() throws {
        var command = try prepare(["-N", "2", "-n", "1", "--wrap", "true"])
        #expect(
            command.fitNodesToTasks() == "can't run 1 processes on 2 nodes, setting nnodes to 1"
        )
        #expect(command.request.minimumNodes == 1 && command.request.maximumNodes == 1)
        var enough = try prepare(["-N", "2", "-n", "2", "--wrap", "true"])
        #expect(enough.fitNodesToTasks() == nil)
    }

    @Test("--export chooses the job's environment")
    func export() throws {
        let current = ["PATH=/bin", "FOO=bar", "OTHER=1", "SLURM_X=y"]
        func environment(_ option: [String]) throws -> [String] {
            try prepare(option + ["--wrap", "true"])
                .jobEnvironment(from: current, login: ["HOME=/h"])
        }
        #expect(try environment([]) == current)
        #expect(try environment(["--export=ALL"]) == current)
        #expect(
            try environment(["--export=NONE"])
                == ["SLURM_X=y", "HOME=/h", "SLURM_EXPORT_ENV=NONE", "SLURM_GET_USER_ENV=1"]
        )
        #expect(
            try environment(["--export=FOO,BAZ=1"])
                == [
                    "SLURM_X=y", "HOME=/h", "FOO=bar", "BAZ=1", "SLURM_EXPORT_ENV=FOO,BAZ=1",
                    "SLURM_GET_USER_ENV=1",
                ]
        )
        #expect(
            try environment(["--export=ALL,FOO=2"])
                == ["PATH=/bin", "OTHER=1", "SLURM_X=y", "FOO=2", "SLURM_EXPORT_ENV=ALL,FOO=2"]
        )
    }

    @Test("A begin time is relative to the centre's time")
    func begin() throws {
        let now = World.at("01:31:19")
        var command = try prepare(["--begin=now+1hour", "--wrap", "true"])
        try command.resolveTimes(now: now, calendar: World.calendar)
        #expect(command.request.begin == World.at("02:31:19"))
        var wrong = try prepare(["--begin=bogus", "--wrap", "true"])
        let failure = #expect(throws: CommandFailure.self) {
            try wrong.resolveTimes(now: now, calendar: World.calendar)
        }
        #expect(
            failure?.lines == [
                "Invalid time specification (pos=0): bogus",
                "sbatch: error: Invalid --begin specification",
            ]
        )
        #expect(failure?.exitCode == 255)
    }

    @Test("Every option of the list of musts is taken")
    func allOptions() throws {
        let words =
            "-J a -N 2-4 -n 8 -c 2 --ntasks-per-node=4 -t 1-2:03:04 -p a,b -A acc -q normal -o o "
            + "-e e -i i -D /d -w cn1 -x cn2 --exclusive=user --mem-per-cpu=1G --gres=gpu:t4:2 "
            + "--gpus=2 -a 0-15:4%2 -d afterok:1:2 -H --nice=5 --parsable -W --export=ALL "
            + "--comment=runtime=5 --no-requeue --test-only -Q -v -I5 --reservation=r -C f "
            + "--mail-type=END --mail-user=u --open-mode=append --signal=B:USR1@30 "
            + "--get-user-env --kill-on-invalid-dep=yes --wrap true"
        let command = try prepare(words.split(separator: " ").map(String.init))
        let request = command.request
        #expect(request.minimumNodes == 2 && request.maximumNodes == 4)
        #expect(request.timeLimit == SimDuration(seconds: 86_400 + 2 * 3_600 + 4 * 60))
        #expect(request.partitions == ["a", "b"])
        #expect(request.gres == [GresRequest(name: "gpu", type: "t4", count: 2)])
        #expect(request.array?.indices == [0, 4, 8, 12] && request.array?.limit == 2)
        #expect(request.dependencies.map(\.jobID) == [1, 2])
        #expect(request.signal?.number == 10 && request.signal?.isForShellOnly == true)
        #expect(request.immediate == SimDuration(seconds: 5))
        #expect(command.isParsable && command.isQuiet && command.waits)
        #expect(request.isHeld && request.isTestOnly && request.requeues == false)
    }
}
