/// Names of enterprises and groups, by which caps are kept: two spellings of one name must not be two
/// caps.
public enum PartyName {
    /// The name as it is kept: full-width letters, digits and signs as plain ones, all spaces alike
    /// and single, none at the ends, nothing that cannot be seen. Empty when nothing is left.
    public static func normalised(_ text: String) -> String {
        var name = String.UnicodeScalarView()
        var isAfterSpace = false
        for scalar in text.unicodeScalars.lazy.compactMap(plain) {
            guard scalar != " " else {
                isAfterSpace = !name.isEmpty
                continue
            }
            if isAfterSpace { name.append(" ") }
            isAfterSpace = false
            name.append(scalar)
        }
        return String(name)
    }

    /// The plain form of a character; nil for one that cannot be seen.
    private static func plain(_ scalar: Unicode.Scalar) -> Unicode.Scalar? {
        switch scalar.value {
        case 0xFF01...0xFF5E: return Unicode.Scalar(scalar.value - 0xFEE0)
        case 0x09, 0x0A, 0x0D: return " "
        default: break
        }
        switch scalar.properties.generalCategory {
        case .spaceSeparator, .lineSeparator, .paragraphSeparator: return " "
        case .control, .format: return nil
        default: return scalar
        }
    }

    /// Names that differ only in case, spaces, signs or the form of the company, in groups of two and
    /// more: perhaps one enterprise under several names. O(n log n).
    public static func lookAlikes(among names: some Sequence<String>) -> [[String]] {
        let groups = Dictionary(grouping: Set(names), by: skeleton)
        return groups.values.filter { $0.count > 1 }.map { $0.sorted() }
            .sorted { ($0.first ?? "") < ($1.first ?? "") }
    }

    private static let companyForms = [
        "有限责任公司", "股份有限公司", "有限公司", "公司", "colimited", "companylimited", "coltd", "ltd", "inc",
        "corp", "corporation", "limited", "gmbh",
    ]

    private static func skeleton(_ name: String) -> String {
        var letters = normalised(name).lowercased().filter { $0.isLetter || $0.isNumber }
        for form in companyForms where letters.hasSuffix(form) && letters != form {
            letters.removeLast(form.count)
            break
        }
        return letters
    }
}
