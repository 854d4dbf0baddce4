/// Something in a script that does not do what its author seems to have meant.
public struct ScriptWarning: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The line, from 1; nil when it is no line of the script.
    public var line: Int?
    /// What is wrong, in one sentence.
    public var text: String

    /// Makes a warning.
    public init(line: Int? = nil, _ text: String) {
        self.line = line
        self.text = text
    }

    /// `line 7: …`.
    public var description: String { (line.map { "line \($0): " } ?? "") + text }

    /// In the order of their lines; those without a line come first.
    public static func < (left: Self, right: Self) -> Bool {
        (left.line ?? 0, left.text) < (right.line ?? 0, right.text)
    }
}
