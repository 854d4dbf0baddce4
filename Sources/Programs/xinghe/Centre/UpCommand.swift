import ArgumentParser
import Foundation
import LiveRuntime
import LocalClient
import Persistence
import Synchronization
import WireFormats

/// `xinghe up`: opens a centre in the background.
struct UpCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up",
        abstract: "Open a centre in the background.",
        discussion: """
            Starts xinghed, waits until it answers, and says where. The centre goes on where its \
            state folder left off; 'xinghe down' closes it.
            """
    )

    @OptionGroup var access: CentreAccess

    @OptionGroup var language: LanguageOption

    @Option(
        help: """
            The folder with the centre's journal. By default a folder named after the machine, in \
            $XINGHE_STATE, else $XDG_STATE_HOME/xinghe, else ~/.local/state/xinghe (for root \
            /var/lib/xinghe, since the jobs of other users are started from it).
            """
    )
    var state: String?

    @Option(
        help: """
            A shipped machine ('xinghe machines' lists them), or a file. By default the one that the \
            state folder belongs to, and in a new folder tianjin.
            """
    )
    var machine: String?

    @Option(
        help: """
            How time passes: real, x3600 (3,600 times faster) or stepped; by default as when the centre was \
            open last, and in a new one real.
            """
    )
    var time: String?

    @Option(
        help: """
            The scheduling policy; 'xinghe policies' lists them. By default the one that the state \
            folder belongs to, and in a new folder easy.
            """
    )
    var policy: String?

    @Option(
        help: """
            The prices: a shipped tariff (tianjin-prices, tianjin-tiered), or a file. By default those \
            in force, and in a new centre those of the machine.
            """
    )
    var tariff: String?

    @Option(
        help: "What is logged: trace, debug, info, notice, warning, error or critical, and above."
    )
    var logLevel: String?

    @Option(
        help: ArgumentHelp(
            """
            Where the state folder comes from, when it is not the one in which its centre was: moved \
            (go on with it, the other is gone) or copy (another centre, which has nothing to do with \
            what runs).
            """,
            valueName: "origin"
        )
    )
    var origin: String?

    @Option(help: ArgumentHelp("The most jobs that wait or run (MaxJobCount).", valueName: "count"))
    var maxJobCount: Int?

    @Option(
        help: ArgumentHelp(
            "The largest index of a job array, and one (MaxArraySize).",
            valueName: "count"
        )
    )
    var maxArraySize: Int?

    @Option(
        help: ArgumentHelp(
            """
            What users do not see of others, as Slurm's PrivateData: jobs, nodes, reservations, usage, \
            or all; with commas between them.
            """,
            valueName: "data"
        )
    )
    var privateData: String?

    @Option(
        help: ArgumentHelp(
            "A subsidy rule, shipped or a file; may be repeated. By default teda-machine-hour.",
            valueName: "rule"
        )
    )
    var rule: [String] = []

    @Option(
        help: ArgumentHelp(
            "Where the time of a new accelerated or stepped centre begins, in Asia/Shanghai.",
            valueName: "YYYY-MM-DDTHH:MM:SS"
        )
    )
    var start: String?

    @Option(help: "Seconds between SIGTERM and SIGKILL when a real job is ended.")
    var killWait: UInt32 = 30

    @Flag(
        help: "Nodes that an operator sets DOWN come back at once (Slurm's ReturnToService=2)."
    )
    var nodesReturn = false

    @Flag(
        help: """
            Rehearse: run the scripts of jobs on modelled nodes, with their sleeps in the centre's time.
            """
    )
    var rehearse = false

    @Option(
        help: ArgumentHelp(
            "How long a rehearsed script may compute without a pause; by default 10.",
            valueName: "seconds"
        )
    )
    var rehearsalWait: UInt32?

    @Option(
        help: ArgumentHelp(
            """
            Other people's jobs, so that waits mean something: tianjin, the file of a mix, or a log \
            (SWF, sacct; compressed or not). A centre that has a load goes on with it.
            """,
            valueName: "load"
        )
    )
    var load: String?

    @Option(help: ArgumentHelp("One seed gives one load; 1 by default.", valueName: "seed"))
    var loadSeed: UInt64?

    @Option(help: ArgumentHelp("The most that the journal may take.", valueName: "MiB"))
    var journalLimit: Int64?

    @Option(
        help: ArgumentHelp(
            "Write an image of the state, from which it opens, every so many inputs; 4000 by default.",
            valueName: "count"
        )
    )
    var imageEvery: Int64?

    @Option(
        help: ArgumentHelp(
            """
            Serve the network too, at a port (6820) or an address of this computer with one \
            (192.0.2.7:6820); a port alone is for this computer only. Needs a token: 'xinghe token'.
            """,
            valueName: "address"
        )
    )
    var listen: String?

    func validate() throws {
        do throws(OpeningWords.Problem) {
            _ = try OpeningWords(
                time: time ?? TimeMode.noted(in: stateFolder)?.description ?? "real",
                policy: policy,
                start: start,
                killWaitSeconds: killWait,
                journalLimitMebibytes: journalLimit,
                imageEvery: imageEvery
            )
        } catch {
            throw ValidationError(error.description)
        }
    }

    func run() throws {
        if let status = try? access.client.get("/v1/status", as: CentreStatus.self) {
            throw CommandError(
                "a centre is open at \(access.path) already: \(status.machine), process"
                    + " \(status.processID), state in \(status.stateDirectory)"
            )
        }
        let folder = stateFolder
        let isNew = !FileManager.default.fileExists(atPath: folder)
        try Self.run { () throws(PersistenceFailure) in try StateFolder.make(folder) }
        let log = folder + "/xinghed.log"
        let logStart = Self.size(log)
        // What nothing came of leaves no trace; a folder with a journal in it stays.
        let clearAway = { @Sendable in
            guard isNew, !FileManager.default.fileExists(atPath: folder + "/journal.sqlite") else {
                return
            }
            unlink(log)
            rmdir(folder)
        }
        do {
            let daemon = try start(log: log, arguments: arguments(folder) + ["--log", log])
            try awaitReadiness(daemon, log: log, from: logStart, clearAway)
        } catch {
            clearAway()
            throw error
        }
        let status = try access.status()
        LoadNotice.tell(status)
        try StandardOutput.print(report(status, log: log).joined(separator: "\n"))
    }

    /// What has been opened, and where it is.
    private func report(_ status: CentreStatus, log: String) -> [String] {
        let words = language.words
        let now = status.now.shanghaiText
        var lines = [
            words("中心 \(status.machine) 已打开：", "centre '\(status.machine)' is open: ")
                + status.title,
            words(
                "  时间    \(status.timeMode)，现在 \(now)（Asia/Shanghai）",
                "  time    \(status.timeMode), now \(now) (Asia/Shanghai)"
            ),
            words(
                "  节点    \(status.nodes) 个，核 \(status.cores) 个",
                "  nodes   \(status.nodes), cores \(status.cores)"
            ),
            words("  状态    ", "  state   ") + status.stateDirectory,
            words("  套接字  ", "  socket  ") + socketPath, words("  日志    ", "  log     ") + log,
        ]
        let (running, waiting) = (status.jobsRunning, status.jobsPending)
        if running + waiting > 0 {
            lines.append(
                words(
                    "  作业    运行 \(running) 个，等待 \(waiting) 个",
                    "  jobs    \(running) running, \(waiting) waiting"
                )
            )
        }
        if listen != nil {
            lines.append(
                words(
                    "  网页    用 xinghe open 得到地址，在浏览器中打开",
                    "  page    'xinghe open' says how to look at it in a browser"
                )
            )
        }
        if access.socket != nil {
            lines.append(
                words("客户端需要：", "clients need: ") + "export XINGHE_SOCKET=\(socketPath)"
            )
        }
        return lines
    }

    /// The socket as clients in any folder find it.
    private var socketPath: String { Self.absolute(access.path) }

    /// A log by its path from anywhere: the daemon reads it again when the centre is opened again.
    private static func loadWord(_ load: String) -> String {
        load == "tianjin" ? load : absolute(load)
    }

    private static func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    }

    private static func run(_ body: () throws(PersistenceFailure) -> Void) throws {
        do throws(PersistenceFailure) {
            try body()
        } catch {
            throw CommandError(error.description)
        }
    }

    private var stateFolder: String {
        let environment = ProcessInfo.processInfo.environment
        let path: String
        if let state {
            path = state
        } else if let folder = environment["XINGHE_STATE"], !folder.isEmpty {
            path = folder + "/" + machineWord
        } else if let folder = environment["XDG_STATE_HOME"], !folder.isEmpty {
            path = folder + "/xinghe/" + machineWord
        } else {
            let base = getuid() == 0 ? "/var/lib" : NSHomeDirectory() + "/.local/state"
            path = base + "/xinghe/" + machineWord
        }
        return Self.absolute(path)
    }

    /// The machine's name, or that of its file without folder and ending.
    private var machineWord: String {
        (((machine ?? "tianjin") as NSString).lastPathComponent as NSString).deletingPathExtension
    }

    private func arguments(_ folder: String) -> [String] {
        var arguments = [
            "--state", folder, "--socket", socketPath, "--kill-wait", String(killWait),
        ]
        if nodesReturn { arguments.append("--nodes-return") }
        if let time { arguments += ["--time", time] }
        if let machine { arguments += ["--machine", machine] }
        if let policy { arguments += ["--policy", policy] }
        if let tariff { arguments += ["--tariff", tariff] }
        for rule in rule { arguments += ["--rule", rule] }
        if let start { arguments += ["--start", start] }
        if let logLevel { arguments += ["--log-level", logLevel] }
        if let origin { arguments += ["--origin", origin] }
        if let maxJobCount { arguments += ["--max-job-count", String(maxJobCount)] }
        if let maxArraySize { arguments += ["--max-array-size", String(maxArraySize)] }
        if let privateData { arguments += ["--private-data", privateData] }
        if rehearse { arguments.append("--rehearse") }
        if let rehearsalWait { arguments += ["--rehearsal-wait", String(rehearsalWait)] }
        if let load { arguments += ["--load", Self.loadWord(load)] }
        if let loadSeed { arguments += ["--load-seed", String(loadSeed)] }
        if let listen { arguments += ["--listen", listen] }
        if let journalLimit { arguments += ["--journal-limit", String(journalLimit)] }
        if let imageEvery { arguments += ["--image-every", String(imageEvery)] }
        return arguments
    }

    private static func size(_ path: String) -> UInt64 {
        let facts = try? FileManager.default.attributesOfItem(atPath: path)
        return (facts?[.size] as? NSNumber)?.uint64Value ?? 0
    }

    /// Starts the daemon in a session of its own, so that it outlives this terminal.
    private func start(log: String, arguments: [String]) throws -> StartedDaemon {
        let program = Programs.path("xinghed")
        var attributes = posix_spawnattr_t()
        var actions = posix_spawn_file_actions_t()
        posix_spawnattr_init(&attributes)
        posix_spawn_file_actions_init(&actions)
        defer {
            posix_spawnattr_destroy(&attributes)
            posix_spawn_file_actions_destroy(&actions)
        }
        // POSIX_SPAWN_SETSID, which Glibc shows to GNU sources only.
        posix_spawnattr_setflags(&attributes, 0x80)
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        var pid: pid_t = 0
        var words = ([program] + arguments).map { strdup($0) }
        words.append(nil)
        defer { for word in words { free(word) } }
        let code = posix_spawn(&pid, program, &actions, &attributes, words, environ)
        guard code == 0 else {
            throw CommandError("\(program) cannot be started: \(String(cString: strerror(code)))")
        }
        return StartedDaemon(pid)
    }

    /// - Parameter clearAway: what is done too when a signal ends this program.
    private func awaitReadiness(
        _ daemon: StartedDaemon,
        log: String,
        from logStart: UInt64,
        _ clearAway: @escaping @Sendable () -> Void
    ) throws {
        let leftover = Leftover {
            FileHandle.standardError.write(Data("interrupted: the centre is closed again\n".utf8))
            daemon.send(SIGTERM)
            // Its journal survives what a daemon that does not listen gets then.
            for _ in 0..<1_000 where !daemon.hasEnded { usleep(10_000) }
            daemon.send(SIGKILL)
            clearAway()
        }
        defer { leftover.forget() }
        // A journal of millions of inputs takes a while; there is no limit while it is alive.
        while true {
            if (try? access.client.get("/v1/status", as: CentreStatus.self)) != nil { return }
            if daemon.hasEnded {
                let text = Self.tail(log, from: logStart)
                throw CommandError(text.isEmpty ? "xinghed ended at once; see \(log)" : text)
            }
            usleep(10_000)
        }
    }

    private static func tail(_ log: String, from start: UInt64) -> String {
        guard let file = FileHandle(forReadingAtPath: log) else { return "" }
        defer { try? file.close() }
        try? file.seek(toOffset: start)
        let bytes = (try? file.readToEnd()) ?? Data()
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        let errors = lines.filter { $0.hasPrefix("xinghed: error: ") }
        let shown = errors.isEmpty ? lines.suffix(5)[...] : errors[...]
        let text = shown.joined(separator: "\n")
        return text.replacingOccurrences(of: "xinghed: error: ", with: "")
            .replacingOccurrences(of: "Error: ", with: "")
    }
}

/// The daemon that was started. Once it has ended and been waited for, its number may be another's, so that
/// nothing is sent to it any more.
private final class StartedDaemon: Sendable {
    private let process: Mutex<pid_t?>

    init(_ process: pid_t) {
        self.process = Mutex(process)
    }

    /// Whether it has ended; it is waited for then.
    var hasEnded: Bool {
        process.withLock { process in
            var status: Int32 = 0
            if let number = process, waitpid(number, &status, WNOHANG) == number { process = nil }
            return process == nil
        }
    }

    func send(_ signal: Int32) {
        process.withLock { process in
            if let process { kill(process, signal) }
        }
    }
}
