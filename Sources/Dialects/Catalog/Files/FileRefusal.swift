// The words for everything that the catalogue refuses, in one place.

import IndexSets

extension CatalogError: CustomStringConvertible {
    /// The message for people.
    public var description: String {
        switch self {
        case .unknownMachine(let name, let similar, let known):
            "unknown machine '\(name)'\(didYouMean(similar)); "
                + "known machines: \(known.joined(separator: ", "))"
        case .refused(let refusal):
            refusal.description
        }
    }
}

/// The reader of files says only that there is no text.
private let cannotBeRead = "cannot be read (is it there, and is it UTF-8 text?)"

extension FileRefusal: CustomStringConvertible {
    /// `FILE:LINE: field PATH: what is wrong`.
    public var description: String {
        // A file that is not there has no line.
        if problem == .unreadableFile(name: file) { return "\(file): \(cannotBeRead)" }
        let place = field.isEmpty ? "" : "field \(field): "
        return "\(file):\(line): \(place)\(problem.text)"
    }
}

extension FileRefusal.Problem {
    /// What is wrong, without the place.
    public var text: String {
        switch self {
        case .malformedYAML(let words): "not valid YAML: \(words)"
        case .emptyFile: "the file is empty"
        case .unknownField(let similar, let known):
            "unknown field\(didYouMean(similar)); known here: \(known.joined(separator: ", "))"
        case .missing: "is missing"
        case .wrongType(let expected, let found): "needs \(expected), found \(found)"
        case .outOfRange(let found, let minimum, let maximum):
            "\(found) is out of range (\(minimum) to \(maximum))"
        case .unreadable(let found, let expected): "needs \(expected), found '\(found)'"
        case .unknownChoice(let found, let similar, let known):
            "'\(found)' is not known here\(didYouMean(similar)); "
                + "one of: \(known.joined(separator: ", "))"
        case .duplicate(let name, let kind): "\(kind) '\(name)' is defined already"
        case .unknownReference(let name, let kind, let similar):
            "there is no \(kind) '\(name)'\(didYouMean(similar))"
        case .overlap(let nodes, let other): "\(nodes) already in \(other)"
        case .doesNotAddUp(let stated, let counted): "says \(stated), but there are \(counted)"
        case .conflict(let words): words
        case .unreadableFile(let name): "file '\(name)' \(cannotBeRead)"
        case .topology(let words): words
        case .joinsItself(let chain): "joins itself: \(chain.joined(separator: " → "))"
        case .hostNotDiscovered: "refers to the host, which was not discovered"
        }
    }
}

extension UnknownRule: CustomStringConvertible {
    /// The message for people.
    public var description: String {
        "unknown rule '\(name)'\(didYouMean(similar)), and no file of that name; known rules: "
            + RuleCatalog.ruleNames.joined(separator: ", ")
    }
}
