/// Why the catalogue has no machine to give.
public enum CatalogError: Error, Hashable, Sendable {
    /// No shipped machine has this name.
    case unknownMachine(name: String, similar: [String], known: [String])
    /// A file says something that cannot be.
    case refused(FileRefusal)
}

/// What is wrong in a file of the catalogue, and where.
public struct FileRefusal: Error, Hashable, Sendable {
    /// What is wrong.
    public enum Problem: Hashable, Sendable {
        /// The text is no YAML; the parser's words.
        case malformedYAML(String)
        /// The file has no content.
        case emptyFile
        /// A field that nobody knows.
        case unknownField(similar: [String], known: [String])
        /// A field that must be there is not.
        case missing
        /// Another kind of value is needed.
        case wrongType(expected: String, found: String)
        /// A number that is too small or too large.
        case outOfRange(found: String, minimum: String, maximum: String)
        /// Text that does not mean anything here.
        case unreadable(found: String, expected: String)
        /// A word that is not among those allowed.
        case unknownChoice(found: String, similar: [String], known: [String])
        /// A name that is taken already.
        case duplicate(name: String, of: String)
        /// A name of something that the file does not define.
        case unknownReference(name: String, to: String, similar: [String])
        /// Nodes that are in two places at a time.
        case overlap(nodes: String, with: String)
        /// A number that does not agree with what the rest of the file adds up to.
        case doesNotAddUp(stated: String, counted: String)
        /// Two fields that exclude each other, or a field that needs another.
        case conflict(String)
        /// A file that is referred to cannot be read.
        case unreadableFile(name: String)
        /// A topology that hwloc refuses, or that does not agree with its node type.
        case topology(String)
        /// A machine joins itself, over others or directly.
        case joinsItself(chain: [String])
        /// The file refers to the host, and nobody has discovered it.
        case hostNotDiscovered
    }

    /// The file as the user named it, or the name of a shipped one.
    public var file: String
    /// The line, counted from 1.
    public var line: Int
    /// The path of the field: `partitions[2].nodes`; empty for the file as a whole.
    public var field: String
    /// What is wrong there.
    public var problem: Problem

    /// Makes a refusal.
    public init(file: String, line: Int, field: String, problem: Problem) {
        self.file = file
        self.line = line
        self.field = field
        self.problem = problem
    }
}
