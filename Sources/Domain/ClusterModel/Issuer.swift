/// Who issues the statements of a centre: what an invoice says about its sender.
///
/// Names may be in two languages, as titles are: `Xinghe Centre (星河中心)`.
public struct Issuer: Hashable, Sendable, Codable {
    /// The registered name.
    public var name: String
    /// The number under which it pays tax (统一社会信用代码); nil when none was given.
    public var taxID: String?
    /// The registered address.
    public var address: String?
    /// The telephone.
    public var phone: String?
    /// The bank that keeps its account.
    public var bank: String?
    /// The number of that account.
    public var bankAccount: String?
    /// What a kilowatt-hour of its grid emits; nil when nobody said.
    public var gridFactor: GridFactor?

    /// Makes an issuer.
    public init(name: String) {
        self.name = name
    }

    /// The carbon dioxide of electricity.
    public struct GridFactor: Hashable, Sendable, Codable {
        /// Unit: mg CO₂ a kWh.
        public var milligrams: Int64
        /// Who published it, for which grid and year.
        public var source: String

        /// Makes a factor.
        public init(milligrams: Int64, source: String) {
            self.milligrams = milligrams
            self.source = source
        }
    }
}
