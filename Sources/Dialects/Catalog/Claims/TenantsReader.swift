public import Billing
import IndexSets

/// Reads tenants: CSV with a header, one line a user; docs/billing.md describes the columns.
public enum TenantsReader {
    private static let requiredColumns = ["user", "account", "enterprise", "class", "platform"]
    private static let optionalColumns = ["province", "sector"]

    /// Reads tenants.
    ///
    /// - Parameter file: what refusals call the text.
    /// - Throws: the first thing that is wrong.
    public static func tenants(text: String, file: String) throws(FileRefusal) -> [Tenant] {
        let table = try CSVTable(
            text: text,
            file: file,
            required: requiredColumns,
            optional: optionalColumns
        )
        var tenants: [Tenant] = []
        var users: Set<String> = []
        for row in table.rows {
            let tenant = try tenant(row)
            let name = tenant.user == "*" ? "* of \(tenant.account)" : tenant.user
            guard users.insert(name).inserted else {
                throw row.refusal("user", .duplicate(name: name, of: "user"))
            }
            tenants.append(tenant)
        }
        return tenants
    }

    private static func tenant(_ row: CSVTable.Row) throws(FileRefusal) -> Tenant {
        Tenant(
            user: try row.required("user"),
            account: try row.required("account"),
            enterprise: try row.name("enterprise"),
            classes: try labels(row),
            province: try row.name("province"),
            sector: try row.name("sector"),
            platform: try row.required("platform")
        )
    }

    /// The labels of a `class` cell, in canonical spelling.
    static func labels(_ row: CSVTable.Row) throws(FileRefusal) -> [String] {
        var labels: [String] = []
        for part in try row.required("class").split(separator: ";") {
            let word = String(part).filter { $0 != " " }
            guard let label = SubsidyClass.canonical(word) else {
                throw row.refusal(
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
        return labels
    }
}
