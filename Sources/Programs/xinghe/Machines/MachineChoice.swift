import Catalog
import ClusterModel
import Foundation
import HardwareTopology

/// How commands get at machines: shipped ones by name, anybody's by file, checked by hwloc.
enum MachineChoice {
    /// The library that every command reads machines with.
    ///
    /// - Throws: `HwlocFailure` when the host cannot be discovered.
    static func library() throws -> MachineLibrary {
        MachineLibrary(
            host: try HostProbe.describe(),
            fileText: { path in try? String(contentsOfFile: path, encoding: .utf8) },
            topologyProblem: TopologyCheck.problem
        )
    }

    /// The machine that an option like `--machine` names.
    ///
    /// - Throws: `CatalogError`, whose text names what is unknown, or file, line and field.
    static func machine(_ nameOrPath: String) throws -> Machine {
        isPath(nameOrPath)
            ? try machine(path: nameOrPath) : try library().machine(nameOrPath)
    }

    /// The machine of a file.
    ///
    /// - Throws: `Refusal` when the file cannot be read, or `CatalogError`.
    static func machine(path: String) throws -> Machine {
        // The library knows that a file has no text, but not why.
        _ = try readText(path)
        return try library().machine(path: path)
    }

    /// Whether a word means a file: it has a folder or the ending of one.
    static func isPath(_ word: String) -> Bool {
        word.hasSuffix(".yaml") || word.hasSuffix(".yml") || word.hasPrefix("/")
            || word.hasPrefix("./") || word.hasPrefix("../")
    }
}
