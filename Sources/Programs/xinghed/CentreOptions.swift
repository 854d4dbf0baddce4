import ArgumentParser
import Catalog
import ClusterModel
import Foundation
import HTTPService
import HardwareTopology
import IndexSets
import JobExecution
import LiveRuntime
import Logging
import Persistence
import Quantities
import Scheduling
import WireFormats

/// What a centre is opened with, on the command line.
struct CentreOptions: ParsableArguments {
    @Option(help: "The folder with the centre's journal; made when absent.")
    var state: String

    @Option(help: "The Unix socket to serve; by default where clients look for it.")
    var socket: String?

    @Option(
        help: """
            A shipped machine, or a machine file; by default the one that the folder belongs to, and \
            in a new folder tianjin.
            """
    )
    var machine: String?

    @Option(
        help: """
            How time passes: real, x3600 (3,600 times faster) or stepped; by default as when the folder's \
            centre was open last, and in a new folder real.
            """
    )
    var time: String?

    @Option(
        help: """
            The scheduling policy ('xinghe policies' lists them); by default the one that the folder \
            belongs to, and in a new folder easy.
            """
    )
    var policy: String?

    @Option(help: "The prices: a shipped tariff, or a file; by default those of the machine.")
    var tariff: String?

    @Option(
        help: ArgumentHelp("A subsidy rule, shipped or a file; may be repeated.", valueName: "rule")
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
        help: "Run the scripts of jobs on modelled nodes, with their sleeps in the centre's time."
    )
    var rehearse = false

    @Option(
        help: ArgumentHelp(
            "How long a rehearsed script may compute without a pause.",
            valueName: "seconds"
        )
    )
    var rehearsalWait: UInt32 = 10

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
        name: .customLong("private"),
        help: ArgumentHelp(
            """
            A centre of one process: it ends when nobody holds its standard input any more, this folder \
            goes with it, and it writes no images.
            """,
            valueName: "folder"
        )
    )
    var privateFolder: String?

    @Option(
        help: ArgumentHelp(
            "Keep aside, and lose, what a private centre's scripts write below a folder; may be repeated.",
            valueName: "folder"
        )
    )
    var cover: [String] = []

    @Option(
        help: """
            A file to log to, in place of standard error; SIGHUP opens it anew after it was moved away.
            """
    )
    var log: String?

    @Option(
        help: "What is logged: trace, debug, info, notice, warning, error or critical, and above."
    )
    var logLevel = "notice"

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
    var maxJobCount = CentreLimits().jobCount

    @Option(
        help: ArgumentHelp(
            "The largest index of a job array, and one (MaxArraySize).",
            valueName: "count"
        )
    )
    var maxArraySize = CentreLimits().arraySize

    @Option(
        help: ArgumentHelp(
            """
            What users do not see of others, as Slurm's PrivateData: jobs, nodes, reservations, usage, \
            or all; with commas between them.
            """,
            valueName: "data"
        )
    )
    var privateData = ""

    @Option(
        help: ArgumentHelp(
            """
            Serve the network too: a port, or an address of this computer and a port. Who asks there \
            needs a token ('xinghe token').
            """,
            valueName: "address"
        )
    )
    var listen: String?

    @Option(
        help: ArgumentHelp(
            "The key of the tokens; by default jwt.key in the state folder, made when absent.",
            valueName: "file"
        )
    )
    var tokenKey: String?

    /// Something wrong in what was asked for.
    struct Problem: Error {
        var text: String
    }

    /// The options that are words.
    func words() throws(OpeningWords.Problem) -> OpeningWords {
        try OpeningWords(
            time: time ?? TimeMode.noted(in: state)?.description ?? "real",
            policy: policy,
            start: start,
            killWaitSeconds: killWait,
            journalLimitMebibytes: journalLimit,
            imageEvery: imageEvery
        )
    }

    /// The level of the log.
    func level() throws(Problem) -> Logger.Level {
        guard let level = Logger.Level(rawValue: logLevel) else {
            let known = Logger.Level.allCases.map(\.rawValue)
            throw Problem(
                text: "--log-level: '\(logLevel)' is none of \(known.joined(separator: ", "))"
                    + didYouMean(logLevel, among: known)
            )
        }
        return level
    }

    /// Where the network comes in; nil when it is to stay out.
    ///
    /// - Throws: `Problem`.
    func listenAddress() throws -> ListenAddress? {
        guard let listen else { return nil }
        guard let address = ListenAddress(listen) else {
            throw Problem(
                text: "--listen: '\(listen)' is no port and no address with a port, such as"
                    + " 6820, 127.0.0.1:6820 or [::1]:6820"
            )
        }
        return address
    }

    /// Where clients look for the socket, unless told otherwise.
    var socketPath: String {
        socket
            ?? SocketLocation.path(userID: getuid()) { ProcessInfo.processInfo.environment[$0] }
    }

    func settings(_ logger: Logger) throws -> CentreSettings {
        let words = try words()
        var settings = CentreSettings(
            stateFolder: Self.absolute(state),
            rules: CentreRules(machine: try loadMachine(), policy: words.policy ?? .easy),
            stepProgram: Self.programFolder + "/xinghe-step"
        )
        settings.isMachineGiven = machine != nil || rehearse
        settings.isPolicyGiven = policy != nil
        settings.tariff = try tariff.map { name in
            try Self.text(
                name,
                shipped: TariffCatalog.tariffText(named: name),
                all: TariffCatalog.tariffNames,
                "tariff"
            )
        }
        settings.subsidyRules = try rule.map { name in
            try Self.text(
                name,
                shipped: RuleCatalog.ruleText(named: name),
                all: RuleCatalog.ruleNames,
                "rule"
            )
        }
        settings.timeMode = words.timeMode
        settings.start = words.start
        settings.killWaitMilliseconds = killWait * 1_000
        settings.nodesReturn = nodesReturn
        settings.socketPath = Self.absolute(socketPath)
        settings.rehearsalWaitMilliseconds = min(rehearsalWait, 86_400) * 1_000
        settings.writesEmulatedOutput = true
        settings.sizeLimit = journalLimit.map { ByteCount(mebibytes: $0) }
        if let imageEvery { settings.imageInterval = imageEvery }
        // Nobody ever opens it again.
        if privateFolder != nil { settings.imageInterval = .max / 2 }
        settings.origin = try storeOrigin()
        settings.limits = try limits()
        guard load != nil || loadSeed == nil else {
            throw Problem(text: "--load-seed: needs --load")
        }
        settings.load = load.map { LoadReading.choice($0, seed: loadSeed ?? 1) }
        settings.readLoad = LoadReading.load
        do throws(PrivateData.Unknown) {
            settings.privateData = try PrivateData.set(privateData)
        } catch {
            let known = PrivateData.allCases.map(\.rawValue)
            throw Problem(
                text: "--private-data: '\(error.word)' is none of \(known.joined(separator: ", "))"
                    + " and all\(didYouMean(error.word, among: known))"
            )
        }
        settings.version = Version.text
        settings.logger = logger
        return settings
    }

    /// Makes the daemon one of one process, if that is wanted. To be called before there is a second thread.
    ///
    /// - Throws: `Problem`.
    func seclude() throws(Problem) {
        guard let privateFolder else {
            guard cover.isEmpty else { throw Problem(text: "--cover: needs --private") }
            return
        }
        do throws(ExecutionFailure) {
            try PrivateProcess.endWithInput(removing: privateFolder)
            if !cover.isEmpty { try PrivateProcess.cover(cover, butNot: privateFolder) }
        } catch {
            throw Problem(text: "\(cover.isEmpty ? "--private" : "--cover"): \(error)")
        }
    }

    private func storeOrigin() throws -> CentreStore.Origin {
        switch origin {
        case nil: .same
        case "moved": .moved
        case "copy": .copy
        case let word?: throw Problem(text: "--origin: '\(word)' is none of moved and copy")
        }
    }

    private func limits() throws -> CentreLimits {
        guard (1...4_000_000).contains(maxJobCount) else {
            throw Problem(text: "--max-job-count is from 1 to 4000000")
        }
        guard (1...100_001).contains(maxArraySize) else {
            throw Problem(text: "--max-array-size is from 1 to 100001")
        }
        var limits = CentreLimits()
        limits.jobCount = maxJobCount
        limits.arraySize = maxArraySize
        return limits
    }

    func loadMachine() throws -> Machine {
        let library: MachineLibrary
        do {
            library = MachineLibrary(
                host: try HostProbe.describe(),
                fileText: { path in
                    FileManager.default.contents(atPath: path).map {
                        String(decoding: $0, as: UTF8.self)
                    }
                }
            )
        } catch {
            throw Problem(text: "the host's topology cannot be read: \(error)")
        }
        do {
            let machine = try library.machine(machine ?? "tianjin")
            return rehearse ? machine.rehearsed : machine
        } catch {
            throw Problem(text: "\(error)")
        }
    }

    /// The text of something shipped, or of a file.
    private static func text(
        _ name: String,
        shipped: String?,
        all: [String],
        _ kind: String
    ) throws -> NamedText {
        if let shipped { return NamedText(name: name + ".yaml", text: shipped) }
        guard let bytes = FileManager.default.contents(atPath: name) else {
            let hint = didYouMean(name, among: all)
            throw Problem(
                text: "--\(kind): '\(name)' is no file that can be read and not shipped\(hint); "
                    + "shipped are \(all.joined(separator: ", "))"
            )
        }
        guard let text = String(data: bytes, encoding: .utf8) else {
            throw Problem(text: "--\(kind): '\(name)' is not UTF-8")
        }
        return NamedText(name: name, text: text)
    }

    private static func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    }

    /// The folder of this program; the others are beside it.
    private static var programFolder: String {
        let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return ((path ?? "/usr/local/bin/xinghed") as NSString).deletingLastPathComponent
    }
}
