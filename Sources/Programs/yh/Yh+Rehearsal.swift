import Glibc
import IndexSets
import SlurmDialect
import WireFormats

// In a rehearsed script the parallel programs of the centre are not run: what is no shell script and no
// tool of the system takes the time that the job's comment says, or the rest of its limit. The time that
// passes is the centre's (see docs/rehearsal.md).

/// A step of a rehearsed script.
struct RehearsedStep {
    /// How many tasks of a program are really started: the centre's computer is not the centre.
    static let tasksMaximum = 64

    private let folder: String
    private let start: Int64
    /// The number of the step in its job: by the order in which steps begin.
    let number: Int

    /// Nil outside a rehearsed script.
    init?(_ command: RunCommand) {
        guard let folder = Host.variable("XINGHE_REHEARSAL") else { return nil }
        self.folder = folder
        start = Self.now
        number = Self.nextNumber(
            in: folder,
            ["\(start)", Self.parts(of: command), Self.name(of: command)]
        )
    }

    private static func name(of command: RunCommand) -> String {
        let name = command.words.first?.split(separator: "/").last.map(String.init) ?? "step"
        return name.split(separator: "\n").joined()
    }

    /// The centre's time. Unit: µs; 0 when it cannot be read.
    private static var now: Int64 {
        guard let path = Host.variable("XINGHE_CLOCK"), let bytes = Host.read(path: path),
            bytes.count >= 8
        else { return 0 }
        return bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int64($1) }
    }

    /// Takes the next number. Each step leaves a line when it begins, so two that begin at once get two:
    /// `begin PROCESS START PARTS NAME`.
    private static func nextNumber(in folder: String, _ words: [String]) -> Int {
        let mark = Array((["begin", "\(getpid())"] + words).joined(separator: " ").utf8) + [0x0A]
        let path = folder + "/steps"
        let descriptor = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
        guard descriptor >= 0 else { return 0 }
        defer { close(descriptor) }
        guard write(descriptor, mark, mark.count) == mark.count else { return 0 }
        let end = Int(lseek(descriptor, 0, SEEK_CUR))
        let lines = (Host.read(path: path) ?? []).prefix(end).split(separator: 0x0A)
        return max(0, lines.count { $0.starts(with: "begin".utf8) } - 1)
    }

    /// Leaves the line of a step that is over.
    ///
    /// - Parameter isCancelled: whether it was cancelled, and not its job: 128 is added to its signal.
    func record(_ command: RunCommand, _ end: CompleteRequest, isCancelled: Bool = false) {
        let words = [
            "\(start)", "\(Self.now)", "\(end.exitCode)",
            "\(end.exitSignal + (isCancelled ? 128 : 0))", Self.parts(of: command), "\(number)",
            Self.name(of: command),
        ]
        let line = Array((words.joined(separator: " ") + "\n").utf8)
        let descriptor = open(folder + "/steps", O_WRONLY | O_APPEND | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        // In one write: two steps may end at once.
        _ = write(descriptor, line, line.count)
        close(descriptor)
    }
}

// MARK: - Programs that are not run

extension RehearsedStep {
    /// Whether a program of the job is emulated: one that is not of the system, none of the centre's own, and
    /// no script, or that is linked with MPI.
    static func isEmulated(_ path: String, isMPI: Bool) -> Bool {
        guard !RehearsedSoftware.isSoftware(path) else { return true }
        guard !Host.isOwnProgram(path) else { return false }
        guard !isMPI else { return true }
        let system = ["/bin/", "/usr/bin/", "/sbin/", "/usr/sbin/"]
        guard !system.contains(where: { path.hasPrefix($0) }) else { return false }
        guard let bytes = Host.read(path: path) else { return false }
        return bytes.starts(with: [0x7F, 0x45, 0x4C, 0x46])
    }

    /// Lets the time of a step pass whose programs, or some of them, are emulated: the longest of them. Gives
    /// how it ended.
    ///
    /// - Parameter emulated: the files of those that are.
    func emulate(
        _ command: RunCommand,
        _ programs: [TaskProgram],
        _ emulated: Set<String>,
        name: String
    ) -> CompleteRequest {
        var end = CompleteRequest()
        var length: Int64 = 0
        do throws(CommandFailure) {
            if let said = saidOfStep {
                (length, end.exitCode) = said
                let seconds = length / 1_000_000
                Host.print(["\(name): \(command.words[0]) is emulated: \(seconds) s"], to: 2)
            } else {
                length = try longest(command, programs, emulated, name)
            }
        } catch {
            Host.print(error.lines(for: name), to: 2)
            end.exitCode = error.exitCode
            record(command, end)
            return end
        }
        // The kernel would go on with a sleep that the supervisor was told of, after a signal that has no
        // handler.
        ReceivedSignals.watch(ReceivedSignals.forTasks)
        guard !Self.sleep(length) else {
            record(command, end)
            return end
        }
        let signal = ReceivedSignals.next?.number ?? SIGTERM
        let isCancelled = signal == ReceivedSignals.cancellation
        if isCancelled {
            let id = "\(Host.variable("SLURM_JOB_ID") ?? "0").\(number)"
            let node = Host.variable("SLURMD_NODENAME") ?? Host.hostName()
            Host.print([StepTasks.cancellationLine(id, on: node)], to: 2)
        }
        end.exitCode = 0
        end.exitSignal = isCancelled ? SIGKILL : signal
        record(command, end, isCancelled: isCancelled)
        return end
    }

    /// The time of the longest of a step's programs, each told of once. Unit: µs.
    private func longest(
        _ command: RunCommand,
        _ programs: [TaskProgram],
        _ emulated: Set<String>,
        _ name: String
    ) throws(CommandFailure) -> Int64 {
        var longest: Int64 = 0
        var told: Set<[String]> = []
        for program in programs where told.insert(program.words).inserted {
            let word = program.words[0]
            guard let path = program.path else {
                throw CommandFailure(
                    lines: ["\(name): error: execve(): \(word): No such file or directory"],
                    exitCode: 2
                )
            }
            guard emulated.contains(path) else {
                Host.print(["\(name): \(word) is not run beside emulated programs"], to: 2)
                continue
            }
            let length: Int64
            var text = "\(name): \(word) is emulated: "
            if let software = RehearsedSoftware(words: program.words) {
                length = try software.length(on: Self.nodes(of: command), name: name)
            } else if word.split(separator: "/").last == "xinghe-kernel" {
                throw CommandFailure(
                    lines: ["\(name): \(RehearsedSoftware.noKernel)"],
                    exitCode: RehearsedSoftware.noKernelStatus
                )
            } else {
                length = restOfLimit
                text += "the rest of the limit (--comment=step=SECONDS says how long it takes), "
            }
            Host.print([text + "\(length / 1_000_000) s"], to: 2)
            longest = max(longest, length)
        }
        return longest
    }

    /// What the job's comment says of the step with this number, the last of those that it names where
    /// there are more: its length in microseconds, and how it ends; nil when it says nothing.
    private var saidOfStep: (length: Int64, exitCode: Int32)? {
        let steps = (Host.variable("XINGHE_STEPS") ?? "").split(separator: ",").compactMap {
            step -> (Int64, Int32)? in
            let parts = step.split(separator: ":")
            guard parts.count == 2, let seconds = Int64(parts[0]), let code = Int32(parts[1]) else {
                return nil
            }
            return (seconds, code)
        }
        guard let last = steps.last else { return nil }
        let (seconds, code) = number < steps.count ? steps[number] : last
        return (seconds * 1_000_000, code)
    }

    /// Nearly all that is left of the limit, so that what follows in the script is rehearsed too.
    /// Unit: µs.
    private var restOfLimit: Int64 {
        let end = Host.variable("XINGHE_JOB_END").flatMap { Int64($0) }
        let rest = max(0, (end ?? start + 3_600_000_000) - start)
        return max(0, rest - max(1_000_000, rest / 100))
    }

    /// How many of the job's nodes a step runs on.
    private static func nodes(of command: RunCommand) -> Int {
        guard command.components.isEmpty else {
            return command.components.reduce(0) { $0 + nodes(of: $1, command) }
        }
        let held = Host.variable("SLURM_NNODES").flatMap { Int($0) } ?? 1
        return max(1, min(command.nodes ?? held, command.tasks))
    }

    private static func nodes(of component: RunCommand.Component, _ command: RunCommand) -> Int {
        let name = "SLURM_JOB_NUM_NODES_HET_GROUP_\(component.offset)"
        let held = Host.variable(name).flatMap { Int($0) } ?? 1
        return max(1, min(command.nodes ?? held, component.tasks))
    }

    /// Its tasks and nodes, `TASKS:NODES`; of components that are named `COMPONENT:TASKS:NODES` each.
    private static func parts(of command: RunCommand) -> String {
        guard !command.components.isEmpty else { return "\(command.tasks):\(nodes(of: command))" }
        return command.components.map { component in
            "\(component.offset):\(component.tasks):\(nodes(of: component, command))"
        }.joined(separator: ",")
    }

    /// Whether the time has passed; a signal ends it before.
    static func sleep(_ length: Int64) -> Bool {
        var time = timespec(
            tv_sec: Int(length / 1_000_000),
            tv_nsec: Int(length % 1_000_000) * 1_000
        )
        return nanosleep(&time, nil) == 0
    }
}

// MARK: - Stand-ins

extension Yh {
    /// A program that a rehearsed script finds in place of the real one; nil for any other name, and
    /// outside such a script.
    static func standIn(_ name: String) -> Command? {
        guard Host.variable("XINGHE_REHEARSAL") != nil else { return nil }
        switch name {
        case "mpirun", "mpiexec": return mpirun
        case "module": return RehearsedSoftware.module
        case "hostname": return hostname
        case _ where RehearsedSoftware.isName(name): return RehearsedSoftware.program
        default: return nil
        }
    }

    /// `mpirun` runs what `yhrun` would.
    private static func mpirun(name: String, arguments: [String]) throws(CommandFailure) -> Int32 {
        let withValue: Set<String> = [
            "H", "host", "hosts", "hostfile", "machinefile", "f", "x", "wdir", "wd", "bind-to",
            "map-by",
            "rank-by", "N", "npernode", "ppn", "perhost", "genv", "env", "mca", "gmca",
        ]
        let withTwo: Set<String> = ["genv", "env", "mca", "gmca"]
        var rest = arguments[...]
        var tasks: String?
        while let word = rest.first, word.hasPrefix("-") {
            rest = rest.dropFirst()
            let parts = word.drop { $0 == "-" }.split(separator: "=", maxSplits: 1)
            let option = parts.first.map(String.init) ?? ""
            if ["n", "np", "c"].contains(option) {
                tasks = parts.count == 2 ? String(parts[1]) : rest.popFirst()
            } else if parts.count == 1, withValue.contains(option) {
                rest = rest.dropFirst(withTwo.contains(option) ? 2 : 1)
            }
        }
        // How many tasks there is room for is not its affair.
        let number = tasks.map { ["-O", "-n", $0] } ?? []
        return try run(name: name, arguments: number + rest)
    }

    /// The node of the task, which no computer has as its name.
    private static func hostname(name: String, arguments: [String]) throws(CommandFailure) -> Int32
    {
        let names = ["XINGHE_HOST_NAME", "SLURMD_NODENAME"]
        Host.print([names.lazy.compactMap(Host.variable).first ?? Host.hostName()])
        return 0
    }
}
