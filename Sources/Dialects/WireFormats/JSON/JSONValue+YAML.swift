extension JSONValue {
    /// The document as YAML 1.2, in blocks; words are quoted, so that none reads as a number or as `no`.
    ///
    /// Written here because the commands must start in a few milliseconds: the library that reads
    /// machines brings Foundation along.
    public var yamlText: String {
        var bytes = Array("---".utf8)
        appendBlock(to: &bytes, indent: 0)
        return String(decoding: bytes, as: UTF8.self)
    }

    private func appendBlock(to bytes: inout [UInt8], indent: Int, opensLine: Bool = true) {
        switch self {
        case .object(let members) where !members.isEmpty:
            for (index, member) in members.enumerated() {
                if opensLine || index > 0 { Self.appendLine(indent, to: &bytes) }
                Self.appendQuoted(member.name, to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                member.value.appendBlock(to: &bytes, indent: indent + 2)
            }
        case .array(let elements) where !elements.isEmpty:
            for element in elements {
                Self.appendLine(indent, to: &bytes)
                bytes.append(UInt8(ascii: "-"))
                // An object's first member stands beside the dash; a list in a list begins a line.
                if case .object(let members) = element, !members.isEmpty {
                    bytes.append(UInt8(ascii: " "))
                    element.appendBlock(to: &bytes, indent: indent + 2, opensLine: false)
                } else {
                    element.appendBlock(to: &bytes, indent: indent + 2)
                }
            }
        default:
            bytes.append(UInt8(ascii: " "))
            bytes += compactBytes
        }
    }

    private static func appendLine(_ indent: Int, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\n"))
        bytes += repeatElement(UInt8(ascii: " "), count: indent)
    }
}
