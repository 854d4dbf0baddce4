import WireFormats

/// The language of a report: one of a message's, or both.
public enum ReportLanguage: String, Hashable, Sendable, CaseIterable {
    /// Chinese.
    case chinese = "zh"
    /// English.
    case english = "en"
    /// Both, side by side.
    case both

    /// The language of a session, as messages have it.
    public init(environment: [String: String]) {
        switch MessageLanguage(variable: { environment[$0] }) {
        case .chinese: self = .chinese
        case .english: self = .english
        }
    }

    /// The words of this language.
    func callAsFunction(_ chinese: String, _ english: String) -> String {
        switch self {
        case .chinese: chinese
        case .english: english
        case .both: chinese == english ? chinese : "\(chinese) \(english)"
        }
    }

    /// A title of a file in this language: titles may have both, as `Tianhe (天河)`.
    func title(_ title: String) -> String {
        guard self != .both, title.hasSuffix(")"), let open = title.lastIndex(of: "("),
            title[open...].unicodeScalars.contains(where: { (0x4E00...0x9FFF).contains($0.value) })
        else { return title }
        let chinese = String(title[title.index(after: open)...].dropLast())
        var english = String(title[..<open])
        while english.hasSuffix(" ") { english.removeLast() }
        return self(chinese, english)
    }

    /// A thing by its title, with its name behind it where the title does not say it.
    func named(_ name: String, _ title: String) -> String {
        let title = self.title(title)
        guard !title.isEmpty, title != name else { return name }
        return self == .english ? "\(title) (\(name))" : "\(title)（\(name)）"
    }
}
