import WireFormats

/// What is done to a reservation.
public enum ReservationAction: String, Hashable, Sendable {
    /// It is made.
    case create
    /// It gets other terms.
    case update
    /// It ends.
    case delete
}

/// An operator makes, changes or ends a reservation, as the journal holds it.
struct ReservationInput: WireRecord {
    static let kind = "reservation"

    var action = ReservationAction.create
    var request = ReservationRequest()
    /// Who asked; nil in journals of earlier days.
    var by: UInt32?

    init() {}

    init(action: ReservationAction, request: ReservationRequest) {
        self.action = action
        self.request = request
    }

    mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        var name = action.rawValue
        try fields.required("action", &name)
        guard let known = ReservationAction(rawValue: name) else {
            throw JSONValue.Malformed(line: 0, problem: "action '\(name)' is unknown")
        }
        action = known
        try fields.required("request", &request)
        try fields("by", &by)
    }
}
