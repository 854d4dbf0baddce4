/// Where a number of a model comes from, and what other sources say.
///
/// Sources about the Tianhe machines disagree in places; a model carries the value it uses together
/// with its source and the values it does not use, so that nobody takes an assumption for a fact.
public struct Fact: Hashable, Sendable {
    /// How well a value is known.
    public enum Evidence: String, Hashable, Sendable, CaseIterable {
        /// Read in a public source that is named.
        case published
        /// Computed from published numbers; the arithmetic reproduces a published total.
        case computed
        /// A secondary or weak source.
        case secondary
        /// Nobody published it, or nobody checked it: chosen so that the emulator has a value.
        case assumption
    }

    /// The field that the fact is about, as it is called in a machine file: `memory`.
    public var field: String
    /// The value used, as it is written in the machine file.
    public var value: String
    /// How well the value is known.
    public var evidence: Evidence
    /// Who says so.
    public var source: String
    /// What other sources say instead.
    public var alternative: String?

    /// Makes a fact.
    public init(
        field: String,
        value: String,
        evidence: Evidence,
        source: String,
        alternative: String? = nil
    ) {
        self.field = field
        self.value = value
        self.evidence = evidence
        self.source = source
        self.alternative = alternative
    }
}
