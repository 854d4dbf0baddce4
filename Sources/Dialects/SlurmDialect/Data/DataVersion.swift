/// A version of Slurm's data model, by the number that its REST has in the path: `v0.0.42`.
public enum DataVersion: String, Hashable, Sendable, CaseIterable {
    /// Slurm 24.05.
    case v41 = "v0.0.41"
    /// Slurm 24.11.
    case v42 = "v0.0.42"
    /// Slurm 25.05.
    case v43 = "v0.0.43"
    /// Slurm 25.11.
    case v44 = "v0.0.44"

    /// What the commands write where no version is named.
    public static let usual = DataVersion.v42

    /// Whether this version has what came with `other`.
    func has(_ other: DataVersion) -> Bool {
        let order = Self.allCases
        return (order.firstIndex(of: self) ?? 0) >= (order.firstIndex(of: other) ?? 0)
    }
}
