import Billing
import Quantities

// The parts of a tariff that are not about jobs: storage, vouchers.

extension TariffReader {
    /// What a line that prices storage gives as its resource.
    static let storageName = "storage-tb-day"

    static func isStorage(_ line: YAMLField) throws(FileRefusal) -> Bool {
        let resource = try line.entries().first { $0.name == "resource" }
        return try resource?.field.text() == storageName
    }

    static func storageLine(_ field: YAMLField) throws(FileRefusal) -> StorageLine {
        let fields = try field.mapping([
            "platform", "resource", "price", "free", "step", "valid_from", "valid_to",
        ])
        let price = try fields.required("price")
        let (from, until) = try days(fields)
        var line = StorageLine(
            platform: try fields["platform"]?.name(),
            validity: Validity(from: from?.start, until: until?.start),
            microFen: try price.storagePrice(),
            free: try fields["free"]?.bytes() ?? .zero
        )
        if let step = fields["step"] {
            line.step = try step.bytes()
            guard line.step > .zero, line.step.count <= StorageUsage.bytesMaximum else {
                throw step.refusal(
                    .outOfRange(found: try step.text(), minimum: "1", maximum: "1000000 TB")
                )
            }
        }
        return line
    }

    /// The days of a line, half open.
    static func days(
        _ fields: YAMLMapping
    ) throws(FileRefusal) -> (from: BillingDay?, until: BillingDay?) {
        let from = try fields["valid_from"]?.day()
        let until = try fields["valid_to"]?.day()
        if let from, let until, until <= from {
            throw try fields.required("valid_to").refusal(
                .conflict("must be after valid_from; the day itself does not belong to it any more")
            )
        }
        return (from, until)
    }

    static func vouchers(_ field: YAMLField?) throws(FileRefusal) -> [Voucher] {
        var vouchers: [Voucher] = []
        for element in try field?.list() ?? [] {
            let fields = try element.mapping(["id", "account", "face", "valid_from", "valid_to"])
            let (from, until) = try days(fields)
            let face = try fields.required("face")
            let voucher = Voucher(
                id: try fields.required("id").name(),
                account: try fields.required("account").name(),
                face: try face.money(),
                from: from,
                until: until
            )
            guard voucher.face > .zero else {
                throw face.refusal(.outOfRange(found: "0", minimum: "1", maximum: "10^15 fen"))
            }
            guard !vouchers.contains(where: { $0.id == voucher.id }) else {
                throw element.refusal(.duplicate(name: voucher.id, of: "voucher"))
            }
            vouchers.append(voucher)
        }
        return vouchers
    }
}
