public import Quantities

// What travels as JSON, as JSON schemas of OpenAPI 3.0: made of the same lists of members that read and write
// it, so that a description cannot drift from what is done.

extension WireValue {
    /// Any value: what says nothing more of itself.
    public static var schema: JSONValue { [:] }
}

extension Bool {
    /// `true` or `false`.
    public static var schema: JSONValue { ["type": "boolean"] }
}

extension String {
    /// A text.
    public static var schema: JSONValue { ["type": "string"] }
}

extension FixedWidthInteger where Self: WireValue {
    /// A whole number within the type's bounds.
    public static var schema: JSONValue {
        guard let least = Int64(exactly: Self.min), let most = Int64(exactly: Self.max),
            Self.bitWidth < 64
        else { return ["type": "integer", "format": "int64"] }
        return ["type": "integer", "minimum": .integer(least), "maximum": .integer(most)]
    }
}

extension SimInstant {
    /// Microseconds since 1970-01-01 UTC.
    public static var schema: JSONValue {
        ["type": "integer", "format": "int64", "description": "microseconds since 1970-01-01 UTC"]
    }
}

extension SimDuration {
    /// Microseconds.
    public static var schema: JSONValue {
        ["type": "integer", "format": "int64", "description": "microseconds"]
    }
}

extension ByteCount {
    /// Bytes.
    public static var schema: JSONValue {
        ["type": "integer", "format": "int64", "description": "bytes"]
    }
}

extension Optional where Wrapped: WireValue {
    /// The value, or null.
    public static var schema: JSONValue {
        .object((Wrapped.schema.members ?? []) + [.init("nullable", true)])
    }
}

extension Array where Element: WireValue {
    /// A list.
    public static var schema: JSONValue { ["type": "array", "items": Element.schema] }
}

extension WireRecord {
    /// An object with the record's members.
    public static var schema: JSONValue { objectSchema(isStrict: false) }

    static func objectSchema(isStrict: Bool) -> JSONValue {
        var record = Self()
        var fields = WireFields(describing: ())
        do throws(JSONValue.Malformed) {
            try record.exchange(&fields)
        } catch {
            preconditionFailure("describing a record cannot fail: \(error)")
        }
        var members: [JSONValue.Member] = [
            .init("type", "object"), .init("properties", .object(fields.described)),
        ]
        if !fields.requiredNames.isEmpty {
            members.append(.init("required", .array(fields.requiredNames.map { .string($0) })))
        }
        if isStrict { members.append(.init("additionalProperties", false)) }
        return .object(members)
    }
}

extension WireRequest {
    /// An object with the request's members, and no others.
    public static var schema: JSONValue { objectSchema(isStrict: true) }
}
