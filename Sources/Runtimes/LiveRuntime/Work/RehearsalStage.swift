import ClusterModel
import Foundation
import Glibc
import JobExecution
import Quantities
import SlurmDialect
import WireFormats

/// What rehearsed scripts find around them: the centre's commands first in `PATH`, with stand-ins for
/// `mpirun` and `module` among them, then the programs of the modules that they load, the centre's socket, and
/// the centre's time.
struct RehearsalStage {
    /// How many scripts may have their turn at once: one where their order is to be the same each time.
    let width: Int
    private let patienceMilliseconds: UInt32
    private let freeMinimum: UInt64
    private let socket: String
    /// The folder of the commands.
    private let commands: String
    /// What each bash reads that runs a script.
    private let shellFile: String
    /// What `module load` knows, and the programs that each brings: `NAME=PROGRAM,PROGRAM:NAME=PROGRAM`.
    private let modules: String
    /// The library that shows programs the centre's time; nil when it is not installed.
    private let clockLibrary: String?

    /// The largest file that a script may write. Unit: byte.
    private static let fileLimit: UInt64 = 1 << 30

    init(_ settings: CentreSettings, _ machine: Machine) {
        modules = machine.software.map { module in
            "\(module.name)=\(module.programs.map(\.name).joined(separator: ","))"
        }.joined(separator: ":")
        if case .scaled = settings.timeMode { width = 8 } else { width = 1 }
        patienceMilliseconds = settings.rehearsalWaitMilliseconds
        freeMinimum = settings.rehearsalFreeBytes
        socket = settings.socketPath
        commands = settings.stateFolder + "/commands"
        shellFile = settings.stateFolder + "/commands.sh"
        let folder = settings.stepProgram.split(separator: "/").dropLast().joined(separator: "/")
        let library = "libxinghe-clock.so"
        clockLibrary = ["/\(folder)/\(library)", "/\(folder)/../lib/xinghe/\(library)"]
            .first { access($0, R_OK) == 0 }
    }

    /// Makes the folder of the commands.
    ///
    /// - Throws: `OpenFailure` when scripts cannot be rehearsed on this computer.
    func build(stepProgram: String) throws(OpenFailure) {
        guard Rehearsal.isPossible else {
            throw .execution(
                "scripts cannot be rehearsed here: the kernel, or the container, has no seccomp user"
                    + " notifications"
            )
        }
        let folder = stepProgram.split(separator: "/").dropLast().joined(separator: "/")
        guard mkdir(commands, 0o755) == 0 || errno == EEXIST else {
            throw .execution("mkdir \(commands): \(String(cString: strerror(errno)))")
        }
        for name in Help.Command.allCases.flatMap(\.names) + Self.standIns {
            unlink("\(commands)/\(name)")
            symlink("/\(folder)/yh", "\(commands)/\(name)")
        }
        do {
            try Self.shellText.write(toFile: shellFile, atomically: true, encoding: .utf8)
        } catch {
            throw .execution("\(shellFile): \(error)")
        }
    }

    /// A login shell (`bash -l`) sets `PATH` anew: there the commands are put first again. A script that does so
    /// itself (`. /etc/profile`) finds them when nothing else has their name. What the script's user wants to be
    /// read is read after that.
    private static let shellText = """
        case ":$PATH:" in
            *":$XINGHE_PATH:"*) ;;
            *) PATH=$XINGHE_PATH:$PATH ;;
        esac
        command_not_found_handle() {
            local folder IFS=:
            for folder in $XINGHE_PATH; do
                if [ -x "$folder/$1" ]; then exec "$folder/$1" "${@:2}"; fi
            done
            printf '%s: line %s: %s: command not found\\n' "$0" "${BASH_LINENO[0]}" "$1" >&2
            exec "${XINGHE_PATH%%:*}/module" --hint "$1"
        }
        if [ -n "${XINGHE_BASH_ENV-}" ]; then . "$XINGHE_BASH_ENV"; fi

        """

    /// Programs that a centre's computer does not have, or that take another time there.
    private static let standIns = ["mpirun", "mpiexec", "module", "hostname", "xinghe-kernel"]

    /// Lets a script run in the centre's time.
    ///
    /// - Parameter hostName: the computer that all nodes of the job are on; nil when each is its own.
    func prepare(
        _ specification: inout StepSpecification,
        of entry: JobEntry,
        in folder: StepFolder,
        hostName: String?,
        now: SimInstant
    ) {
        specification.rehearsal = Rehearsal(
            start: now.microseconds,
            patienceMilliseconds: patienceMilliseconds,
            fileLimit: Self.fileLimit,
            freeMinimum: freeMinimum,
            socket: socket
        )
        let given = Self.values(specification.environment)
        let path = "\(commands):\(folder.programs)"
        var additions = [
            "PATH=\(path):\(given["PATH"] ?? "/usr/local/bin:/usr/bin:/bin")",
            "XINGHE_PATH=\(path)",
            "BASH_ENV=\(shellFile)",
            "XINGHE_REHEARSAL=\(folder.path)",
            "XINGHE_CLOCK=\(folder.clock)",
            "XINGHE_MODULES=\(modules)",
        ]
        if let own = given["BASH_ENV"], own != shellFile {
            additions.append("XINGHE_BASH_ENV=\(own)")
        }
        if let hostName { additions.append("XINGHE_HOST_NAME=\(hostName)") }
        if !socket.isEmpty { additions.append("XINGHE_SOCKET=\(socket)") }
        if let clockLibrary {
            let others = given["LD_PRELOAD"].map { " \($0)" } ?? ""
            additions.append("LD_PRELOAD=\(clockLibrary)\(others)")
        }
        if let deadline = entry.status.deadline {
            additions.append("XINGHE_JOB_END=\(deadline.microseconds)")
        }
        let steps = entry.specification.outcome.steps.map { step in
            "\(step.length.microseconds / 1_000_000):\(step.exitCode)"
        }
        let runTime = entry.specification.runTime.map { "\($0.microseconds / 1_000_000):0" }
        let lengths = steps.isEmpty ? runTime.map { [$0] } ?? [] : steps
        if !lengths.isEmpty {
            additions.append("XINGHE_STEPS=\(lengths.joined(separator: ","))")
        }
        specification.environment = BatchEnvironment.merge(specification.environment, additions)
    }

    private static func values(_ environment: [String]) -> [Substring: Substring] {
        let pairs = environment.compactMap { variable -> (Substring, Substring)? in
            guard let equals = variable.firstIndex(of: "=") else { return nil }
            return (variable[..<equals], variable[variable.index(after: equals)...])
        }
        return Dictionary(pairs) { _, last in last }
    }
}
