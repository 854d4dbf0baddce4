public import Billing
import IndexSets
import JobModel
import Quantities

/// Reads a tariff from YAML; docs/billing.md has the list of fields.
public enum TariffReader {
    static let topFields = [
        "tariff", "title", "description", "lines", "qos", "reservation", "classes",
        "free_states", "minimum_charge", "vat", "vouchers", "sources",
    ]

    /// Reads a tariff from the text of a file.
    ///
    /// - Parameter file: what refusals call the text.
    /// - Throws: what is wrong in the text.
    public static func tariff(text: String, file: String) throws(FileRefusal) -> Tariff {
        let top = try YAMLField.document(text, file: file).mapping(topFields)
        let classFactors = try factors(top["classes"], maximum: 1_000)
        let (lines, storage) = try lines(top.required("lines"), classFactors: classFactors)
        var tariff = Tariff(
            id: try top.required("tariff").name(),
            title: try top["title"]?.text() ?? "",
            lines: lines,
            freeStates: try freeStates(top["free_states"]),
            qosFactors: try factors(top["qos"]),
            reservationFactor: try top["reservation"].map { field throws(FileRefusal) in
                try factor(field)
            } ?? .one,
            classFactors: try canonical(classFactors, top["classes"]),
            minimumCharge: try minimumCharge(top["minimum_charge"])
        )
        tariff.storage = storage
        // A tax rate in thousandths is as fine as any.
        if let vat = top["vat"] {
            tariff.vatPPM = try factor(vat, maximum: 1_000).thousandths * 1_000
        }
        tariff.vouchers = try vouchers(top["vouchers"])
        return tariff
    }

    /// The shipped prices by platform.
    public static func shipped() throws(FileRefusal) -> Tariff {
        try tariff(
            text: String(decoding: PackageResources.tianjin_prices_yaml, as: UTF8.self),
            file: "tianjin-prices.yaml"
        )
    }

    // MARK: Lines

    private static func lines(
        _ field: YAMLField,
        classFactors: [String: Factor]
    ) throws(FileRefusal) -> ([TariffLine], [StorageLine]) {
        var lines: [(line: TariffLine, field: YAMLField)] = []
        var storage: [(line: StorageLine, field: YAMLField)] = []
        func overlap(_ element: YAMLField, _ earlier: YAMLField) -> FileRefusal {
            element.refusal(
                .conflict("its validity overlaps that of \(earlier.path), same resource")
            )
        }
        for element in try field.list() {
            if try isStorage(element) {
                let line = try storageLine(element)
                for earlier in storage
                where earlier.line.platform == line.platform
                    && earlier.line.validity.overlaps(line.validity)
                {
                    throw overlap(element, earlier.field)
                }
                storage.append((line, element))
                continue
            }
            let line = try self.line(element, classFactors: classFactors)
            for earlier in lines where earlier.line.pricesTheSame(as: line) {
                throw overlap(element, earlier.field)
            }
            lines.append((line, element))
        }
        guard !lines.isEmpty else { throw field.refusal(.conflict("a tariff needs a line")) }
        return (lines.map(\.line), storage.map(\.line))
    }

    private static func line(
        _ field: YAMLField,
        classFactors: [String: Factor]
    ) throws(FileRefusal) -> TariffLine {
        let fields = try field.mapping([
            "platform", "partition", "resource", "price", "tiers", "valid_from", "valid_to",
            "memory_per_core",
        ])
        let resource = try resource(fields.required("resource"))
        let (from, until) = try days(fields)
        if fields["platform"] != nil, let partition = fields["partition"] {
            throw partition.refusal(.conflict("name a platform or a partition, not both"))
        }
        if resource != .coreHour, let memory = fields["memory_per_core"] {
            throw memory.refusal(.conflict("only a core-hour line has a share of memory"))
        }
        var line = TariffLine(
            partition: try fields["partition"]?.name(),
            platform: try fields["platform"]?.name(),
            resource: resource,
            validity: Validity(from: from?.start, until: until?.start),
            tiers: try tiers(fields, classFactors)
        )
        line.memoryPerCore = try fields["memory_per_core"]?.bytes()
        if let memory = line.memoryPerCore, memory == .zero, let field = fields["memory_per_core"] {
            throw field.refusal(.outOfRange(found: "0", minimum: "1", maximum: "any size"))
        }
        return line
    }

    private static func minimumCharge(_ field: YAMLField?) throws(FileRefusal) -> Fen {
        guard let field else { return .zero }
        let fee = try field.money()
        guard fee <= Tariff.minimumChargeMaximum else {
            throw field.refusal(
                .outOfRange(
                    found: try field.text(),
                    minimum: "0 CNY",
                    maximum: "\(Tariff.minimumChargeMaximum.yuanText) CNY"
                )
            )
        }
        return fee
    }

    private static func resource(_ field: YAMLField) throws(FileRefusal) -> BilledResource {
        let word = try field.text()
        guard let resource = BilledResource(name: word) else {
            let known = BilledResource.allCases.map(\.name) + [storageName]
            throw field.refusal(
                .unknownChoice(
                    found: word,
                    similar: similarNames(to: word, among: known),
                    known: known
                )
            )
        }
        return resource
    }

    private static func tiers(
        _ fields: YAMLMapping,
        _ classFactors: [String: Factor]
    ) throws(FileRefusal) -> [PriceTier] {
        if let field = fields["price"] {
            if let tiers = fields["tiers"] {
                throw tiers.refusal(.conflict("write price or tiers, not both"))
            }
            return [PriceTier(price: try price(field, classFactors))]
        }
        let steps = try fields.required("tiers").list()
        var tiers: [PriceTier] = []
        for (index, step) in steps.enumerated() {
            let parts = try step.mapping(["upto_hours", "price"])
            let limit = try parts["upto_hours"]?.integer(1...1_000_000_000_000)
            if let limit, let before = tiers.last?.upToHours, limit <= before {
                throw step.refusal(.conflict("the steps must rise"))
            }
            guard (limit == nil) == (index == steps.count - 1) else {
                throw step.refusal(.conflict("the last step, and only it, has no upto_hours"))
            }
            let price = try price(parts.required("price"), classFactors)
            tiers.append(PriceTier(upToHours: limit, price: price))
        }
        guard !tiers.isEmpty else { throw fields.field.refusal(.conflict("tiers is empty")) }
        return tiers
    }

    /// A price that stays a whole number of micro-fen under every discount.
    private static func price(
        _ field: YAMLField,
        _ classFactors: [String: Factor]
    ) throws(FileRefusal) -> HourlyPrice {
        let price = try field.hourlyPrice()
        for (label, factor) in classFactors.sorted(by: { $0.key < $1.key })
        where price.microFen * factor.thousandths % 1_000 != 0 {
            throw field.refusal(
                .conflict("with the discount of class '\(label)' it is finer than a micro-fen")
            )
        }
        return price
    }

    // MARK: Factors

    private static func factors(
        _ field: YAMLField?,
        maximum: Int64 = 1_000_000
    ) throws(FileRefusal) -> [String: Factor] {
        var factors: [String: Factor] = [:]
        for (name, value) in try field?.entries() ?? [] {
            factors[name] = try factor(value, maximum: maximum)
        }
        return factors
    }

    /// A decimal number with at most three decimals: `1.5`.
    private static func factor(
        _ field: YAMLField,
        maximum: Int64 = 1_000_000
    ) throws(FileRefusal) -> Factor {
        let text = try field.text()
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, let whole = parts.first.flatMap({ digits($0) }) else {
            throw field.refusal(.unreadable(found: text, expected: "a factor such as 1.5"))
        }
        var thousandths = whole * 1_000
        if parts.count == 2 {
            let decimals = String(parts[1])
            guard decimals.utf8.count <= 3, let fraction = digits(parts[1]) else {
                throw field.refusal(
                    .unreadable(found: text, expected: "a factor with at most three decimals")
                )
            }
            thousandths += fraction * [1, 100, 10, 1][decimals.utf8.count]
        }
        guard thousandths <= maximum else {
            throw field.refusal(
                .outOfRange(found: text, minimum: "0", maximum: "\(maximum / 1_000)")
            )
        }
        return Factor(thousandths: thousandths)
    }

    private static func digits(_ text: Substring) -> Int64? {
        guard !text.isEmpty, text.utf8.count <= 6, text.utf8.allSatisfy({ (48...57).contains($0) })
        else { return nil }
        return Int64(text)
    }

    private static func canonical(
        _ factors: [String: Factor],
        _ field: YAMLField?
    ) throws(FileRefusal) -> [String: Factor] {
        var canonical: [String: Factor] = [:]
        for (name, value) in try field?.entries() ?? [] {
            guard let label = SubsidyClass.canonical(name) else {
                throw value.refusal(
                    .unknownChoice(
                        found: name,
                        similar: similarNames(to: name, among: SubsidyClass.known),
                        known: SubsidyClass.known
                    )
                )
            }
            canonical[label] = factors[name]
        }
        return canonical
    }

    private static func freeStates(_ field: YAMLField?) throws(FileRefusal) -> [EndState] {
        var states: [EndState] = []
        for element in try field?.list() ?? [] {
            let word = try element.text()
            guard let state = EndState.allCases.first(where: { $0.slurmName == word }) else {
                let known = EndState.allCases.map(\.slurmName)
                throw element.refusal(
                    .unknownChoice(
                        found: word,
                        similar: similarNames(to: word, among: known),
                        known: known
                    )
                )
            }
            states.append(state)
        }
        return states
    }
}

extension TariffLine {
    /// Whether both lines would price the same hour.
    fileprivate func pricesTheSame(as other: TariffLine) -> Bool {
        (partition, platform) == (other.partition, other.platform) && resource == other.resource
            && validity.overlaps(other.validity)
    }
}
