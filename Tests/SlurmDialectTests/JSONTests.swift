import Testing
import WireFormats

@Suite("JSON without Foundation")
struct JSONTests {
    /// A random document; `depth` bounds it.
    private func document(_ state: inout UInt64, depth: Int) -> JSONValue {
        func next(_ bound: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % bound
        }
        func text() -> String {
            let scalars: [Unicode.Scalar] = [
                "a", "\"", "\\", "\n", "\u{1}", "\u{1F}", "河", "😀", "/", "\u{7F}", " ", "\t", "\r",
            ]
            var view = String.UnicodeScalarView()
            for _ in 0..<next(8) { view.append(scalars[Int(next(UInt64(scalars.count)))]) }
            return String(view)
        }
        switch next(depth > 0 ? 8 : 6) {
        case 0: return .null
        case 1: return .bool(next(2) == 0)
        case 2: return .integer(Int64(next(1_000)) - 500)
        case 3: return .integer([.min, .max, 0, 999_999_999_999_999_999][Int(next(4))])
        case 4: return .number(Double(next(1_000)) + 0.5)
        case 5: return .string(text())
        case 6: return .array((0..<next(4)).map { _ in document(&state, depth: depth - 1) })
        default:
            return .object(
                (0..<next(4)).map { _ in
                    JSONValue.Member(text(), document(&state, depth: depth - 1))
                }
            )
        }
    }

    @Test("A document that is written is read back", arguments: 0..<400 as Range<UInt64>)
    func roundTrip(seed: UInt64) throws {
        var state = seed
        let value = document(&state, depth: 4)
        #expect(try JSONValue(parsing: value.compactText) == value, "seed \(seed)")
        #expect(try JSONValue(parsing: value.prettyText) == value, "seed \(seed)")
        for levels in 0...3 {
            var text = JSONText(withoutNulls: levels)
            text.write(value)
            #expect(text.text == value.withoutNulls(levels: levels).compactText, "seed \(seed)")
        }
    }

    @Test(
        "What is not JSON is refused",
        arguments: [
            "", "{", "[1,]", "{\"a\":}", "01", "-", "1.", "+1", "nul", "\"a", "\"\\x\"",
            "\"\u{1}\"",
            "[1 2]", "{a:1}", "1 2", "\"\\ud800\"", "--1", "1e", "0x1",
            #""\ud83d\nDE00""#, #""\ud83dxxDE00""#, #""\u+041""#, #""\u00""#, #""\u004g""#,
        ]
    )
    func refused(text: String) {
        #expect(throws: JSONValue.Malformed.self) { try JSONValue(parsing: text) }
    }

    @Test("Escapes are understood, also where a string begins without one")
    func escapes() throws {
        let value = try JSONValue(parsing: #""plain\u6cb3\ud83d\ude00\n\"\\\/tail""#)
        #expect(value.string == "plain河😀\n\"\\/tail")
    }
}
