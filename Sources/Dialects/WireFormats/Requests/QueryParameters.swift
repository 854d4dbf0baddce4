import IndexSets

/// Reads the parameters of a URL: each is one that there is, and stands there once.
public struct QueryParameters: Sendable {
    private let values: [String: String]

    /// Checks the names of parameters.
    ///
    /// - Throws: `JSONValue.Malformed`, with one that is unknown or stands there twice.
    public init(
        _ parameters: some Sequence<(key: String, value: String)>,
        known: [String]
    ) throws(JSONValue.Malformed) {
        var values: [String: String] = [:]
        for (name, value) in parameters {
            let shown = String(name.prefix(64))
            guard known.contains(name) else {
                let problem = "parameter '\(shown)' is unknown\(didYouMean(name, among: known))"
                throw JSONValue.Malformed(line: 0, problem: problem)
            }
            guard values.updateValue(value, forKey: name) == nil else {
                let problem = "parameter '\(shown)' stands there twice"
                throw JSONValue.Malformed(line: 0, problem: problem)
            }
        }
        self.values = values
    }

    /// The value of a parameter; nil when it is not there.
    public subscript(name: String) -> String? { values[name] }

    /// Words with commas between them, each once, in their order; nil when there is no such parameter.
    public func words(_ name: String) -> [String]? {
        guard let text = values[name] else { return nil }
        var seen: Set<Substring> = []
        return text.split(separator: ",").filter { seen.insert($0).inserted }.map(String.init)
    }

    /// Numbers with commas between them, each once; nil when there is no such parameter.
    ///
    /// - Throws: `JSONValue.Malformed`, with a word that is no number.
    public func numbers(_ name: String) throws(JSONValue.Malformed) -> [UInt32]? {
        guard let words = words(name) else { return nil }
        var numbers: [UInt32] = []
        for word in words {
            guard let number = UInt32(word) else {
                let problem = "parameter '\(name)': '\(word.prefix(64))' is no number of a job"
                throw JSONValue.Malformed(line: 0, problem: problem)
            }
            numbers.append(number)
        }
        var seen: Set<UInt32> = []
        return numbers.filter { seen.insert($0).inserted }
    }

    /// A number of things; nil when there is no such parameter.
    ///
    /// - Throws: `JSONValue.Malformed` for anything but 1 to 1,000,000,000.
    func count(_ name: String) throws(JSONValue.Malformed) -> Int? {
        guard let text = values[name] else { return nil }
        guard let number = Int(text), (1...1_000_000_000).contains(number) else {
            let problem =
                "parameter '\(name)': '\(text.prefix(64))' is no number from 1 to 1000000000"
            throw JSONValue.Malformed(line: 0, problem: problem)
        }
        return number
    }

    /// The form that `percentDecode` reads, of names and values.
    public static func target(
        _ path: String,
        _ parameters: [(name: String, value: String)]
    ) -> String {
        guard !parameters.isEmpty else { return path }
        return path + "?"
            + parameters.map { $0.name + "=" + encoded($0.value) }.joined(separator: "&")
    }

    private static func encoded(_ text: String) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
                UInt8(ascii: "."), UInt8(ascii: "~"), UInt8(ascii: ","):
                bytes.append(byte)
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                bytes += Array(("%" + (digits.utf8.count < 2 ? "0" : "") + digits).utf8)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
