import WireFormats

/// What an option's value is called, and what the option does.
struct OptionText {
    var value: String
    var text: String

    init(_ text: String, value: String = "") {
        self.value = value
        self.text = text
    }
}

/// What is known of a command for those who ask how it is used: its usage, its options by the table
/// that also reads them, and what its words are. Help, manual pages and completions come from it.
struct HelpPage {
    /// An option with all its names.
    struct Option {
        var letters: [Character]
        var names: [String]
        var arity: OptionArity
        var text: OptionText
        /// The environment variable that sets it.
        var variable: String?
    }

    /// What follows the command's name, one way of use each.
    var synopsis: [String]
    /// What the command does, in a sentence.
    var summary: String
    var options: [Option] = []
    /// Words that choose what to do, such as `show job`.
    var actions: [(words: String, text: String)] = []
    /// Options that do nothing: why, and which.
    var silent: [(title: String, names: [String])] = []

    init(synopsis: [String], summary: String) {
        self.synopsis = synopsis
        self.summary = summary
    }

    /// The page with the options of a table; names that mean the same share a line, and options
    /// without a text are listed as those that do nothing.
    mutating func add<ID>(
        _ table: OptionTable<ID>,
        prefix: String = "",
        silent titles: [(id: ID, title: String)],
        text: (ID) -> OptionText?
    ) {
        var told: Set<ID> = []
        for spec in table.specs {
            guard let text = text(spec.id), told.insert(spec.id).inserted else { continue }
            let same = table.specs.filter { $0.id == spec.id }
            var letters: [Character] = []
            for letter in same.compactMap(\.short) where !letters.contains(letter) {
                letters.append(letter)
            }
            options.append(
                Option(
                    letters: letters,
                    names: same.map(\.long),
                    arity: spec.value,
                    text: text,
                    variable: same.compactMap(\.variable).first.map { prefix + $0 }
                )
            )
        }
        for (id, title) in titles {
            silent.append((title, table.specs.filter { $0.id == id }.map { "--\($0.long)" }))
        }
    }
}

// MARK: - As text

extension HelpPage {
    /// The widest line; a terminal has at least so many columns.
    private static let width = 80
    private static let textColumn = 30

    /// What `--help` prints for a command that was called by `name`.
    func lines(name: String) -> [String] {
        var lines = synopsis.enumerated().map { index, use in
            "\(index == 0 ? "Usage:" : "      ") \(name) \(use)"
        }
        lines += ["", summary, ""]
        for action in actions { lines += Self.row("  " + action.words, action.text, column: 38) }
        if !actions.isEmpty { lines.append("") }
        for option in options { lines += Self.row(option.head, option.text.text) }
        for (title, names) in silent where !names.isEmpty {
            lines += ["", title] + Self.wrapped(names, indent: 2)
        }
        return lines
    }

    /// A head, and beside it, or below it where it is long, its text.
    private static func row(_ head: String, _ text: String, column: Int = textColumn) -> [String] {
        let words = text.split(separator: " ").map(String.init)
        var lines = wrapped(words, indent: column)
        if head.count + 2 > column { return [head] + lines }
        let first = lines.isEmpty ? "" : String(lines.removeFirst().dropFirst(column))
        return [FormatText.fit(head, column, right: false) + first] + lines
    }

    private static func wrapped(_ words: [String], indent: Int) -> [String] {
        let margin = String(repeating: " ", count: indent)
        var lines: [String] = []
        for word in words {
            if let last = lines.last, last.count + 1 + word.count <= width {
                lines[lines.count - 1] = "\(last) \(word)"
            } else {
                lines.append(margin + word)
            }
        }
        return lines
    }
}

extension HelpPage.Option {
    /// `-p, --partition=A,B`.
    fileprivate var head: String {
        let short = letters.map { "-\($0), " }.joined()
        let value =
            switch arity {
            case .none: ""
            case .required: "=\(text.value)"
            case .optional: "[=\(text.value)]"
            }
        let long = names.map { "--\($0)" }.joined(separator: ", ")
        return "  \(short.isEmpty ? "    " : short)\(long)\(value)"
    }
}

// MARK: - As JSON

extension HelpPage {
    /// The page with the names of its command.
    func json(names: [String]) -> JSONValue {
        .object([
            .init("commandName", .string(names.first ?? "")),
            .init("aliases", .array(names.dropFirst().map { .string($0) })),
            .init("abstract", .string(summary)),
            .init("synopsis", .array(synopsis.map { .string($0) })),
            .init("arguments", .array(options.map(\.json))),
            .init(
                "actions",
                .array(
                    actions.map {
                        .object([
                            .init("words", .string($0.words)), .init("abstract", .string($0.text)),
                        ])
                    }
                )
            ),
            .init(
                "silent",
                .array(
                    silent.map {
                        .object([
                            .init("title", .string($0.title)),
                            .init("names", .array($0.names.map { .string($0) })),
                        ])
                    }
                )
            ),
        ])
    }
}

extension HelpPage.Option {
    fileprivate var json: JSONValue {
        let short = letters.map { name("short", String($0)) }
        var members: [JSONValue.Member] = [
            .init("kind", .string(arity == .none ? "flag" : "option")),
            .init("names", .array(short + names.map { name("long", $0) })),
            .init("abstract", .string(text.text)),
            .init("valueName", .string(text.value)),
            .init("valueIsOptional", .bool(arity == .optional)),
        ]
        if let variable { members.append(.init("environment", .string(variable))) }
        return .object(members)
    }

    private func name(_ kind: String, _ name: String) -> JSONValue {
        .object([.init("kind", .string(kind)), .init("name", .string(name))])
    }
}
