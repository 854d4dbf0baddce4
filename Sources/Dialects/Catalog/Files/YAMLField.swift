import IndexSets
import Yams

/// One value of a YAML file together with where it stands, so that each refusal can say it.
struct YAMLField {
    let node: Node
    /// The path from the top of the file: `partitions[2].nodes`.
    let path: String
    let file: String

    /// The top of a document.
    ///
    /// - Throws: `FileRefusal` when the text is no YAML, or holds nothing or more than a mapping.
    static func document(_ text: String, file: String) throws(FileRefusal) -> YAMLField {
        let node: Node?
        do {
            node = try Yams.compose(yaml: text)
        } catch {
            throw refusal(of: error, file: file)
        }
        guard let node, node.isContent else {
            throw FileRefusal(file: file, line: 1, field: "", problem: .emptyFile)
        }
        return YAMLField(node: node, path: "", file: file)
    }

    /// The line of the value, counted from 1.
    var line: Int { node.mark?.line ?? 1 }

    /// A refusal at this place.
    func refusal(_ problem: FileRefusal.Problem) -> FileRefusal {
        FileRefusal(file: file, line: line, field: path, problem: problem)
    }

    /// The value as a mapping whose keys are all among `known`.
    ///
    /// - Throws: `FileRefusal`, at the line of the first key that is not.
    func mapping(_ known: [String]) throws(FileRefusal) -> YAMLMapping {
        let fields = try entries()
        for (name, field) in fields where !known.contains(name) {
            throw field.refusal(
                .unknownField(similar: similarNames(to: name, among: known), known: known)
            )
        }
        return YAMLMapping(
            field: self,
            fields: Dictionary(fields, uniquingKeysWith: { first, _ in first })
        )
    }

    /// The keys and values of a mapping, in the order written. A value's line is its key's line, so
    /// that a block that starts on the next line is reported where its name stands.
    func entries() throws(FileRefusal) -> [(name: String, field: YAMLField)] {
        guard case .mapping(let mapping) = node else {
            throw refusal(.wrongType(expected: "a mapping (name: value)", found: kindFound))
        }
        var fields: [(name: String, field: YAMLField)] = []
        for (key, value) in mapping {
            guard case .scalar(let scalar) = key else {
                throw refusal(.wrongType(expected: "a word as key", found: "a collection"))
            }
            let name = scalar.string
            let path = path.isEmpty ? name : "\(self.path).\(name)"
            fields.append((name, YAMLField(node: value, path: path, file: file, at: key.mark)))
        }
        return fields
    }

    /// The value as a list.
    func list() throws(FileRefusal) -> [YAMLField] {
        guard case .sequence(let sequence) = node else {
            throw refusal(.wrongType(expected: "a list", found: kindFound))
        }
        return sequence.enumerated().map { index, element in
            YAMLField(node: element, path: "\(path)[\(index)]", file: file)
        }
    }

    /// The value as text that is not empty.
    func text() throws(FileRefusal) -> String {
        guard case .scalar(let scalar) = node else {
            throw refusal(.wrongType(expected: "text", found: kindFound))
        }
        guard !scalar.string.isEmpty else {
            throw refusal(.wrongType(expected: "text", found: "nothing"))
        }
        return scalar.string
    }

    /// What stands here, for messages.
    var kindFound: String {
        switch node {
        case .scalar(let scalar): scalar.string.isEmpty ? "nothing" : "'\(scalar.string)'"
        case .mapping: "a mapping"
        case .sequence: "a list"
        case .alias: "an alias"
        }
    }

    private init(node: Node, path: String, file: String, at mark: Mark? = nil) {
        self.path = path
        self.file = file
        var node = node
        // The block of a mapping or list begins one line below its key.
        if let mark {
            switch node {
            case .mapping(var mapping):
                mapping.mark = mark
                node = .mapping(mapping)
            case .sequence(var sequence):
                sequence.mark = mark
                node = .sequence(sequence)
            case .scalar(var scalar):
                scalar.mark = mark
                node = .scalar(scalar)
            case .alias: break
            }
        }
        self.node = node
    }

    private static func refusal(of error: any Error, file: String) -> FileRefusal {
        var line = 1
        var words = "\(error)"
        if let error = error as? YamlError {
            switch error {
            case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
                .composer(_, let problem, let mark, _):
                line = mark.line
                words = problem
            case .duplicatedKeysInMapping(let duplicates, let context):
                line = context.mark.line
                words = "key \(duplicates.map { "'\($0)'" }.joined(separator: ", ")) twice"
            case .reader(let problem, _, _, _):
                words = problem
            default: break
            }
        }
        return FileRefusal(file: file, line: line, field: "", problem: .malformedYAML(words))
    }
}

extension Node {
    /// Whether there is anything here: an empty file composes to an empty scalar.
    fileprivate var isContent: Bool {
        if case .scalar(let scalar) = self { return !scalar.string.isEmpty }
        return true
    }
}

/// A mapping whose keys are known.
struct YAMLMapping {
    /// The mapping itself, for refusals that concern no single key.
    let field: YAMLField
    fileprivate let fields: [String: YAMLField]

    /// The value of a key; nil when it is not there.
    subscript(name: String) -> YAMLField? { fields[name] }

    /// The value of a key that must be there.
    ///
    /// - Throws: `FileRefusal` at the line of the mapping.
    func required(_ name: String) throws(FileRefusal) -> YAMLField {
        guard let found = fields[name] else {
            let path = field.path.isEmpty ? name : "\(field.path).\(name)"
            throw FileRefusal(
                file: field.file,
                line: field.line,
                field: path,
                problem: .missing
            )
        }
        return found
    }
}
