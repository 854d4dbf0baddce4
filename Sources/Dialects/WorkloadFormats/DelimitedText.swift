import Quantities

/// The fields of a delimited text, row by row, without copying it.
///
/// Empty lines and lines that start with `#` are no rows. Lines end with LF or CRLF. A field may
/// stand in double quotes; one that goes on over a line end is not read.
struct DelimitedText {
    private let bytes: UnsafeRawBufferPointer
    private let delimiter: UInt8
    private var cursor = 0

    /// The line of the current row, from 1.
    private(set) var line = 0
    /// Where the fields of the current row are.
    private(set) var fields: [Range<Int>] = []

    init(_ bytes: UnsafeRawBufferPointer, delimiter: UInt8) {
        self.bytes = bytes
        self.delimiter = delimiter
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { cursor = 3 }
    }

    /// Goes on to the next row; false at the end.
    mutating func next() -> Bool {
        while cursor < bytes.count {
            var end = cursor
            while end < bytes.count, bytes[end] != UInt8(ascii: "\n") { end += 1 }
            let start = cursor
            cursor = end + 1
            line += 1
            if end > start, bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
            guard let first = bytes[start..<end].first(where: { $0 != 0x20 && $0 != 0x09 }),
                first != UInt8(ascii: "#")
            else { continue }
            split(start..<end)
            return true
        }
        return false
    }

    private mutating func split(_ row: Range<Int>) {
        fields.removeAll(keepingCapacity: true)
        var start = row.lowerBound
        while true {
            var end = start
            if start < row.upperBound, bytes[start] == UInt8(ascii: "\"") {
                end += 1
                while end < row.upperBound {
                    if bytes[end] == UInt8(ascii: "\"") {
                        guard end + 1 < row.upperBound, bytes[end + 1] == UInt8(ascii: "\"")
                        else { break }
                        end += 1
                    }
                    end += 1
                }
            }
            while end < row.upperBound, bytes[end] != delimiter { end += 1 }
            fields.append(trimmed(start..<end))
            guard end < row.upperBound else { return }
            start = end + 1
        }
    }

    /// Without blanks at both ends, then without a pair of quotes.
    private func trimmed(_ field: Range<Int>) -> Range<Int> {
        var (start, end) = (field.lowerBound, field.upperBound)
        while start < end, bytes[start] == 0x20 || bytes[start] == 0x09 { start += 1 }
        while end > start, bytes[end - 1] == 0x20 || bytes[end - 1] == 0x09 { end -= 1 }
        let quote = UInt8(ascii: "\"")
        if end - start >= 2, bytes[start] == quote, bytes[end - 1] == quote {
            start += 1
            end -= 1
        }
        return start..<end
    }

    // MARK: Fields

    /// Where the header names one of `names`, whatever the case; the first of `names` wins.
    func column(_ names: String...) -> Int? {
        let header = fields.map { text($0).lowercased() }
        return names.lazy.compactMap { header.firstIndex(of: $0.lowercased()) }.first
    }

    /// A field's text; empty when there is no such column.
    func text(_ column: Int?) -> String {
        guard let column, column < fields.count else { return "" }
        return text(fields[column])
    }

    private func text(_ field: Range<Int>) -> String {
        String(decoding: UnsafeRawBufferPointer(rebasing: bytes[field]), as: UTF8.self)
    }

    /// The bytes of a field.
    func raw(_ column: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[fields[column]])
    }
}

/// Numbers and times in the bytes of a field. All return nil for what is no such thing.
enum FieldBytes {
    /// A whole number of at most 15 digits; a fraction of zeros, as in `66.0`, is dropped.
    static func integer(_ bytes: UnsafeRawBufferPointer) -> Int64? {
        guard let micros = micros(bytes, digitsMaximum: 12) else {
            return plainInteger(bytes[...], digitsMaximum: 15)
        }
        return micros % 1_000_000 == 0 ? micros / 1_000_000 : nil
    }

    /// A decimal number times a million; digits after the sixth decimal are dropped.
    static func micros(_ bytes: UnsafeRawBufferPointer, digitsMaximum: Int = 12) -> Int64? {
        let isNegative = bytes.first == UInt8(ascii: "-")
        let unsigned = bytes[(isNegative ? 1 : 0)...]
        let point = unsigned.firstIndex(of: UInt8(ascii: ".")) ?? unsigned.endIndex
        guard let whole = plainInteger(unsigned[..<point], digitsMaximum: digitsMaximum),
            whole >= 0
        else { return nil }
        var fraction: Int64 = 0
        var scale: Int64 = 100_000
        for byte in unsigned[point...].dropFirst() {
            guard (48...57).contains(byte) else { return nil }
            fraction += Int64(byte - 48) * scale
            scale /= 10
        }
        let value = whole * 1_000_000 + fraction
        return isNegative ? -value : value
    }

    /// A count as Slurm writes it (convert_num_unit): digits, or with K, M, G, T or P times a power of
    /// 1,024, as in `2.50K`. Nil as well for what is not a whole number then: it was rounded.
    static func count(_ bytes: some Sequence<UInt8>) -> Int64? {
        var digits = Array(bytes)
        var scale: Int64 = 1
        if let last = digits.last, let power = Array("KMGTP".utf8).firstIndex(of: last) {
            digits.removeLast()
            scale = 1 << (10 * Int64(power + 1))
        }
        guard digits.first != UInt8(ascii: "-"),
            let micros = digits.withUnsafeBytes({ micros($0, digitsMaximum: 12) })
        else { return nil }
        let (product, overflow) = micros.multipliedReportingOverflow(by: scale)
        return overflow || product % 1_000_000 != 0 ? nil : product / 1_000_000
    }

    /// Digits, perhaps with a minus sign.
    static func plainInteger(
        _ bytes: Slice<UnsafeRawBufferPointer>,
        digitsMaximum: Int
    ) -> Int64? {
        let isNegative = bytes.first == UInt8(ascii: "-")
        let digits = isNegative ? bytes.dropFirst() : bytes
        guard !digits.isEmpty, digits.count <= digitsMaximum else { return nil }
        var value: Int64 = 0
        for byte in digits {
            guard (48...57).contains(byte) else { return nil }
            value = value * 10 + Int64(byte - 48)
        }
        return isNegative ? -value : value
    }

    /// `2026-11-21T09:05:00` or `2026-11-21 09:05:00`, with or without a fraction, as seconds
    /// since 1970 at `offsetSeconds` east of UTC; or those seconds as a plain number.
    static func instantSeconds(
        _ bytes: UnsafeRawBufferPointer,
        offsetSeconds: Int64 = 0
    ) -> Int64? {
        guard bytes.count >= 19 else { return plainInteger(bytes[...], digitsMaximum: 11) }
        func number(_ range: Range<Int>) -> Int? {
            plainInteger(bytes[range], digitsMaximum: 4).flatMap { $0 < 0 ? nil : Int($0) }
        }
        let separators: [(Int, String)] = [(4, "-"), (7, "-"), (10, "T "), (13, ":"), (16, ":")]
        for (position, allowed) in separators where !allowed.utf8.contains(bytes[position]) {
            return nil
        }
        let rest = bytes[19...]
        guard rest.isEmpty || rest.first == UInt8(ascii: ".") || rest.elementsEqual("Z".utf8),
            let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19)
        else { return nil }
        let time = CivilTime(
            year: year,
            month: month,
            day: day,
            hour: hour,
            minute: minute,
            second: second
        )
        guard time.isValid else { return nil }
        return time.instant(offsetSeconds: offsetSeconds).seconds
    }

    /// Slurm's `[D-]HH:MM:SS[.fff]` or `MM:SS[.fff]`, in µs.
    static func slurmDuration(_ bytes: UnsafeRawBufferPointer) -> Int64? {
        var rest = bytes[...]
        var days: Int64 = 0
        if let dash = rest.firstIndex(of: UInt8(ascii: "-")) {
            guard let count = plainInteger(rest[..<dash], digitsMaximum: 5), count >= 0 else {
                return nil
            }
            days = count
            rest = rest[(dash + 1)...]
        }
        let parts = rest.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard parts.count == 3 || (parts.count == 2 && days == 0) else { return nil }
        var seconds: Int64 = 0
        for part in parts.dropLast() {
            guard let value = plainInteger(part, digitsMaximum: 6), value >= 0 else { return nil }
            seconds = (seconds + value) * 60
        }
        guard let last = parts.last, last.first != UInt8(ascii: "-"),
            let micros = micros(UnsafeRawBufferPointer(rebasing: last), digitsMaximum: 6)
        else { return nil }
        return (days * 86_400 + seconds) * 1_000_000 + micros
    }
}
