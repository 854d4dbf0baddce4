public import Billing

/// Reads tenants: CSV with a header, one line a user; docs/billing.md describes the columns.
public enum TenantsReader {
    private static let requiredColumns = ["user", "account", "enterprise", "class", "platform"]
    private static let optionalColumns = ["province", "sector"]

    /// Reads tenants.
    ///
    /// - Parameter file: what refusals call the text.
    /// - Throws: the first thing that is wrong.
    public static func tenants(text: String, file: String) throws(FileRefusal) -> [Tenant] {
        var rows = CSVRows(text: text, file: file)
        guard let header = try rows.next() else {
            throw FileRefusal(file: file, line: 1, field: "", problem: .emptyFile)
        }
        let columns = try columns(header, file: file)
        var tenants: [Tenant] = []
        var users: Set<Int32> = []
        while let row = try rows.next() {
            guard row.cells.count == header.cells.count else {
                throw FileRefusal(
                    file: file,
                    line: row.line,
                    field: "",
                    problem: .doesNotAddUp(
                        stated: "\(header.cells.count) columns in its header",
                        counted: "\(row.cells.count)"
                    )
                )
            }
            let tenant = try tenant(row, columns, file: file)
            guard users.insert(tenant.user).inserted else {
                throw FileRefusal(
                    file: file,
                    line: row.line,
                    field: "user",
                    problem: .duplicate(name: "\(tenant.user)", of: "user")
                )
            }
            tenants.append(tenant)
        }
        return tenants
    }

    private static func columns(
        _ header: CSVRows.Row,
        file: String
    ) throws(FileRefusal) -> [String: Int] {
        let known = requiredColumns + optionalColumns
        var columns: [String: Int] = [:]
        for (index, name) in header.cells.enumerated() {
            let problem: FileRefusal.Problem? =
                if !known.contains(name) {
                    .unknownField(similar: similarNames(to: name, among: known), known: known)
                } else if columns.updateValue(index, forKey: name) != nil {
                    .duplicate(name: name, of: "column")
                } else { nil }
            if let problem {
                throw FileRefusal(file: file, line: header.line, field: name, problem: problem)
            }
        }
        for name in requiredColumns where columns[name] == nil {
            throw FileRefusal(file: file, line: header.line, field: name, problem: .missing)
        }
        return columns
    }

    private static func tenant(
        _ row: CSVRows.Row,
        _ columns: [String: Int],
        file: String
    ) throws(FileRefusal) -> Tenant {
        func cell(_ name: String) -> String? {
            columns[name].map { row.cells[$0] }.flatMap { $0.isEmpty ? nil : $0 }
        }
        func refusal(_ name: String, _ problem: FileRefusal.Problem) -> FileRefusal {
            FileRefusal(file: file, line: row.line, field: name, problem: problem)
        }
        func required(_ name: String) throws(FileRefusal) -> String {
            guard let text = cell(name) else { throw refusal(name, .missing) }
            return text
        }
        let userText = try required("user")
        guard let user = Int32(userText), user >= 0 else {
            throw refusal(
                "user",
                .unreadable(found: userText, expected: "a user number of the trace")
            )
        }
        var labels: [String] = []
        for part in try required("class").split(separator: ";") {
            let word = String(part).filter { $0 != " " }
            guard let label = SubsidyClass.canonical(word) else {
                throw refusal(
                    "class",
                    .unknownChoice(
                        found: word,
                        similar: similarNames(to: word, among: SubsidyClass.known),
                        known: SubsidyClass.known
                    )
                )
            }
            labels.append(label)
        }
        return Tenant(
            user: user,
            account: try required("account"),
            enterprise: cell("enterprise"),
            classes: labels,
            province: cell("province"),
            sector: cell("sector"),
            platform: try required("platform")
        )
    }
}
