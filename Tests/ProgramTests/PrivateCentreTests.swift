import Foundation
import JobExecution
import Testing

@Suite("Private centres", .serialized, .enabled(if: Rehearsal.isPossible))
struct PrivateCentreTests {
    private static let start = ["--start", "2026-11-21T08:00:00"]

    /// Two whole nodes that rehearse, with software.
    private static let machineWithSoftware = """
        machine: m
        title: M
        node_types:
          - name: a
            title: A
            topology: {synthetic: "package:1 [numa(memory=16GiB)] core:4 pu:1"}
            processor: {model: X, clock: 2 GHz, flops_per_cycle: 8}
            cores: 4
            memory: 16 GiB
            memory_bandwidth: 20 GB/s
        nodes: [{names: "n[0-3]", type: a}]
        platforms: [{name: p, title: P, key: false}]
        partitions: [{name: q, nodes: ALL, platform: p, sharing: whole-node}]
        software:
          - module: lammps/2023
            programs: [{program: md_solver, serial: 2, shared: 1:00:00}]
          - module: lammps/2020
            programs: [{program: md_solver_old, serial: 3}, {program: md_solver, serial: 4}]
          - module: solver
            programs: [{program: solve, kernel: cg, size: 64x64x64, repeat: 1000}]

        """

    @Test(
        "Software of the machine file is loaded, takes its time on the nodes of its step, or is not found"
    )
    func software() throws {
        let folder = try Folder()
        let machine = try folder.write("m.yaml", Self.machineWithSoftware)
        let path = try folder.write(
            "a.sh",
            """
            #!/bin/bash
            #SBATCH -N 4 -t 1-0
            #SBATCH -o \(folder.path("%j.out"))
            yhrun md_solver; echo without $?
            type -t md_solver; echo found $?
            module load lamps; echo unknown $?
            module load lammps; echo loaded $?
            module list 2>&1 | tail -n 1
            md_solver_old; echo other $?
            s=$SECONDS; yhrun md_solver -in melt.in; echo four $? $((SECONDS - s))
            s=$SECONDS; yhrun -N 2 -n 2 md_solver; echo two $? $((SECONDS - s))
            s=$SECONDS; md_solver < /dev/null; echo one $? $((SECONDS - s))
            module is-loaded solver; echo is $?
            module swap nosuch solver; echo nothing $?
            module shoe solver; echo verb $?
            timeout 60 yhrun md_solver; echo ended $?
            yhrun xinghe-kernel cg --sise 3; echo option $?
            module swap lammps lammps/2020 && md_solver_old; echo swapped $?
            s=$SECONDS; md_solver; echo version $? $((SECONDS - s))
            module purge; hash -r; md_solver_old; echo purged $?
            module load solver lammps
            printf '0 md_solver\n1-3 solve\n' > \(folder.path("programs.conf"))
            s=$SECONDS; yhrun -n 4 --multi-prog \(folder.path("programs.conf"))
            echo several $? $((SECONDS - s))
            bash -lc 'module is-loaded solver && command -v solve > /dev/null'; echo login $?
            s=$SECONDS; yhrun solve; a=$((SECONDS - s))
            s=$SECONDS; yhrun xinghe-kernel cg --size 64x64x64 --repeat=1000; b=$((SECONDS - s))
            echo kernel $((a > 0)) $((a - b <= 1 && b - a <= 1))

            """
        )
        let run = try xinghe(
            ["rehearse", "--lang", "en", "--machine", machine] + Self.start + [path]
        )
        let said = run.output.split(separator: "\n").filter { $0.hasPrefix("  | ") }
            .map { String($0.dropFirst(4)) }
        let expected = [
            "without 2", "found 1", "unknown 1", "loaded 0", " 1) lammps/2023", "other 127",
            "four 0 1020", "two 0 1920", "one 0 3720", "is 1", "nothing 1", "verb 1",
            "ended 124", "option 64", "swapped 0", "version 0 240", "purged 127",
            "several 0 1020", "login 0", "kernel 1 1",
        ]
        #expect(said.filter(expected.contains) == expected, "\(run.output)\(run.errors)")
        #expect(
            said.contains(
                "ERROR: Unable to locate a modulefile for 'lamps' (did you mean 'lammps'?)"
            )
        )
        #expect(said.contains("yhrun: md_solver is emulated: 1020 s"))
        #expect(said.contains("yhrun: 'module load lammps/2023' brings it"))
    }

    @Test(
        "Components are rehearsed together: steps on them, clients that wait for children, and the fees of all"
    )
    func components() throws {
        let folder = try Folder()
        let machine = try folder.write("m.yaml", Self.machineWithSoftware)
        let path = try folder.write(
            "a.sh",
            """
            #!/bin/bash
            #SBATCH -N 1 -t 1:00:00
            #SBATCH -o \(folder.path("%j.out"))
            #SBATCH hetjob
            #SBATCH -N 2
            yhrun --het-group=1 -n 2 sleep 600
            yhrun --het-group=0,1 -n 2 sh -c 'echo $SLURM_PROCID $SLURM_STEP_ID' | sort
            # It has asked the centre, has its answer, and waits for its child.
            python3 - <<'EOF'
            import os, socket, subprocess
            door = socket.socket(socket.AF_UNIX)
            door.connect(os.environ["XINGHE_SOCKET"])
            door.close()
            subprocess.run(["sleep", "300"])
            EOF
            echo $SECONDS

            """
        )
        let run = try xinghe(
            ["rehearse", "--lang", "en", "--machine", machine] + Self.start + [path]
        )
        #expect(run.status == 0, "\(run.output)\(run.errors)")
        let lines = run.output.split(separator: "\n")
        let said = lines.filter { $0.hasPrefix("  | ") }.map { String($0.dropFirst(4)) }
        #expect(said == ["0 1", "1 1", "2 1", "3 1", "900"], "\(run.output)\(run.errors)")
        let steps = lines.filter { $0.hasPrefix("  step ") }.map { $0.prefix { $0 != "," } }
        #expect(
            steps == ["  step 1 sh: 2 tasks", "  step 0 sleep: 2 tasks", "  step 1 sh: 2 tasks"],
            "\(run.output)"
        )
        #expect(lines.contains { $0.hasPrefix("  job 1+0: 1 node of q") }, "\(run.output)")
        #expect(lines.contains { $0.hasPrefix("  job 1+1: 2 nodes of q") }, "\(run.output)")
        #expect(lines.contains("  other ways are not tried for heterogeneous jobs"))
        #expect(lines.count { $0.hasPrefix("  ends COMPLETED 0:0 after 00:15:00") } == 2)
        #expect(lines.last?.hasPrefix("total: gross fee ") ?? false)
    }

    @Test("A quote needs no open centre: it opens one, under a load if that is wanted")
    func privateQuote() throws {
        let folder = try Folder()
        let machine = try folder.write("m.yaml", Self.machineWithSoftware)
        let mix = try folder.write(
            "mix.yaml",
            """
            mix: busy
            nodes: 4
            jobs_per_day: 400
            users: 3
            time_limit: 1:00:00
            classes: [{name: a, share: 1, sizes: [{nodes: 4}], median: 20}]

            """
        )
        let path = try folder.write("a.sh", "#!/bin/bash\n#SBATCH -N 2 -t 1:00:00\n")
        func quote(_ words: [String]) throws -> Run {
            try xinghe(
                ["quote", "--lang", "en", "--machine", machine] + Self.start + words + [path]
            )
        }
        let alone = try quote([])
        #expect(alone.status == 0, "\(alone.errors)")
        #expect(alone.output.hasPrefix("Start 2026-11-21T08:00:00 "), "\(alone.output)")
        // More is submitted than the nodes can do, so a newcomer waits.
        let loaded = try quote(["--load", mix])
        #expect(loaded.status == 0, "\(loaded.errors)")
        #expect(loaded.output.hasPrefix("Start 2026-1"), "\(loaded.output)")
        #expect(!loaded.output.hasPrefix("Start 2026-11-21T08:00:00 "), "\(loaded.output)")
        #expect(try quote(["--load", mix]).output == loaded.output)
        let bad = try folder.write("bad.yaml", "mix: busy\nnodes: none\n")
        let refused = try quote(["--load", bad])
        #expect(refused.status == 1)
        #expect(refused.errors.contains("bad.yaml:2: field nodes"), "\(refused.errors)")
        let both = try quote(["--socket", "/nowhere"])
        #expect(both.status == 64)
        let never = try xinghe(["quote", "--machine", machine, "--start", "2026-13-01", path])
        #expect(never.status == 64)
        #expect(never.errors.contains("--start: '2026-13-01' is no time"), "\(never.errors)")
    }

    @Test("Jobs of a load that fit nowhere are told of")
    func leftOut() throws {
        let folder = try Folder()
        let machine = try folder.write("m.yaml", Self.machineWithSoftware)
        let log = try folder.write(
            "log.swf",
            """
            ; UnixStartTime: 0
            1 0 0 60 4 -1 -1 4 60 -1 1 1 1 -1 1 -1 -1 -1
            2 9 0 60 400 -1 -1 400 60 -1 1 1 1 -1 1 -1 -1 -1

            """
        )
        let path = try folder.write("a.sh", "#!/bin/bash\n#SBATCH -t 10\n")
        let run = try xinghe(
            ["quote", "--machine", machine, "--load", log] + Self.start + [path]
        )
        #expect(run.errors.contains("1 job of the load fit no partition of 'm'"), "\(run.errors)")
    }
}
