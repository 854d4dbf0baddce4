extension ByteCount {
    /// The size in the largest binary unit that leaves at least one: `24 GiB`, `23.5 GiB`.
    public var binaryText: String {
        let units: [(name: String, shift: Int64)] = [
            ("PiB", 50), ("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10),
        ]
        for (name, shift) in units where count >= 1 << shift {
            if count & ((1 << shift) - 1) == 0 { return "\((count >> shift).groupedText) \(name)" }
            return "\(decimalText(count, per: 1 << shift)) \(name)"
        }
        return "\(count) B"
    }
}
