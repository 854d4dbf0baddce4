public import Quantities

extension BillingBook {
    /// A resource that a run holds, and what it costs.
    public struct Fee: Hashable, Sendable {
        /// The resource.
        public var resource: BilledResource
        /// How long it is held.
        public var held: HeldTime
        /// The fee.
        public var amount: Fen
    }

    /// What the fee of `usage` would be made of now, in the order of `BilledResource.allCases`;
    /// resources without a fee are left out. The amounts add up to `gross(usage)`.
    public func fees(of usage: JobUsage) -> [Fee] {
        var volumes = volumes
        let classes = accounts[usage.account]?.classes ?? []
        let parts = tariff.charge(for: usage, classes: classes, volumes: &volumes)
        return BilledResource.allCases.compactMap { resource in
            var fee = Fee(resource: resource, held: .zero, amount: .zero)
            var isCharged = false
            for part in parts {
                guard let row = part.fees.first(where: { $0.resource == resource }) else {
                    continue
                }
                isCharged = true
                fee.held = fee.held + part.held(resource)
                fee.amount += row.amount
            }
            return isCharged ? fee : nil
        }
    }
}
