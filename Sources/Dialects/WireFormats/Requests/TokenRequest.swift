/// Asks for a token for the network: `POST /v1/token`.
public struct TokenRequest: WireRequest {
    /// For whom; nil for whoever asks. Only root, and whoever runs the daemon, get another's.
    public var user: String?
    /// How long it is to be good; nil for half an hour. Unit: s.
    public var lifespan: Int64?

    /// Asks for the caller's own.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields("user", &user)
        try fields("lifespan", &lifespan)
    }
}

/// A token, and where it is taken.
public struct TokenResponse: WireRecord {
    /// The JSON Web Token.
    public var token = ""
    /// Whose it is.
    public var user = ""
    /// Where the centre listens: `http://127.0.0.1:6820`.
    public var address = ""

    /// Makes an empty response.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("token", &token)
        try fields("user", &user)
        try fields("address", &address)
    }
}
