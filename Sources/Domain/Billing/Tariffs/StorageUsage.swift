public import Quantities

/// The price of storage. Unit of usage: 10¹² bytes kept over one day.
public struct StorageLine: Hashable, Sendable, Codable {
    /// The platform; nil for all.
    public var platform: String?
    /// When the line is in force.
    public var validity: Validity
    /// The price of a TB-day. Unit: µfen.
    public var microFen: Int64
    /// What an account has for nothing each day.
    public var free: ByteCount
    /// What a day's amount is rounded up to; one byte for no rounding.
    public var step: ByteCount

    /// Makes a line.
    public init(
        platform: String? = nil,
        validity: Validity = .always,
        microFen: Int64,
        free: ByteCount = .zero,
        step: ByteCount = ByteCount(1)
    ) {
        self.platform = platform
        self.validity = validity
        self.microFen = microFen
        self.free = free
        self.step = step
    }

    /// The fee for keeping `bytes` over one day, rounded half up.
    ///
    /// - Precondition: `bytes` is at most 10¹⁸, and the fee at most 10¹⁵ fen.
    func fee(for bytes: Int64) -> Fen {
        let billed = billedBytes(of: bytes)
        let perFen = Self.bytesPerTB * 1_000_000
        let fen = (billed * Int128(microFen) + perFen / 2) / perFen
        precondition(fen <= Int128(Fen.maximum.count), "a charge of \(fen) fen for storage")
        return Fen(Int64(fen))
    }

    /// What is paid for of `bytes`: less what is free, rounded up to the step. Unit: bytes.
    func billedBytes(of bytes: Int64) -> Int128 {
        let steps = (max(0, bytes - free.count) + step.count - 1) / step.count
        return Int128(steps) * Int128(step.count)
    }

    static let bytesPerTB: Int128 = 1_000_000_000_000
}

/// What an account kept on one day, as a daily snapshot found it.
public struct StorageUsage: Hashable, Sendable {
    /// The account.
    public var account: String
    /// Where.
    public var platform: String
    /// The day.
    public var day: BillingDay
    /// How much, at most 10¹⁸. Unit: bytes.
    public var bytes: Int64

    /// Makes a usage.
    public init(account: String, platform: String, day: BillingDay, bytes: Int64) {
        self.account = account
        self.platform = platform
        self.day = day
        self.bytes = bytes
    }

    /// The most that one row may say. Unit: bytes.
    public static let bytesMaximum: Int64 = 1_000_000_000_000_000_000
}

/// A day of storage that was charged.
public struct StorageCharge: Hashable, Sendable, Codable {
    /// The account that pays.
    public var account: String
    /// Where the bytes lie.
    public var platform: String
    /// The tariff that was applied.
    public var tariff: String
    /// The day.
    public var day: BillingDay
    /// What was kept. Unit: bytes.
    public var bytes: Int64
    /// The fee.
    public var amount: Fen
    /// How often the day has been charged: above 1 after it was given back.
    public var revision: Int64 = 1

    /// What makes the charge unique: `storage/ACCOUNT/PLATFORM/YYYY-MM-DD`, from the second on with
    /// `/2` and so on behind it.
    public var entryID: String {
        let first = "storage/\(account)/\(platform)/\(day)"
        return revision == 1 ? first : "\(first)/\(revision)"
    }
}

extension Tariff {
    /// What keeping `usage` costs; nothing where no line names the place and day.
    func charge(for usage: StorageUsage) -> StorageCharge {
        let line = storageLine(for: usage)
        return StorageCharge(
            account: usage.account,
            platform: usage.platform,
            tariff: id,
            day: usage.day,
            bytes: usage.bytes,
            amount: line?.fee(for: usage.bytes) ?? .zero
        )
    }

    /// What of `usage` comes under a price; nil when it costs nothing. Unit: byte-days.
    func pricedQuantity(of usage: StorageUsage) -> (item: PricedItem, quantity: Int128)? {
        guard let line = storageLine(for: usage) else { return nil }
        let billed = line.billedBytes(of: usage.bytes)
        guard billed > 0, line.microFen > 0 else { return nil }
        let item = PricedItem(
            kind: .storage,
            platform: usage.platform,
            tariff: id,
            factorPPM: 1_000_000,
            tierFromHours: 0,
            listMicroFen: line.microFen,
            discount: .one
        )
        return (item, billed)
    }

    /// Whether keeping something there on that day has a price, be it nothing.
    public func pricesStorage(_ usage: StorageUsage) -> Bool { storageLine(for: usage) != nil }

    private func storageLine(for usage: StorageUsage) -> StorageLine? {
        let fitting = storage.filter { line in
            (line.platform ?? usage.platform) == usage.platform
                && line.validity.contains(usage.day.start)
        }
        return fitting.first { $0.platform != nil } ?? fitting.first
    }
}
