import IndexSets

/// Whether an option takes a value.
public enum OptionArity: Hashable, Sendable {
    /// Never: `--hold`.
    case none
    /// Always: `--nodes=4`, `--nodes 4`, `-N4`, `-N 4`.
    case required
    /// Only joined on: `--exclusive=user`, `-I5`.
    case optional
}

/// One option of a command: its names, and whether it takes a value.
public struct OptionSpec<ID: Hashable & Sendable>: Sendable {
    /// What the option means; options with one meaning may share it.
    public var id: ID
    /// The long name, without dashes.
    public var long: String
    /// The letter, when there is one.
    public var short: Character?
    /// Whether it takes a value.
    public var value: OptionArity
    /// The environment variable that sets it, without the command's prefix.
    public var variable: String?

    /// Makes an option.
    public init(
        _ id: ID,
        _ long: String,
        _ short: Character? = nil,
        _ value: OptionArity = .none,
        variable: String? = nil
    ) {
        self.id = id
        self.long = long
        self.short = short
        self.value = value
        self.variable = variable
    }
}

/// Why arguments cannot be read. The sentences are those of the GNU C library's `getopt_long`.
public enum OptionRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    /// No option starts like this. Holds the argument up to `=`, and options that may be meant.
    case unrecognized(String, similar: [String])
    /// No option has this letter.
    case invalidLetter(Character)
    /// An abbreviation fits several options.
    case ambiguous(String, possibilities: [String])
    /// A long option needs a value.
    case missingValue(String)
    /// A letter needs a value.
    case missingLetterValue(Character)
    /// A long option takes no value.
    case unwantedValue(String)

    /// The sentence; without the command's name.
    public var description: String {
        switch self {
        case .unrecognized(let option, _):
            "unrecognized option '\(option)'"
        case .invalidLetter(let letter):
            "invalid option -- '\(letter)'"
        case .ambiguous(let option, let possibilities):
            "option '\(option)' is ambiguous; possibilities:"
                + possibilities.map { " '--\($0)'" }.joined()
        case .missingValue(let option):
            "option '--\(option)' requires an argument"
        case .missingLetterValue(let letter):
            "option requires an argument -- '\(letter)'"
        case .unwantedValue(let option):
            "option '--\(option)' doesn't allow an argument"
        }
    }
}

/// An option that was given.
public struct GivenOption<ID: Hashable & Sendable>: Hashable, Sendable {
    /// What it means.
    public var id: ID
    /// Its long name.
    public var name: String
    /// Its value.
    public var value: String?

    /// Makes a given option.
    public init(id: ID, name: String, value: String? = nil) {
        self.id = id
        self.name = name
        self.value = value
    }
}

/// The options of a command, and how its arguments are read: as the GNU C library's `getopt_long`
/// does, so that scripts written for Slurm mean the same here.
public struct OptionTable<ID: Hashable & Sendable>: Sendable {
    /// The options.
    public let specs: [OptionSpec<ID>]
    /// Whether options may follow operands; where a command runs a program with options of its own,
    /// they may not.
    public let permutes: Bool

    /// Makes a table.
    public init(_ specs: [OptionSpec<ID>], permutes: Bool = true) {
        self.specs = specs
        self.permutes = permutes
    }

    /// Cuts `arguments` (without the command's name) into options, in order, and operands.
    ///
    /// - Throws: `OptionRefusal` for the first argument that cannot be read.
    public func parse(
        _ arguments: [String]
    ) throws(OptionRefusal) -> (options: [GivenOption<ID>], operands: [String]) {
        var options: [GivenOption<ID>] = []
        var operands: [String] = []
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            if argument == "--" {
                return (options, operands + rest)
            } else if argument.hasPrefix("--") {
                options.append(try longOption(argument, rest: &rest))
            } else if argument.hasPrefix("-"), argument.utf8.count > 1 {
                try letters(argument.dropFirst(), rest: &rest, into: &options)
            } else if permutes {
                operands.append(argument)
            } else {
                return (options, [argument] + rest)
            }
        }
        return (options, operands)
    }

    /// The options that environment variables set, in the order of the table.
    ///
    /// A variable of an option without value counts whatever it holds.
    public func given(
        inEnvironment variable: (String) -> String?,
        prefix: String
    ) -> [GivenOption<ID>] {
        specs.compactMap { spec in
            guard let name = spec.variable, let value = variable(prefix + name) else { return nil }
            let given = spec.value == .none || (spec.value == .optional && value.isEmpty)
            return GivenOption(id: spec.id, name: spec.long, value: given ? nil : value)
        }
    }

    private func longOption(
        _ argument: String,
        rest: inout ArraySlice<String>
    ) throws(OptionRefusal) -> GivenOption<ID> {
        let parts = argument.dropFirst(2).split(
            separator: "=",
            maxSplits: 1,
            omittingEmptySubsequences: false
        )
        let name = String(parts.first ?? "")
        let joined = parts.count > 1 ? String(parts[1]) : nil
        let spec = try find(name)
        switch (spec.value, joined) {
        case (.none, .some):
            throw .unwantedValue(spec.long)
        case (.required, nil):
            guard let next = rest.popFirst() else { throw .missingValue(spec.long) }
            return GivenOption(id: spec.id, name: spec.long, value: next)
        default:
            return GivenOption(id: spec.id, name: spec.long, value: joined)
        }
    }

    /// The option called `name`, or the only one that starts with it.
    private func find(_ name: String) throws(OptionRefusal) -> OptionSpec<ID> {
        if let exact = specs.first(where: { $0.long == name }) { return exact }
        let candidates = name.isEmpty ? [] : specs.filter { $0.long.hasPrefix(name) }
        guard let first = candidates.first else {
            let similar = similarNames(to: name, among: specs.map(\.long)).map { "--\($0)" }
            throw .unrecognized("--\(name)", similar: similar)
        }
        // Two names of one letter are one option, and do not make an abbreviation ambiguous.
        let isOne = first.short != nil && candidates.allSatisfy { $0.short == first.short }
        guard candidates.count == 1 || isOne else {
            throw .ambiguous("--\(name)", possibilities: candidates.map(\.long))
        }
        return first
    }

    private func letters(
        _ cluster: Substring,
        rest: inout ArraySlice<String>,
        into options: inout [GivenOption<ID>]
    ) throws(OptionRefusal) {
        var cluster = cluster
        while let letter = cluster.popFirst() {
            guard let spec = specs.first(where: { $0.short == letter }) else {
                throw .invalidLetter(letter)
            }
            guard spec.value != .none else {
                options.append(GivenOption(id: spec.id, name: spec.long))
                continue
            }
            var value: String? = cluster.isEmpty ? nil : String(cluster)
            if value == nil, spec.value == .required {
                guard let next = rest.popFirst() else { throw .missingLetterValue(letter) }
                value = next
            }
            options.append(GivenOption(id: spec.id, name: spec.long, value: value))
            return
        }
    }
}
