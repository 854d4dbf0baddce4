import Foundation
import Testing

/// `xinghe import` and `xinghe export` as their users run them, on configurations in the style of those
/// that centres publish.
@Suite("xinghe import, the program")
struct ImportProgramTests {
    /// A small university cluster: defaults, cards, several partitions over the same nodes.
    static let university = """
        # slurm.conf of a university
        ClusterName=campus
        SlurmctldHost=head(10.0.0.1)
        AuthType=auth/munge
        SelectType=select/cons_tres
        SelectTypeParameters=CR_Core_Memory
        SchedulerType=sched/backfill
        SchedulerParameters=bf_window=2880,bf_max_job_test=500,defer
        PriorityType=priority/multifactor
        PriorityWeightAge=1000
        PriorityWeightFairshare=10000
        PriorityDecayHalfLife=7-0
        GresTypes=gpu
        NodeName=DEFAULT Sockets=2 CoresPerSocket=16 ThreadsPerCore=2 RealMemory=192000 State=UNKNOWN
        NodeName=cn[001-064] CPUs=32 Feature=cpu,ib Weight=1
        NodeName=gpu[01-08] CPUs=64 Gres=gpu:a100:4(S:0-1),shard:16 \\
            Feature=gpu,ib
        PartitionName=DEFAULT MaxTime=2-00:00:00 State=UP
        PartitionName=batch Nodes=cn[001-064] Default=YES PriorityTier=10
        PartitionName=debug Nodes=cn[001-004] MaxTime=00:30:00 PriorityTier=20 MaxNodes=2 AllowQos=normal,high
        PartitionName=gpu Nodes=gpu[01-08] MaxTime=INFINITE TRESBillingWeights="CPU=1.0,Mem=0.25G,GRES/gpu=16"

        """

    /// A large machine with whole nodes, a tree of switches and node lists of several parts.
    static let machine = """
        ClusterName=TH
        SelectType=select/linear
        NodeName=cn[0-127],cn[256-383] CPUs=24 Boards=1 SocketsPerBoard=2 CoresPerSocket=12 ThreadsPerCore=1 RealMemory=65536
        PartitionName=work Nodes=cn[0-127,256-383] Default=YES MaxTime=UNLIMITED MinNodes=1
        PartitionName=long Nodes=cn[256-383] OverSubscribe=EXCLUSIVE DefaultTime=1-00:00:00 MaxTime=14-00:00:00 State=DRAIN

        """

    static let tree = """
        SwitchName=root Switches=s[0-3]
        SwitchName=s0 Nodes=cn[0-63] LinkSpeed=100
        SwitchName=s1 Nodes=cn[64-127]
        SwitchName=s2 Nodes=cn[256-319]
        SwitchName=s3 Nodes=cn[320-383]

        """

    static let associations = """
        # To edit this file start with a cluster line for the new cluster
        Cluster - 'campus':Fairshare=1:QOS='normal'
        Parent - 'root'
        User - 'root':DefaultAccount='root':AdminLevel='Administrator':Fairshare=1
        User - 'eve':AdminLevel='Auditor':Coordinator='chemistry,nosuch'
        Account - 'physics':Description='physics':Organization='science':Fairshare=10:GrpTRES=cpu=512
        Account - 'chemistry':Description='chemistry: all':Organization='science':Fairshare=5
        Parent - 'physics'
        Account - 'plasma':Description='plasma':Organization='science':Fairshare=3:MaxJobs=20
        User - 'ann':DefaultAccount='physics':Coordinator='physics':Fairshare=2:MaxWallDurationPerJob=1440
        User - 'ben':DefaultAccount='physics':AdminLevel='Operator':Fairshare=1:QOS='+high'
        Parent - 'plasma'
        User - 'ann':Fairshare=1
        Parent - 'chemistry'
        User - 'cy':DefaultAccount='chemistry':Fairshare=1:GrpTRES=license/abc=2

        """

    static let qos = """
        Name|Priority|GraceTime|Preempt|PreemptMode|Flags|UsageThres|UsageFactor|GrpTRES|MaxWall|MaxTRESPU|MaxJobsPU
        normal|0|00:00:00||cluster|||1.000000||||
        high|100|00:02:00|normal|requeue|DenyOnLimit,NoReserve||2.000000|cpu=1024|1-00:00:00|gres/gpu=8|4

        """

    private func imported(
        _ folder: Folder,
        _ files: [(option: String, name: String, text: String)]
    ) throws -> (run: Run, path: String) {
        let machine = folder.path("machine.yaml")
        var arguments = ["import", "-o", machine]
        for (option, name, text) in files { arguments += [option, try folder.write(name, text)] }
        return (try xinghe(arguments), machine)
    }

    @Test("A university's files become a machine; each line that is not used is said")
    func universityFiles() throws {
        let folder = try Folder()
        let (run, path) = try imported(
            folder,
            [
                ("--slurm-conf", "slurm.conf", Self.university),
                (
                    "--gres", "gres.conf",
                    "AutoDetect=nvml\nNodeName=gpu[01-08] Name=gpu File=/dev/nvidia[0-3]\n"
                ),
                ("--assoc", "dump", Self.associations), ("--qos", "qos", Self.qos),
            ]
        )
        #expect(run.status == 0, "\(run.errors)\(run.output)")
        #expect(run.output.contains("slurm.conf:3: ignored: SlurmctldHost"))
        #expect(
            run.output.contains("slurm.conf:16: used: 8 nodes of 64 cores; ignored: Gres shard:16")
        )
        #expect(run.output.contains("gres.conf:1: ignored: AutoDetect"))
        #expect(run.output.contains("dump:15: used: user cy of chemistry; ignored: GrpTRES"))
        #expect(run.output.contains("0 refused"))
        let policy =
            "order=multifactor,backfill=slurm,bf_window=2880,bf_max_job_test=500,"
            + "PriorityWeightAge=1000,PriorityWeightFairshare=10000,PriorityDecayHalfLife=604800"
        #expect(run.output.contains("policy: \(policy)"))
        let machine = try String(contentsOfFile: path, encoding: .utf8)
        #expect(
            machine.contains("coordinators: [\"ann\"]") && machine.contains("operators: [\"ben\"]")
        )
        #expect(machine.contains("auditors: [\"eve\"]"))
        #expect(machine.contains("coordinators: [\"eve\"]"))
        #expect(run.output.contains("account nosuch, which is not there"))
        let shown = try xinghe(["topology", path])
        #expect(shown.status == 0, "\(shown.errors)")
        for fact in ["batch", "debug", "gpu", "72"] { #expect(shown.output.contains(fact)) }
        // The policy that it names is one.
        let log = "1 0 -1 10 4 -1 -1 4 60 -1 1 1 1 1 1 1 -1 -1\n"
        let replay = try xinghe(
            ["replay", "-", "--machine", path, "--policy", policy],
            input: log
        )
        #expect(replay.status == 0, "\(replay.errors)")
    }

    @Test("A large machine's whole nodes and switches")
    func largeMachine() throws {
        let folder = try Folder()
        let (run, path) = try imported(
            folder,
            [
                ("--slurm-conf", "slurm.conf", Self.machine),
                ("--topology", "topology.conf", Self.tree),
            ]
        )
        #expect(run.status == 0, "\(run.errors)\(run.output)")
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(text.contains("sharing: whole-node"))
        #expect(text.contains("state: DRAIN"))
        let shown = try xinghe(["topology", path])
        #expect(shown.output.contains("256"), "\(shown.errors)")
    }

    @Test("What scontrol shows is a machine, and reservations are events")
    func shown() throws {
        let nodes = """
            NodeName=a1 Arch=x86_64 CoresPerSocket=8
               CPUAlloc=0 CPUEfctv=16 CPUTot=16 CPULoad=0.01
               AvailableFeatures=fast
               ActiveFeatures=fast
               Gres=(null)
               OS=Linux 5.10.0 #1 SMP Debian 5.10
               RealMemory=64000 AllocMem=0 FreeMem=60000 Sockets=2 Boards=1
               State=IDLE ThreadsPerCore=1 TmpDisk=0 Weight=1 Owner=N/A

            NodeName=a2 CoresPerSocket=8
               CPUTot=16 RealMemory=64000 Sockets=2 AvailableFeatures=fast

            """
        let partitions = """
            PartitionName=main
               AllowGroups=ALL AllowAccounts=ALL AllowQos=ALL
               AllocNodes=ALL Default=YES QoS=N/A
               MaxNodes=UNLIMITED MaxTime=1-00:00:00 MinNodes=0 LLN=NO
               Nodes=a[1-2]
               PriorityJobFactor=1 PriorityTier=1 OverSubscribe=NO
               State=UP TotalCPUs=32 TotalNodes=2

            """
        let reservations = """
            ReservationName=maint StartTime=2026-03-01T08:00:00 EndTime=2026-03-01T20:00:00 Duration=12:00:00
               Nodes=a[1-2] NodeCnt=2 CoreCnt=32 Features=(null) Flags=MAINT

            """
        let config =
            "Configuration data as of 2026\nClusterName             = little\nSelectType              = select/cons_tres\n"
        let folder = try Folder()
        let events = folder.path("events.jsonl")
        var arguments = ["import", "-o", folder.path("m.yaml"), "--events-out", events]
        for (name, text) in [("c", config), ("n", nodes), ("p", partitions), ("r", reservations)] {
            arguments += ["--show", try folder.write(name, text)]
        }
        let run = try xinghe(arguments)
        #expect(run.status == 0, "\(run.errors)\(run.output)")
        let machine = try String(contentsOfFile: folder.path("m.yaml"), encoding: .utf8)
        #expect(machine.contains("machine: \"little\""))
        #expect(machine.contains("maximum: \"1-00:00:00\""))
        #expect(
            try String(contentsOfFile: events, encoding: .utf8).contains("\"event\": \"reserve\"")
        )
    }

    @Test("A machine written back as Slurm's files is the same machine when it is read again")
    func writtenBack() throws {
        let folder = try Folder()
        let (run, path) = try imported(
            folder,
            [
                ("--slurm-conf", "slurm.conf", Self.university),
                ("--assoc", "dump", Self.associations),
                ("--qos", "qos", Self.qos),
            ]
        )
        try #require(run.status == 0, "\(run.errors)\(run.output)")
        let back = folder.path("back")
        let export = try xinghe(["export", path, "-o", back])
        #expect(export.status == 0, "\(export.errors)")
        let again = folder.path("again.yaml")
        let second = try xinghe([
            "import", "-o", again, "--slurm-conf", "\(back)/slurm.conf", "--gres",
            "\(back)/gres.conf",
            "--assoc", "\(back)/associations.dump", "--qos", "\(back)/qos.txt",
        ])
        #expect(second.status == 0, "\(second.errors)\(second.output)")
        /// Nodes, partitions, QOS and accounts; limits come in any order.
        func people(_ path: String) throws -> [[String]] {
            let text = try String(contentsOfFile: path, encoding: .utf8)
            return text.split(separator: "\n").filter { $0.hasPrefix("  - {") }.map { line in
                line.filter { !"{}".contains($0) }.components(separatedBy: ", ").sorted()
            }
        }
        #expect(try people(again) == people(path))
    }

    /// What decides beside nodes and accounts.
    static let rules = """
        ClusterName=rules
        Licenses=fluent:20,ansys
        PreemptType=preempt/partition_prio
        PreemptMode=REQUEUE,GANG
        PreemptExemptTime=00:10:00
        SchedulerParameters=bf_window=60,batch_sched_delay=3,defer
        SuspendTime=600
        NodeName=n[1-4] CPUs=16
        PartitionName=DEFAULT AllowAccounts=physics QOS=busy
        PartitionName=low Nodes=ALL Default=YES PreemptMode=CANCEL GraceTime=90
        PartitionName=high Nodes=ALL PriorityTier=10 AllowAccounts=ALL PreemptMode=OFF

        """

    @Test("Preemption and licences are part of the machine, there and back")
    func rulesOfTheCentre() throws {
        let folder = try Folder()
        let (run, path) = try imported(folder, [("--slurm-conf", "slurm.conf", Self.rules)])
        #expect(run.status == 0, "\(run.errors)\(run.output)")
        for line in [
            "slurm.conf:6: used: SchedulerParameters: in the policy; ignored: defer",
            "slurm.conf:7: ignored: SuspendTime=600: what nodes draw is not in these files",
            "slurm.conf:10: ignored: AllowAccounts=physics: give the accounts too (--assoc",
        ] {
            #expect((run.output + run.errors).contains(line), "\(line)")
        }
        let policy = "policy: order=multifactor,backfill=slurm,bf_window=60,batch_sched_delay=3"
        #expect((run.output + run.errors).contains(policy))
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let expected = [
            "preemption: {by: partition, mode: requeue, exempt_time: \"00:10:00\"}",
            "  - {name: \"fluent\", count: 20}", "  - {name: \"ansys\", count: 1}",
            "preempt_mode: cancel, grace_time: \"00:01:30\"", "preempt_mode: off",
            "  - {name: \"busy\"",
        ]
        for part in expected { #expect(text.contains(part), "\(part)\n\(text)") }
        let back = folder.path("back")
        #expect(try xinghe(["export", path, "-o", back]).status == 0)
        let again = folder.path("again.yaml")
        let second = try xinghe([
            "import", "-o", again, "--slurm-conf", "\(back)/slurm.conf", "--qos", "\(back)/qos.txt",
        ])
        #expect(second.status == 0, "\(second.errors)\(second.output)")
        let copy = try String(contentsOfFile: again, encoding: .utf8)
        for part in expected { #expect(copy.contains(part), "\(part)\n\(copy)") }
    }

    @Test("When nodes are switched off is in the slurm.conf of a machine that says so")
    func powerIsExported() throws {
        let folder = try Folder()
        let path = try folder.write(
            "lab.yaml",
            """
            machine: lab
            title: Lab
            node_types:
              - name: box
                title: Box
                topology: {synthetic: "core:8 pu:1"}
                processor: {model: Some CPU}
                cores: 8
                memory: 1 GiB
                power: 300 W
                boot_time: 5
            nodes: [{names: "box[0-3]", type: box}]
            platforms: [{name: lab, title: Lab, key: false}]
            partitions: [{name: main, nodes: ALL, platform: lab}]
            power_saving: {suspend_time: 30}

            """
        )
        #expect(try xinghe(["export", path, "-o", folder.path("out")]).status == 0)
        let text = try String(contentsOfFile: folder.path("out/slurm.conf"), encoding: .utf8)
        #expect(text.contains("SuspendTime=1800\nResumeTimeout=300\n"), "\(text)")
    }

    @Test(
        "Lines that cannot be are refused with their numbers, and nothing is written",
        arguments: [
            (
                "NodeName=a[0-3] CPUs=7 Sockets=2 CoresPerSocket=2",
                "slurm.conf:1: refused: CPUs=7 are neither"
            ),
            ("NodeName=a[0-3 CPUs=7", "slurm.conf:1: refused: 'a[0-3' is no list of nodes"),
            (
                "NodeName=a CPUs=4\nNodeName=a CPUs=4",
                "slurm.conf:2: refused: node a is there already"
            ),
            (
                "NodeName=a CPUs=4\nPartitionName=p Nodes=b",
                "slurm.conf:2: refused: node b is not there"
            ),
            (
                "NodeName=a Boards=100000000 SocketsPerBoard=100000000 ThreadsPerCore=100000000",
                "slurm.conf:1: refused: Boards=100000000 is no count"
            ),
            ("NodeName=a CPUs=4 Gres=gpu:99", "slurm.conf:1: refused: Gres=gpu:99"),
            ("Include other.conf\nNodeName=a CPUs=4", "slurm.conf:1: refused: include"),
            ("NodeName=a\u{0}b CPUs=4", "slurm.conf:1: refused: 'a"),
            ("Licenses=fluent:many", "slurm.conf:1: refused: Licenses=fluent:many"),
            ("Licenses=:", "slurm.conf:1: refused: Licenses=: is"),
            ("Licenses=a,:", "slurm.conf:1: refused: Licenses=a,: is"),
            (
                "NodeName=a CPUs=4\nPartitionName=p Nodes=a GraceTime=soon",
                "slurm.conf:2: refused: GraceTime=soon"
            ),
            ("NodeName=a CPUs=4", "there are no partitions"),
            ("ClusterName=x", "there are no nodes"),
        ]
    )
    func refused(text: String, message: String) throws {
        let folder = try Folder()
        let (run, _) = try imported(folder, [("--slurm-conf", "slurm.conf", text)])
        #expect(run.status == 1)
        #expect((run.output + run.errors).contains(message), "\(run.output)\(run.errors)")
        #expect(try folder.names() == ["slurm.conf"])
    }

    @Test("A later line of defaults adds to the earlier ones, and a line of nothing is none")
    func defaults() throws {
        let folder = try Folder()
        let text = """
            NodeName=DEFAULT CPUs=8 RealMemory=4096
            NodeName=DEFAULT RealMemory=8192
            NodeName=a[0-1]
            PartitionName=p Nodes=ALL
            """
        let (run, path) = try imported(
            folder,
            [("--slurm-conf", "slurm.conf", text), ("--topology", "topology.conf", "\"\"\n")]
        )
        #expect(run.status == 0, "\(run.errors)")
        let machine = try String(contentsOfFile: path, encoding: .utf8)
        #expect(machine.contains("cores: 8") && machine.contains("memory: 8192 MiB"), "\(machine)")
    }
}
