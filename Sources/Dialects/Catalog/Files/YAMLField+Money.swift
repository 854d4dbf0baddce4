import Billing
import ClusterModel
import Quantities
import Yams

extension YAMLField {
    /// Whether a parameter is not published: nothing, `null`, `~`, or a value that ends in `?`.
    var isOpen: Bool {
        guard case .scalar(let scalar) = node else { return false }
        let text = scalar.string
        return ["", "~", "null", "Null", "NULL"].contains(text) || text.hasSuffix("?")
    }

    /// An amount of money: `200000000` (fen), `2000000 CNY`, `50 fen`. Zero to 10¹⁵ fen.
    func money() throws(FileRefusal) -> Fen {
        let text = try text()
        let words = text.split(separator: " ")
        let scale: Int64? =
            switch words.count {
            case 1: 1
            case 2: ["fen": 1, "CNY": 100][words[1]]
            default: nil
            }
        guard let scale, let word = words.first, let amount = decimalFen(word, times: scale) else {
            throw refusal(
                .unreadable(
                    found: text,
                    expected: "an amount such as 200000000 (fen) or 2000000 CNY"
                )
            )
        }
        guard amount <= Int128(Fen.maximum.count) else {
            throw refusal(
                .outOfRange(found: text, minimum: "0", maximum: "\(Fen.maximum.count) fen")
            )
        }
        return Fen(Int64(amount))
    }

    /// A price of an hour, at most 10⁶ CNY.
    func hourlyPrice() throws(FileRefusal) -> HourlyPrice {
        let price = HourlyPrice(microFen: try microfen())
        guard price <= .maximum else {
            throw refusal(
                .outOfRange(
                    found: try text(),
                    minimum: "0 CNY",
                    maximum: "\(HourlyPrice.maximum.yuanText) CNY"
                )
            )
        }
        return price
    }

    /// The price of 10¹² bytes kept over one day. Unit: µfen.
    func storagePrice() throws(FileRefusal) -> Int64 {
        let price = try microfen()
        guard price <= Platform.storageMicrofenMaximum else {
            throw refusal(
                .outOfRange(found: try text(), minimum: "0 CNY", maximum: "1000 CNY")
            )
        }
        return price
    }

    /// A share in parts per million, 0 to 1,000,000 (100 %).
    func ppm() throws(FileRefusal) -> Int64 { try integer(0...1_000_000) }

    /// A day: `2026-12-31`.
    func day() throws(FileRefusal) -> BillingDay {
        let text = try text()
        guard let day = BillingDay(text) else {
            throw refusal(.unreadable(found: text, expected: "a day such as 2026-12-31"))
        }
        return day
    }

    /// A list of names in the spelling in which claims have them; see `PartyName`.
    func partyNames() throws(FileRefusal) -> [String] {
        try texts().map(PartyName.normalised)
    }

    /// A list of texts; a single text is a list of one.
    func texts() throws(FileRefusal) -> [String] {
        if case .scalar = node { return [try text()] }
        var texts: [String] = []
        for field in try list() { texts.append(try field.text()) }
        return texts
    }
}

/// Digits with at most two decimals × `scale`, in whole fen.
private func decimalFen(_ word: Substring, times scale: Int64) -> Int128? {
    let parts = word.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count <= 2, let whole = parts.first, let units = digits(whole) else { return nil }
    guard parts.count == 2 else { return units * Int128(scale) }
    let decimals = parts[1]
    guard scale == 100, decimals.utf8.count <= 2, let fraction = digits(decimals) else {
        return nil
    }
    return units * 100 + (decimals.utf8.count == 1 ? fraction * 10 : fraction)
}

private func digits(_ text: Substring) -> Int128? {
    guard !text.isEmpty, text.utf8.count <= 30, text.utf8.allSatisfy({ (48...57).contains($0) })
    else { return nil }
    return Int128(text)
}
