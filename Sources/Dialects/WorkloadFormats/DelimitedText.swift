import Quantities

/// The fields of a delimited text, row by row, without copying it.
///
/// Empty lines are no rows, nor are lines that start with `#` before the first one: later such a line
/// may be a job whose name begins so. Lines end with LF or CRLF. Where commas separate, a field may
/// stand in double quotes; one that goes on over a line end is not read.
struct DelimitedText {
    /// How fields are told apart.
    enum Layout: Equatable {
        case delimiter(UInt8)
        /// Columns of fixed width, as `sacct` prints without `-P`: the bytes of each. The second line
        /// underlines them.
        case fixed([Range<Int>])
    }

    private let bytes: UnsafeRawBufferPointer
    private let layout: Layout
    private var cursor = 0
    private var hasHeader = false

    /// The line of the current row, from 1.
    private(set) var line = 0
    /// Where the fields of the current row are.
    private(set) var fields: [Range<Int>] = []

    init(_ bytes: UnsafeRawBufferPointer, delimiter: UInt8) {
        self.init(bytes, layout: .delimiter(delimiter))
    }

    init(_ bytes: UnsafeRawBufferPointer, layout: Layout) {
        self.bytes = bytes
        self.layout = layout
        cursor = Self.byteOrderMarkLength(bytes)
    }

    /// Spreadsheets begin texts in UTF-8 with one.
    static func byteOrderMarkLength(_ bytes: UnsafeRawBufferPointer) -> Int {
        bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
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
                hasHeader || first != UInt8(ascii: "#")
            else { continue }
            guard !isUnderline(start..<end) else { continue }
            hasHeader = true
            split(start..<end)
            return true
        }
        return false
    }

    /// The line below the names of columns of fixed width.
    private func isUnderline(_ row: Range<Int>) -> Bool {
        guard case .fixed = layout else { return false }
        return bytes[row].allSatisfy { $0 == UInt8(ascii: "-") || $0 == 0x20 }
    }

    private mutating func split(_ row: Range<Int>) {
        fields.removeAll(keepingCapacity: true)
        guard case .delimiter(let delimiter) = layout else { return splitColumns(row) }
        var start = row.lowerBound
        while true {
            var end = start
            if mayQuote, start < row.upperBound, bytes[start] == UInt8(ascii: "\"") {
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

    private mutating func splitColumns(_ row: Range<Int>) {
        guard case .fixed(let columns) = layout else { return }
        for (index, column) in columns.enumerated() {
            let start = row.lowerBound + column.lowerBound
            // A short line ends in empty fields; the last field takes the rest.
            let isLast = index == columns.count - 1
            let end =
                isLast ? row.upperBound : min(row.upperBound, row.lowerBound + column.upperBound)
            fields.append(start < end ? trimmed(start..<end) : row.upperBound..<row.upperBound)
        }
    }

    /// `sacct` quotes nothing, so a name may begin with a quote.
    private var mayQuote: Bool { layout == .delimiter(UInt8(ascii: ",")) }

    /// Without blanks at both ends, then without a pair of quotes.
    private func trimmed(_ field: Range<Int>) -> Range<Int> {
        var (start, end) = (field.lowerBound, field.upperBound)
        while start < end, bytes[start] == 0x20 || bytes[start] == 0x09 { start += 1 }
        while end > start, bytes[end - 1] == 0x20 || bytes[end - 1] == 0x09 { end -= 1 }
        let quote = UInt8(ascii: "\"")
        if mayQuote, end - start >= 2, bytes[start] == quote, bytes[end - 1] == quote {
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

extension DelimitedText.Layout {
    /// How a table tells its fields apart: by the line below its first one, or by whichever of `|`,
    /// tab, `;` and `,` its first line has.
    static func detect(_ bytes: UnsafeRawBufferPointer) -> Self {
        let lines = bytes.dropFirst(DelimitedText.byteOrderMarkLength(bytes)).prefix(1 << 16)
            .split(separator: UInt8(ascii: "\n"), maxSplits: 64)
            .filter { line in line.contains { $0 > 0x20 } && line.first != UInt8(ascii: "#") }
        if lines.count > 1, let columns = underlined(Array(lines[1])) { return .fixed(columns) }
        let header = lines.first ?? bytes[0..<0]
        let known = "|\t;,".utf8.first { header.contains($0) }
        return .delimiter(known ?? UInt8(ascii: ","))
    }

    /// The columns that a line of dashes and blanks underlines; nil for another line.
    private static func underlined(_ line: [UInt8]) -> [Range<Int>]? {
        guard line.contains(UInt8(ascii: "-")),
            line.allSatisfy({ $0 == UInt8(ascii: "-") || $0 == 0x20 || $0 == 0x0D })
        else { return nil }
        var columns: [Range<Int>] = []
        var start: Int?
        for (index, byte) in (line + [0x20]).enumerated() {
            if byte == UInt8(ascii: "-") {
                start = start ?? index
            } else if let first = start {
                columns.append(first..<index)
                start = nil
            }
        }
        return columns
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

    /// A decimal number as C writes it (`100`, `.5`, `1e2`, `1.5e+03`) times a million; digits after
    /// the sixth decimal are dropped. Nil as well beyond 12 digits before the point.
    static func scientific(_ bytes: UnsafeRawBufferPointer) -> Int64? {
        var rest = bytes[...]
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative { rest = rest.dropFirst() }
        var exponent = 0
        if let mark = rest.firstIndex(where: { $0 == UInt8(ascii: "e") || $0 == UInt8(ascii: "E") })
        {
            var digits = rest[(mark + 1)...]
            if digits.first == UInt8(ascii: "+") { digits = digits.dropFirst() }
            guard let value = plainInteger(digits, digitsMaximum: 3) else { return nil }
            exponent = Int(value)
            rest = rest[..<mark]
        }
        let point = rest.firstIndex(of: UInt8(ascii: ".")) ?? rest.endIndex
        let digits = Array(rest[..<point]) + Array(rest[point...].dropFirst())
        guard !digits.isEmpty, digits.count <= 400, digits.allSatisfy({ (48...57).contains($0) })
        else { return nil }
        // The value is 0.d₁d₂… times ten to this power.
        let magnitude = rest[..<point].count + exponent
        var value: Int64 = 0
        var position = 0
        let leading = digits.prefix { $0 == 48 }.count
        guard leading < digits.count else { return 0 }
        guard magnitude - leading <= 12 else { return nil }
        for digit in digits {
            guard position < magnitude + 6 else { break }
            value = value * 10 + Int64(digit - 48)
            position += 1
        }
        while position < magnitude + 6 {
            value *= 10
            position += 1
        }
        return isNegative ? -value : value
    }

    /// Whether a field is written as a number is, one that is none (`NaN`, `inf`) included.
    static func looksLikeNumber(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let unsigned = bytes.drop { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "+") }
        let word = String(decoding: unsigned, as: UTF8.self).lowercased()
        if ["nan", "inf", "infinity"].contains(word) { return true }
        return (48...57).contains(unsigned.first(where: { $0 != UInt8(ascii: ".") }) ?? 0)
            && unsigned.allSatisfy { byte in
                (48...57).contains(byte) || ".eE+-".utf8.contains(byte)
            }
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
    /// since 1970 at `offsetSeconds` east of UTC, or at the offset that stands behind it (`Z`, `+08:00`,
    /// `+0800`); or those seconds as a plain number.
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
        var rest = bytes[19...]
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst().drop { (48...57).contains($0) }
        }
        guard let offsetSeconds = rest.isEmpty ? offsetSeconds : Self.offsetSeconds(rest),
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

    /// `Z`, `+08:00`, `-0500` or `+08` in seconds east of UTC.
    private static func offsetSeconds(_ bytes: Slice<UnsafeRawBufferPointer>) -> Int64? {
        if bytes.elementsEqual("Z".utf8) { return 0 }
        guard let sign = bytes.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") else {
            return nil
        }
        let digits = bytes.dropFirst().filter { $0 != UInt8(ascii: ":") }
        guard digits.count == 2 || digits.count == 4, digits.allSatisfy({ (48...57).contains($0) })
        else { return nil }
        let numbers = digits.map { Int64($0 - 48) }
        let minutes = numbers.count == 4 ? numbers[2] * 10 + numbers[3] : 0
        let seconds = ((numbers[0] * 10 + numbers[1]) * 60 + minutes) * 60
        return sign == UInt8(ascii: "-") ? -seconds : seconds
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
