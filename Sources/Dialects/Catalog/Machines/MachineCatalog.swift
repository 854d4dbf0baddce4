/// The files that are shipped inside the programs.
public enum MachineCatalog {
    /// The names of the shipped machines, in the order in which they are listed.
    public static var machineNames: [String] { machines.map(\.name) }

    /// The text of the file of a shipped machine; nil when there is none.
    public static func machineText(named name: String) -> String? {
        machines.first { $0.name == name }.map { String(decoding: $0.bytes, as: UTF8.self) }
    }

    /// What messages call the file of a shipped machine: `tianhe-1a.yaml`.
    public static func fileName(ofMachine name: String) -> String { name + ".yaml" }

    /// The text of a shipped file that machines refer to; nil when there is none.
    static func text(ofFile name: String) -> String? {
        otherFiles.first { $0.name == name }.map { String(decoding: $0.bytes, as: UTF8.self) }
    }

    // SwiftPM embeds every file of Resources/ as bytes; a test compares these lists with the folder.
    private static var machines: [(name: String, bytes: [UInt8])] {
        [
            ("tianjin", PackageResources.tianjin_yaml),
            ("tianhe-1a", PackageResources.tianhe_1a_yaml),
            ("tianhe-3-prototype", PackageResources.tianhe_3_prototype_yaml),
            ("tianhe-2a", PackageResources.tianhe_2a_yaml),
            ("tianhe-1", PackageResources.tianhe_1_yaml),
            ("tianhe-2", PackageResources.tianhe_2_yaml),
            ("mt-3000", PackageResources.mt_3000_yaml),
            ("ft-256", PackageResources.ft_256_yaml),
            ("nebulae", PackageResources.nebulae_yaml),
            ("tianjin-ai", PackageResources.tianjin_ai_yaml),
            ("tianjin-data", PackageResources.tianjin_data_yaml),
            ("host", PackageResources.host_yaml),
        ]
    }

    private static var otherFiles: [(name: String, bytes: [UInt8])] {
        [
            ("customers.yaml", PackageResources.customers_yaml),
            ("th1a.xml", PackageResources.th1a_xml),
            ("th3p-ftp.xml", PackageResources.th3p_ftp_xml),
        ]
    }
}
