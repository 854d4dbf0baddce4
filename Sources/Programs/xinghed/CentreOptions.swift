import ArgumentParser
import Catalog
import ClusterModel
import Foundation
import HardwareTopology
import IndexSets
import LiveRuntime
import Logging
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

    @Option(help: "How time passes: real, x3600 (3,600 times faster) or stepped.")
    var time = "real"

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

    @Option(help: ArgumentHelp("The most that the journal may take.", valueName: "MiB"))
    var journalLimit: Int64?

    /// Something wrong in what was asked for.
    struct Problem: Error {
        var text: String
    }

    /// The options that are words.
    func words() throws(OpeningWords.Problem) -> OpeningWords {
        try OpeningWords(
            time: time,
            policy: policy,
            start: start,
            killWaitSeconds: killWait,
            journalLimitMebibytes: journalLimit
        )
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
        settings.isMachineGiven = machine != nil
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
        settings.sizeLimit = journalLimit.map { ByteCount(mebibytes: $0) }
        settings.version = Version.text
        settings.logger = logger
        return settings
    }

    private func loadMachine() throws -> Machine {
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
            return try library.machine(machine ?? "tianjin")
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
