/// The language of messages to customers and officers.
public enum MessageLanguage: String, Hashable, Sendable, CaseIterable {
    /// Chinese.
    case chinese = "zh"
    /// English.
    case english = "en"

    /// The language of a session: Chinese where the first of `LC_ALL`, `LC_MESSAGES` and `LANG` that
    /// says anything begins with `zh`, else English.
    public init(variable: (String) -> String?) {
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].compactMap(variable).first { !$0.isEmpty }
        self = locale?.hasPrefix("zh") == true ? .chinese : .english
    }

    /// The words of this language.
    public func callAsFunction(_ chinese: String, _ english: String) -> String {
        self == .chinese ? chinese : english
    }
}
