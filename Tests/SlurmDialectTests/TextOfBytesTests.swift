import Testing

@testable import WireFormats

@Suite("Texts of bytes")
struct TextOfBytesTests {
    @Test("Bytes are the text that the standard library makes of them, or none where it makes none")
    func asTheStandardLibrary() {
        let pieces: [[UInt8]] = [
            [], [0], Array("abc".utf8), Array("星河".utf8), Array("e\u{301}".utf8), [0x7F], [0x80],
            [0xC3], [0xE2, 0x82], [0xF5, 0x80, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xFF, 0x41],
        ]
        for first in pieces {
            for second in pieces {
                for third in pieces {
                    let bytes = first + second + third
                    let slice = ([0x41] + bytes + [0x42])[1..<bytes.count + 1]
                    #expect(String(utf8: slice) == String(validating: bytes, as: UTF8.self))
                }
            }
        }
    }
}
