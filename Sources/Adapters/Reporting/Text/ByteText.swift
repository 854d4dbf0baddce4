/// Text that is made as bytes, by the interpolation that strings have: a row of each of millions of
/// jobs, without a string of each number. What it makes is what `String` would make of it.
struct ByteText: ExpressibleByStringInterpolation {
    private(set) var bytes: [UInt8]

    init(stringLiteral text: String) {
        bytes = Array(text.utf8)
    }

    init(stringInterpolation: StringInterpolation) {
        bytes = stringInterpolation.bytes
    }

    struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var bytes: [UInt8] = []

        init(literalCapacity: Int, interpolationCount: Int) {
            bytes.reserveCapacity(literalCapacity + 12 * interpolationCount)
        }

        mutating func appendLiteral(_ text: String) {
            bytes += text.utf8
        }

        mutating func appendInterpolation(_ text: String) {
            bytes += text.utf8
        }

        mutating func appendInterpolation(_ number: some FixedWidthInteger) {
            if number < 0 { bytes.append(UInt8(ascii: "-")) }
            append(UInt64(number.magnitude))
        }

        /// A time in µs as seconds; whole seconds without decimals: `12`, `12.5`.
        mutating func appendInterpolation(seconds microseconds: Int64) {
            if microseconds < 0 { bytes.append(UInt8(ascii: "-")) }
            let (seconds, rest) = microseconds.magnitude.quotientAndRemainder(dividingBy: 1_000_000)
            append(seconds)
            guard rest > 0 else { return }
            bytes.append(UInt8(ascii: "."))
            let start = bytes.count
            // The leading one keeps the zeros after the point.
            append(1_000_000 + rest)
            bytes.remove(at: start)
            while bytes.last == UInt8(ascii: "0") { bytes.removeLast() }
        }

        /// Intervals of numbers, as in `0-3 7 9-12`.
        mutating func appendInterpolation(_ intervals: [ClosedRange<Int32>]) {
            for (index, interval) in intervals.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: " ")) }
                appendInterpolation(interval.lowerBound)
                guard interval.lowerBound < interval.upperBound else { continue }
                bytes.append(UInt8(ascii: "-"))
                appendInterpolation(interval.upperBound)
            }
        }

        private mutating func append(_ number: UInt64) {
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
                var (start, left) = (digits.count, number)
                repeat {
                    start -= 1
                    let (rest, digit) = left.quotientAndRemainder(dividingBy: 10)
                    digits[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digit)
                    left = rest
                } while left > 0
                bytes += UnsafeBufferPointer(rebasing: digits[start...])
            }
        }
    }
}
