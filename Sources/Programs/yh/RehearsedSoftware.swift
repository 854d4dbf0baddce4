import Glibc
import IndexSets
import LocalClient
import Quantities
import SlurmDialect
import WireFormats

// The software of the machine file, as a rehearsed script finds it: modules that are loaded, and programs
// that are not here and take the time that the centre says.

/// A program of the machine's software, or one of the centre's kernels.
struct RehearsedSoftware {
    /// How long it takes.
    private enum Time {
        /// As the centre says.
        case asked(ProgramQuery.Program)
        /// As its command line says. Unit: µs.
        case said(Int64)
    }

    private let time: Time
    private let program: String

    /// Reads what is called; nil for anything else.
    init?(words: [String]) {
        let name = words.first.map(Self.lastPart) ?? ""
        program = name
        if name == "xinghe-kernel" {
            guard let kernel = Self.kernel(words.dropFirst()) else { return nil }
            time = kernel
        } else if Self.isName(name) {
            time = .asked(.software(name))
        } else {
            return nil
        }
    }

    /// What `xinghe-kernel` is called with; nil when it names no kernel.
    private static func kernel(_ words: ArraySlice<String>) -> Time? {
        var (name, size, repeats): (String?, String, Int) = (nil, "small", 1)
        var seconds: Double?
        var rest = words
        while let word = rest.popFirst() {
            guard word.hasPrefix("--") else {
                name = name ?? word
                continue
            }
            let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
            func value() -> String? { parts.count == 2 ? parts[1] : rest.popFirst() }
            switch parts.first {
            case "--size": size = value() ?? size
            case "--repeat": repeats = value().flatMap { Int($0) } ?? repeats
            case "--seconds": seconds = value().flatMap { Double($0) }
            case "--threads", "--dump": _ = value()
            case "--oversubscribe": break
            default: return nil
            }
        }
        // A year is the most that it takes.
        if let seconds, (0...31_536_000).contains(seconds) { return .said(Int64(seconds * 1e6)) }
        return name.map { .asked(.kernel($0, size: size, repeats: repeats)) }
    }

    /// How long it takes on nodes of the job around it. Unit: µs.
    ///
    /// - Throws: `CommandFailure`, as a shell says it where the module is not loaded.
    func length(on nodes: Int, name: String) throws(CommandFailure) -> Int64 {
        let query: ProgramQuery.Program
        switch time {
        case .said(let length): return length
        case .asked(let program): query = program
        }
        guard let job = Host.variable("SLURM_JOB_ID").flatMap({ UInt32($0) }) else {
            throw .error(name, "\(program) runs in a job only")
        }
        let time = try Yh.ask(name) { client throws(LocalClientFailure) in
            let query = ProgramQuery(query, nodes: nodes)
            return try client.get(query.target(ofJob: job), as: ProgramTime.self)
        }
        if let module = time.module, !Self.loaded.contains(module) {
            throw CommandFailure(
                lines: [
                    "\(program): command not found",
                    "\(name): 'module load \(module)' brings it",
                ],
                exitCode: 127
            )
        }
        return time.duration.microseconds
    }
}

// MARK: - Programs

extension RehearsedSoftware {
    /// Whether a stand-in may be called so: any name but those of the centre's own programs.
    static func isName(_ name: String) -> Bool {
        name != "yh" && Help.Command(named: name) == nil
            && !["mpirun", "mpiexec", "module", "hostname"].contains(name)
    }

    /// Whether a path leads to the stand-in of a program.
    static func isSoftware(_ path: String) -> Bool {
        isName(lastPart(path)) && Host.isOwnProgram(path)
    }

    private static func lastPart(_ path: String) -> String {
        path.split(separator: "/").last.map(String.init) ?? path
    }

    static let noKernel =
        "xinghe-kernel takes the time of a kernel in a rehearsal, and none is named rightly"
    /// As the real one says it.
    static let noKernelStatus: Int32 = 64

    /// A program that the script calls by itself, outside a step: it runs on one node.
    static func program(name: String, arguments: [String]) throws(CommandFailure) -> Int32 {
        guard let software = RehearsedSoftware(words: [name] + arguments) else {
            throw CommandFailure(
                lines: ["\(name): error: \(noKernel)"],
                exitCode: noKernelStatus
            )
        }
        let length = try software.length(on: 1, name: name)
        Host.print(["\(name) is emulated: \(length / 1_000_000) s"], to: 2)
        return RehearsedStep.sleep(length) ? 0 : ExitStatus.signalled + SIGTERM
    }
}

// MARK: - Modules

extension RehearsedSoftware {
    private static var file: String? {
        Host.variable("XINGHE_REHEARSAL").map { $0 + "/modules" }
    }

    /// What the script has loaded, in that order.
    private static var loaded: [String] {
        let bytes = file.flatMap(Host.read) ?? []
        return bytes.split(separator: 0x0A).map { String(decoding: $0, as: UTF8.self) }
    }

    /// `module`: loads, unloads and lists what the machine file names. Where it names nothing, what a
    /// script loads is said, and changes nothing.
    static func module(name: String, arguments: [String]) throws(CommandFailure) -> Int32 {
        let words = arguments.filter { !$0.hasPrefix("-") }
        let (verb, names) = (words.first ?? "", Array(words.dropFirst()))
        let known = (Host.variable("XINGHE_MODULES") ?? "").split(separator: ":").map(String.init)
        guard !known.isEmpty else {
            if ["load", "add", "swap", "switch"].contains(verb) {
                let text =
                    "module: \(names.joined(separator: " ")): nothing is loaded in a rehearsal"
                Host.print([text], to: 2)
            }
            return 0
        }
        switch verb {
        case "load", "add": return change(unloading: [], loading: names, known)
        case "unload", "rm", "del": return change(unloading: names, loading: [], known)
        case "swap", "switch":
            // With one name only, another version of what is loaded.
            let family = names.first.map { String($0.prefix { $0 != "/" }) } ?? ""
            guard names.count > 1 else {
                return change(unloading: [family], loading: names, known)
            }
            guard loaded.contains(where: { answers($0, to: names[0]) }) else {
                Host.print(["ERROR: Module '\(names[0])' is not loaded"], to: 2)
                return 1
            }
            return change(unloading: [names[0]], loading: [names[1]], known)
        case "purge": return write([])
        case "list", "li":
            let own = loaded
            let lines = own.enumerated().map { index, name in " \(index + 1)) \(name)" }
            let title = own.isEmpty ? "No modules loaded" : "Currently Loaded Modulefiles:"
            Host.print([title] + lines, to: 2)
            return 0
        case "is-loaded":
            let own = loaded
            let isLoaded = names.allSatisfy { name in own.contains { answers($0, to: name) } }
            return isLoaded && !own.isEmpty ? 0 : 1
        case "avail", "av", "spider", "whatis", "show", "display":
            let shown = known.filter { name in
                names.isEmpty || names.contains { name.hasPrefix($0) }
            }
            Host.print(shown, to: 2)
            return 0
        case "", "help", "use", "unuse", "refresh": return 0
        default:
            Host.print(["ERROR: Invalid command '\(verb)'"], to: 2)
            return 1
        }
    }

    private static func change(
        unloading: [String],
        loading: [String],
        _ known: [String]
    ) -> Int32 {
        var own = loaded
        own.removeAll { module in unloading.contains { answers(module, to: $0) } }
        var status: Int32 = 0
        for word in loading {
            // Of several versions the first is the one that is meant.
            guard let module = known.first(where: { answers($0, to: word) }) else {
                let families = Set(known.map { String($0.prefix { $0 != "/" }) }).sorted()
                let hint = didYouMean(word, among: word.contains("/") ? known : families)
                Host.print(["ERROR: Unable to locate a modulefile for '\(word)'\(hint)"], to: 2)
                status = 1
                continue
            }
            if !own.contains(module) { own.append(module) }
        }
        let written = write(own)
        return status == 0 ? written : status
    }

    private static func answers(_ module: String, to word: String) -> Bool {
        module == word || module.hasPrefix(word + "/")
    }

    private static func write(_ modules: [String]) -> Int32 {
        let text = modules.map { $0 + "\n" }.joined()
        guard let file, Host.write(Array(text.utf8), path: file) else { return 1 }
        return 0
    }
}
