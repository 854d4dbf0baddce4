public import WireFormats

/// What a command prints, and how it ends.
public struct CommandOutput: Hashable, Sendable {
    /// Lines for standard output.
    public var lines: [String] = []
    /// Lines for standard error.
    public var errors: [String] = []
    /// The exit status.
    public var exitCode: Int32 = 0

    /// Makes an output.
    public init(lines: [String] = [], errors: [String] = [], exitCode: Int32 = 0) {
        self.lines = lines
        self.errors = errors
        self.exitCode = exitCode
    }
}

/// Whose names a command has: the formats differ in small ways.
public enum Dialect: Hashable, Sendable {
    /// Slurm's own: `squeue`, `sinfo`, ….
    case slurm
    /// Tianhe's: `yhqueue`, `yhinfo`, …; names of users have twelve characters.
    case tianhe

    /// The dialect of a command's name.
    public init(program: String) {
        self = program.hasPrefix("yh") ? .tianhe : .slurm
    }
}

/// The version of Slurm whose dialect is spoken.
public let slurmVersion = "22.05.8"

/// What `--version` prints: scripts that call a command by Slurm's name compare it with what Debian's
/// Slurm prints.
public func dialectVersion(of program: String) -> String {
    let package =
        switch Dialect(program: program) {
        case .slurm: "slurm-wlm"
        case .tianhe: "slurm-xinghe"
        }
    return "\(package) \(slurmVersion)"
}

/// Words between commas, without empty ones.
func list(_ text: String) -> [String] {
    text.split(separator: ",").map { word in
        String(word.drop { $0 == " " })
    }
}

/// Words between the commas that stand outside brackets: `20_[1,3],21` are two.
func listOutsideBrackets(_ text: String) -> [String] {
    var depth = 0
    return text.split { character in
        if character == "[" { depth += 1 }
        if character == "]" { depth -= 1 }
        return character == "," && depth <= 0
    }.map { String($0.drop { $0 == " " }) }
}

/// The states in a comma list, or those of `all`; a word that is no state is the failure.
func states(_ text: String) -> Result<Set<String>, UnknownWord> {
    var states: Set<String> = []
    for word in list(text) {
        if word.lowercased() == "all" { return .success(Set(JobStates.all.map(\.name))) }
        guard let state = JobStates.named(word) else { return .failure(UnknownWord(word: word)) }
        states.insert(state)
    }
    return .success(states)
}

/// A word that stands for nothing.
struct UnknownWord: Error, Hashable {
    var word: String
}

extension JobSelector {
    /// Whether the job of these numbers is meant.
    public func selects(
        jobID: UInt32,
        arrayJobID: UInt32?,
        arrayTaskID: UInt32?,
        het: (job: UInt32?, offset: UInt32?) = (nil, nil)
    ) -> Bool {
        if let component { return self.jobID == het.job && component == het.offset }
        if self.jobID == het.job { return true }
        guard let arrayTasks else { return self.jobID == jobID || self.jobID == arrayJobID }
        guard let arrayJobID, let arrayTaskID else { return false }
        return self.jobID == arrayJobID && arrayTasks.contains(arrayTaskID)
    }
}
