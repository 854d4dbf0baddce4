/// Licences of one program that the jobs of a centre share.
public struct LicensePool: Hashable, Sendable {
    /// The name that jobs give with `--licenses`: `fluent`.
    public var name: String
    /// How many jobs may hold at a time.
    public var count: Int32

    /// The most licences of a kind.
    public static let countMaximum: Int32 = 1_000_000

    /// Makes a pool.
    public init(name: String, count: Int32) {
        self.name = name
        self.count = count
    }
}
