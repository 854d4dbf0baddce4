import ScriptChecking
import Testing
import WireFormats

@testable import SlurmDialect

@Suite("What a script does not do that its author meant")
struct ScriptReviewTests {
    private func review(
        _ lines: String,
        _ arguments: [String] = [],
        folders: Set<String> = ["/home/li"]
    ) throws -> [String] {
        let script = "#!/bin/bash\n" + lines + "\n"
        var command = try prepare(arguments + ["job.sh"], files: ["job.sh": script])
        if command.request.workDirectory.isEmpty { command.request.workDirectory = "/home/li" }
        return command.review { folders.contains($0) }.map(\.description)
    }

    @Test(
        "Each line that is not read as it was meant is named",
        arguments: [
            (
                "echo start\n#SBATCH -N 4",
                "line 3: '#SBATCH -N 4' comes after the first command (line 2), and is not read"
            ),
            (
                "# SBATCH -N 4",
                "line 2: '# SBATCH -N 4' is a comment, and not read: write '#SBATCH', not '# SBATCH'"
            ),
            (
                "#YHBATCH -p TH_NET",
                "line 2: '#YHBATCH -p TH_NET' is a comment, and not read: write '#SBATCH', not '#YHBATCH'"
            ),
            (
                "#Sbatch --ntasks=8",
                "line 2: '#Sbatch --ntasks=8' is a comment, and not read: write '#SBATCH', not '#Sbatch'"
            ),
            (
                " #SBATCH -N 4",
                "line 2: '#SBATCH -N 4' is not read: nothing may stand before '#SBATCH'"
            ),
            ("#BSUB -n 4", "line 2: '#BSUB -n 4' is a directive of LSF, and not read here"),
            (
                "#$ -pe mpi 4",
                "line 2: '#$ -pe mpi 4' is a directive of Grid Engine, and not read here"
            ),
            (
                "#SBATCH -N 2\n#PBS -l nodes=4",
                "line 3: '#PBS' lines are read beside '#SBATCH' lines, which count where both say something"
            ),
            (
                "#SBATCH -n 8\nyhrun -N 2 -n 16 -p TH_NET ./solve -n 99",
                "line 3: yhrun asks for 16 tasks, and the job has 8"
            ),
            (
                "#SBATCH -N 2 --ntasks-per-node=4\nmpirun -np 9 ./solve",
                "line 3: mpirun asks for 9 tasks, and the job has 8"
            ),
            (
                "#SBATCH -o logs/%j.out",
                "line 2: folder /home/li/logs, for the file 'logs/%j.out', does not exist"
            ),
            (
                "#SBATCH -D /scratch/li",
                "line 2: folder /scratch/li, in which the job is to start, does not exist"
            ),
        ]
    )
    func warning(script: String, warning: String) throws {
        #expect(try review(script) == [warning])
    }

    @Test(
        "What is as it should be is not warned of",
        arguments: [
            "#SBATCH -N 4\n\n# a comment\n#SBATCH -n 4\nyhrun -n 4 ./solve\n# SBATCH lines are above",
            "cat > inner.sh <<EOF\n#!/bin/bash\n#SBATCH -N 4\nEOF\nyhbatch inner.sh",
            "cat <<-'END' > inner.sh\n\t#SBATCH -N 4\n\tEND\ntrue",
            "##SBATCH -N 4\n#SBATCH -N 2",
            "#PBS -l nodes=4", "#SBATCH -n 2\nyhrun head -n 50 data", "yhrun -n 50 ./solve",
            "#SBATCH -o %x/%j.out -e /dev/null", "#SBATCH -o slurm.out",
        ]
    )
    func silence(script: String) throws {
        #expect(try review(script, folders: ["/home/li", "/dev"]) == [])
    }

    @Test("A folder that the command line names is no line of the script")
    func commandLine() throws {
        #expect(
            try review("#SBATCH -N 1", ["-o", "logs/out"])
                == ["folder /home/li/logs, for the file 'logs/out', does not exist"]
        )
    }

    @Test(
        "An interpreter says which line it cannot read",
        arguments: [
            ("#!/bin/bash\necho a\nfi\n", 3), ("#!/bin/sh\nif true; then\n  echo a\ndone\n", 4),
            ("#!/usr/bin/env bash\necho 'a\n", 2), ("#!/no/such/shell\ntrue\n", 1),
        ]
    )
    func unreadable(script: String, line: Int) {
        #expect(InterpreterCheck.warnings(of: Array(script.utf8)).first?.line == line)
    }

    @Test(
        "What an interpreter can read, and what nobody can be asked about, is not warned of",
        arguments: [
            "#!/bin/bash\nif true; then echo a; fi\n", "#!/bin/cat\nanything (\n", "no script",
            "#!/bin/bash\n" + String(repeating: "echo 0123456789\n", count: 50_000),
        ]
    )
    func readable(script: String) {
        #expect(InterpreterCheck.warnings(of: Array(script.utf8)) == [])
    }
}
