import IndexSets

/// The tariffs that are shipped inside the programs.
public enum TariffCatalog {
    /// The names of the shipped tariffs, in the order in which they are listed.
    public static var tariffNames: [String] { tariffs.map(\.name) }

    /// The file of a shipped tariff; nil when there is none.
    public static func tariffText(named name: String) -> String? {
        tariffs.first { $0.name == name }.map { String(decoding: $0.bytes, as: UTF8.self) }
    }

    /// Names of shipped tariffs that may have been meant.
    public static func similar(to name: String) -> [String] {
        similarNames(to: name, among: tariffNames)
    }

    // SwiftPM embeds every file of Resources/ as bytes; a test compares this list with the folder.
    private static var tariffs: [(name: String, bytes: [UInt8])] {
        [
            ("tianjin-prices", PackageResources.tianjin_prices_yaml),
            ("tianjin-tiered", PackageResources.tianjin_tiered_yaml),
        ]
    }
}
