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
            time = .asked(.software(name, module: SoftwareShelf().loaded(bringing: name)))
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
        if let module = time.module, !SoftwareShelf().isLoaded(module) {
            throw CommandFailure(
                lines: ["\(program): command not found", Self.hint(module, name)],
                exitCode: 127
            )
        }
        return time.duration.microseconds
    }

    /// What to do about a program that no loaded module brings; nil where none brings it.
    static func hint(for program: String, name: String) -> String? {
        SoftwareShelf().first(bringing: program).map { hint($0, name) }
    }

    private static func nowhere(_ program: String) -> String {
        "xinghe: \(program) is neither on this computer nor among the software of the machine file"
    }

    private static func hint(_ module: String, _ name: String) -> String {
        "\(name): 'module load \(module)' brings it"
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
    /// `module`: loads, unloads and lists what the machine file names. Where it names nothing, what a
    /// script loads is said, and changes nothing.
    static func module(name: String, arguments: [String]) throws(CommandFailure) -> Int32 {
        let words = arguments.filter { !$0.hasPrefix("-") }
        // Asked by the shell of a script, which has found no such program.
        if arguments.first == "--hint", let program = words.first {
            Host.print([hint(for: program, name: program) ?? nowhere(program)], to: 2)
            return 127
        }
        let (verb, names) = (words.first ?? "", Array(words.dropFirst()))
        let shelf = SoftwareShelf()
        guard !shelf.isEmpty else {
            if ["load", "add", "swap", "switch"].contains(verb) {
                let text =
                    "module: \(names.joined(separator: " ")): nothing is loaded in a rehearsal"
                Host.print([text], to: 2)
            }
            return 0
        }
        switch verb {
        case "load", "add": return shelf.change(unloading: [], loading: names)
        case "unload", "rm", "del": return shelf.change(unloading: names, loading: [])
        case "swap", "switch":
            // With one name only, another version of what is loaded.
            let family = names.first.map { String($0.prefix { $0 != "/" }) } ?? ""
            guard names.count > 1 else {
                return shelf.change(unloading: [family], loading: names)
            }
            guard shelf.isLoaded(names[0]) else {
                Host.print(["ERROR: Module '\(names[0])' is not loaded"], to: 2)
                return 1
            }
            return shelf.change(unloading: [names[0]], loading: [names[1]])
        case "purge": return shelf.change(unloading: shelf.loaded, loading: [])
        case "list", "li":
            let own = shelf.loaded
            let lines = own.enumerated().map { index, name in " \(index + 1)) \(name)" }
            let title = own.isEmpty ? "No modules loaded" : "Currently Loaded Modulefiles:"
            Host.print([title] + lines, to: 2)
            return 0
        case "is-loaded":
            return names.allSatisfy(shelf.isLoaded) && !shelf.loaded.isEmpty ? 0 : 1
        case "avail", "av", "spider", "whatis", "show", "display":
            let shown = shelf.names.filter { name in
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
}

/// The modules that there are, those that the script has loaded, and the folder with their programs.
private struct SoftwareShelf {
    private let folder: String?
    private let modules: [(name: String, programs: [String])]
    /// What the script has loaded, in that order.
    let loaded: [String]

    init() {
        folder = Host.variable("XINGHE_REHEARSAL")
        modules = (Host.variable("XINGHE_MODULES") ?? "").split(separator: ":").map { module in
            let parts = module.split(separator: "=", maxSplits: 1)
            let programs = parts.dropFirst().first?.split(separator: ",").map(String.init)
            return (String(parts[0]), programs ?? [])
        }
        let bytes = folder.flatMap { Host.read(path: $0 + "/modules") } ?? []
        loaded = bytes.split(separator: 0x0A).map { String(decoding: $0, as: UTF8.self) }
    }

    var isEmpty: Bool { modules.isEmpty }

    var names: [String] { modules.map(\.name) }

    /// Whether a module is loaded, or one of the versions of a name.
    func isLoaded(_ word: String) -> Bool { loaded.contains { answers($0, to: word) } }

    /// The module that a program is of: that which was loaded last.
    func loaded(bringing program: String) -> String? {
        loaded.last { programs(of: $0).contains(program) }
    }

    /// The first module that brings a program, loaded or not.
    func first(bringing program: String) -> String? {
        modules.first { $0.programs.contains(program) }?.name
    }

    private func programs(of module: String) -> [String] {
        modules.first { $0.name == module }?.programs ?? []
    }

    /// Unloads and loads modules, and says what cannot be loaded; the exit status.
    func change(unloading: [String], loading: [String]) -> Int32 {
        var own = loaded
        own.removeAll { module in unloading.contains { answers(module, to: $0) } }
        var status: Int32 = 0
        for word in loading {
            // Of several versions the first is the one that is meant.
            guard let module = names.first(where: { answers($0, to: word) }) else {
                let families = Set(names.map { String($0.prefix { $0 != "/" }) }).sorted()
                let hint = didYouMean(word, among: word.contains("/") ? names : families)
                Host.print(["ERROR: Unable to locate a modulefile for '\(word)'\(hint)"], to: 2)
                status = 1
                continue
            }
            if !own.contains(module) { own.append(module) }
        }
        return write(own) ? status : 1
    }

    private func answers(_ module: String, to word: String) -> Bool {
        module == word || module.hasPrefix(word + "/")
    }

    /// Notes what is loaded, and lets its programs be found.
    private func write(_ own: [String]) -> Bool {
        guard let folder else { return false }
        let text = own.map { $0 + "\n" }.joined()
        guard Host.write(Array(text.utf8), path: folder + "/modules") else { return false }
        let brought = Set(own.flatMap(programs))
        for program in Set(modules.flatMap(\.programs)).sorted() {
            let path = "\(folder)/programs/\(program)"
            if brought.contains(program) {
                guard symlink(Host.programPath, path) == 0 || errno == EEXIST else { return false }
            } else {
                unlink(path)
            }
        }
        return true
    }
}
