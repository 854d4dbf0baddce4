public import ClusterModel
import IndexSets

/// Where the reader of machine files finds what a file refers to.
///
/// The reader has no hands of its own: a program hands it the discovered host and a way to read
/// files, a test hands it a dictionary.
public struct MachineLibrary: Sendable {
    /// The machine that the program runs on; nil when nobody has looked.
    public var host: HostDescription?
    /// The text of a file on disk; nil when it cannot be read.
    public var fileText: @Sendable (_ path: String) -> String?
    /// What is wrong with a node type's topology, in words; nil when nothing is. Only hwloc can tell,
    /// and the catalogue is pure, so programs hand in `TopologyCheck.problem`.
    public var topologyProblem: @Sendable (TopologySource, NodeCapacity) -> String?

    /// Makes a library.
    public init(
        host: HostDescription? = nil,
        fileText: @escaping @Sendable (_ path: String) -> String? = { _ in nil },
        topologyProblem: @escaping @Sendable (TopologySource, NodeCapacity) -> String? = { _, _ in
            nil
        }
    ) {
        self.host = host
        self.fileText = fileText
        self.topologyProblem = topologyProblem
    }

    /// Reads the machine that an option like `--machine` names: a shipped one by its name, else
    /// the file of that name.
    ///
    /// - Throws: `CatalogError.unknownMachine` when it is neither, or what is wrong in the file.
    public func machine(_ nameOrPath: String) throws(CatalogError) -> Machine {
        let isFile =
            MachineCatalog.machineText(named: nameOrPath) == nil
            && (Self.isPath(nameOrPath) || fileText(nameOrPath) != nil)
        return isFile ? try machine(path: nameOrPath) : try machine(named: nameOrPath)
    }

    /// Whether a word can only mean a file: it has a folder or the ending of a machine file.
    private static func isPath(_ word: String) -> Bool {
        word.contains("/") || word.hasSuffix(".yaml") || word.hasSuffix(".yml")
    }

    /// Reads a shipped machine.
    ///
    /// - Throws: `CatalogError.unknownMachine`, or what is wrong in the file.
    public func machine(named name: String) throws(CatalogError) -> Machine {
        guard let text = MachineCatalog.machineText(named: name) else {
            throw .unknownMachine(
                name: name,
                similar: similarNames(to: name, among: MachineCatalog.machineNames),
                known: MachineCatalog.machineNames
            )
        }
        return try machine(text: text, file: MachineCatalog.fileName(ofMachine: name))
    }

    /// Reads anybody's machine from a file on disk.
    ///
    /// - Throws: what is wrong in the file, or that it cannot be read.
    public func machine(path: String) throws(CatalogError) -> Machine {
        guard let text = fileText(path) else {
            throw .refused(
                FileRefusal(
                    file: path,
                    line: 1,
                    field: "",
                    problem: .unreadableFile(name: path)
                )
            )
        }
        return try machine(text: text, file: path)
    }

    /// Reads a machine from text.
    ///
    /// - Parameter file: what refusals call the text; files that it refers to are looked for
    ///   beside it.
    /// - Throws: what is wrong in the text.
    public func machine(text: String, file: String) throws(CatalogError) -> Machine {
        do {
            return try MachineReader(library: self).machine(text: text, file: file)
        } catch {
            throw .refused(error)
        }
    }

    /// What a file calls `name`: a file beside it, or else a shipped one; nil when there is neither.
    func find(_ name: String, referredToBy file: String) -> (path: String, text: String)? {
        let folder = file.lastIndex(of: "/").map { String(file[...$0]) } ?? ""
        let path = name.hasPrefix("/") ? name : folder + name
        if let text = fileText(path) { return (path, text) }
        return MachineCatalog.text(ofFile: name).map { (name, $0) }
    }
}
