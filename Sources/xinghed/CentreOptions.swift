import ArgumentParser
import Catalog
import ClusterModel
import Foundation
import HardwareTopology
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

    @Option(help: "A shipped machine, or the path of a machine file.")
    var machine = "tianjin"

    @Option(help: "How time passes: real, x3600 (3,600 times faster) or stepped.")
    var time = "real"

    @Option(help: "The scheduling policy; 'xinghe policies' lists them.")
    var policy = "easy"

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

    func check() throws {
        guard TimeMode(time) != nil else {
            throw ValidationError("--time: '\(time)' is none of real, xFACTOR and stepped")
        }
        let decidesItself: Bool
        do throws(SchedulingPolicy.Unknown) {
            let policy = try SchedulingPolicy(named: policy)
            decidesItself = policy.backfill != .external
        } catch {
            let names = SchedulingPolicy.named.map(\.name).joined(separator: ", ")
            throw ValidationError("--policy: '\(error.part)' is unknown; there are \(names)")
        }
        guard decidesItself else {
            throw ValidationError(
                "--policy: '\(policy)' decides nothing by itself; it is for 'xinghe replay'"
            )
        }
        if let start, Self.instant(start) == nil {
            throw ValidationError("--start: '\(start)' is no time; write it as 2026-11-01T00:00:00")
        }
        if let journalLimit, journalLimit < 1 {
            throw ValidationError("--journal-limit must be at least 1")
        }
        guard killWait <= 3_600 else { throw ValidationError("--kill-wait is at most 3600") }
    }

    /// Where clients look for the socket, unless told otherwise.
    var socketPath: String {
        socket
            ?? SocketLocation.path(userID: getuid()) { ProcessInfo.processInfo.environment[$0] }
    }

    func settings(_ logger: Logger) throws -> CentreSettings {
        guard let timeMode = TimeMode(time), let policy = try? SchedulingPolicy(named: policy)
        else {
            preconditionFailure("checked by check()")
        }
        let rules = CentreRules(machine: try loadMachine(), policy: policy)
        var settings = CentreSettings(
            stateFolder: Self.absolute(state),
            rules: rules,
            stepProgram: Self.programFolder + "/xinghe-step"
        )
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
        settings.timeMode = timeMode
        settings.start = start.flatMap(Self.instant)
        settings.killWaitMilliseconds = killWait * 1_000
        settings.sizeLimit = journalLimit.map { ByteCount(mebibytes: $0) }
        settings.version = Version.text
        settings.logger = logger
        return settings
    }

    private func loadMachine() throws -> Machine {
        let library: MachineLibrary
        do {
            library = MachineLibrary(host: try HostProbe.describe()) { path in
                FileManager.default.contents(atPath: path).map {
                    String(decoding: $0, as: UTF8.self)
                }
            }
        } catch {
            throw Problem(text: "the host's topology cannot be read: \(error)")
        }
        do {
            let isFile =
                machine.contains("/") || machine.hasSuffix(".yaml") || machine.hasSuffix(".yml")
            return isFile
                ? try library.machine(path: machine) : try library.machine(named: machine)
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
            let list = all.joined(separator: ", ")
            throw Problem(
                text: "--\(kind): '\(name)' is neither a file that can be read nor shipped: \(list)"
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

    private static func instant(_ text: String) -> SimInstant? {
        let parts = text.split { "-T:".contains($0) }.map { Int($0) }
        guard parts.count == 6 || parts.count == 3, let year = parts[0], let month = parts[1],
            let day = parts[2]
        else { return nil }
        var civil = CivilTime(year: year, month: month, day: day)
        if parts.count == 6 {
            guard let hour = parts[3], let minute = parts[4], let second = parts[5] else {
                return nil
            }
            (civil.hour, civil.minute, civil.second) = (hour, minute, second)
        }
        guard civil.isValid else { return nil }
        return civil.instant(offsetSeconds: CivilTime.shanghaiOffsetSeconds)
    }
}
