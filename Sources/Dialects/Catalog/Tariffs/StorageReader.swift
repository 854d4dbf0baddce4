public import Billing

/// Reads daily snapshots of storage: CSV with a header, one line an account, platform and day.
public enum StorageReader {
    private static let requiredColumns = ["date", "account", "bytes"]
    private static let optionalColumns = ["platform"]

    /// Where bytes lie when a line does not say.
    public static let defaultPlatform = "storage"

    /// Reads snapshots.
    ///
    /// - Parameter file: what refusals call the text.
    /// - Throws: the first thing that is wrong.
    public static func usages(text: String, file: String) throws(FileRefusal) -> [(
        usage: StorageUsage, line: Int
    )] {
        let table = try CSVTable(
            text: text,
            file: file,
            required: requiredColumns,
            optional: optionalColumns
        )
        var usages: [(usage: StorageUsage, line: Int)] = []
        var seen: [String: Int] = [:]
        for row in table.rows {
            let dayText = try row.required("date")
            guard let day = BillingDay(dayText) else {
                throw row.refusal(
                    "date",
                    .unreadable(found: dayText, expected: "a day such as 2026-03-31")
                )
            }
            let usage = StorageUsage(
                account: try row.required("account"),
                platform: row["platform"] ?? defaultPlatform,
                day: day,
                bytes: try row.integer("bytes", 0...StorageUsage.bytesMaximum)
            )
            let key = "\(usage.account) on \(usage.platform), \(usage.day)"
            if let first = seen.updateValue(row.line, forKey: key) {
                throw row.refusal("account", .duplicate(name: key, of: "snapshot (line \(first))"))
            }
            usages.append((usage, row.line))
        }
        return usages
    }
}
