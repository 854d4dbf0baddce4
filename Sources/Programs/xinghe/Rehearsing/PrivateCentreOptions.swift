import ArgumentParser
import Foundation
import LiveRuntime
import Quantities

/// What a private centre is opened with.
struct PrivateCentreOptions: ParsableArguments {
    @Option(
        help: """
            The machine of a private centre: a shipped one ('xinghe machines' lists them), or a file.
            """
    )
    var machine: String?

    @Option(
        help: ArgumentHelp(
            "Where its time begins, in Asia/Shanghai; by default now.",
            valueName: "YYYY-MM-DDTHH:MM:SS"
        )
    )
    var start: String?

    @Option(
        help: ArgumentHelp(
            "Other people's jobs in it: tianjin, the file of a mix, or a log (SWF, sacct).",
            valueName: "load"
        )
    )
    var load: String?

    @Option(help: ArgumentHelp("The seed of the load; 1 by default.", valueName: "seed"))
    var loadSeed: UInt64?

    func validate() throws {
        if loadSeed != nil, load == nil { throw ValidationError("--load-seed: needs --load") }
        do throws(OpeningWords.Problem) {
            _ = try start.map { text throws(OpeningWords.Problem) in
                try OpeningWords.instant(text)
            }
        } catch {
            throw ValidationError(error.description)
        }
    }

    /// The seed of the load.
    var firstSeed: UInt64 { loadSeed ?? 1 }

    /// Whether anything is said of a private centre.
    var isGiven: Bool { machine != nil || start != nil || load != nil }

    /// The options of its daemon, but for the load. Time begins now where nobody says.
    fileprivate func arguments() -> [String] {
        ["--machine", machine ?? "tianjin", "--start", start ?? Self.now]
    }

    /// Those for the load, with another seed; a file is named by a path from anywhere.
    fileprivate func loadArguments(seed: UInt64) -> [String] {
        guard let load else { return [] }
        let isPath = load != "tianjin" && !load.hasPrefix("/")
        let folder = FileManager.default.currentDirectoryPath
        return ["--load", isPath ? "\(folder)/\(load)" : load, "--load-seed", "\(seed)"]
    }

    /// The computer's time in Asia/Shanghai, as `--start` takes it.
    private static var now: String {
        let microseconds = Int64(Date().timeIntervalSince1970) * 1_000_000
        let instant = SimInstant(microseconds: microseconds)
        return CivilTime(instant, offsetSeconds: CivilTime.shanghaiOffsetSeconds).iso8601
    }
}

/// How private centres are opened: those of a quote, and all of a rehearsal, begin alike, at one time and under one
/// load, or another seed of it.
struct CentreOpening {
    private let options: PrivateCentreOptions
    private let arguments: [String]

    init(_ options: PrivateCentreOptions, _ further: [String] = []) {
        self.options = options
        arguments = options.arguments() + further
    }

    /// Opens one.
    ///
    /// - Parameters:
    ///   - seedOffset: how far after the first seed that of its load is.
    ///   - rehearses: whether scripts run; else their jobs are emulated.
    ///   - covered: folders that stay as they are, whatever scripts write below them.
    ///   - patience: how long it, and each of its answers, may take. Unit: s.
    func open(
        rehearses: Bool = true,
        seedOffset: UInt64 = 0,
        covering covered: [String] = [],
        patience: Int = 86_400
    ) throws -> PrivateCentre {
        let load = options.loadArguments(seed: options.firstSeed &+ seedOffset)
        return try PrivateCentre(
            arguments + load,
            rehearses: rehearses,
            covering: covered,
            patience: patience
        )
    }
}
