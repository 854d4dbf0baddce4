import Accounts
import ClusterModel
import WireFormats

// Shares, limits and QOS as JSON. Limits are an array of `NAME=VALUE`, as `sacctmgr` writes them.

extension WireFields {
    /// Shares and limits of an association.
    mutating func settings(_ settings: inout AssociationSettings) throws(JSONValue.Malformed) {
        try self("shares", &settings.shares)
        guard (0...AssociationSettings.sharesMaximum).contains(settings.shares) else {
            throw JSONValue.Malformed(line: 0, problem: "'shares' is out of range")
        }
        try limits(&settings.limits, ofQOS: false)
    }

    /// The member `limits`.
    mutating func limits(
        _ limits: inout Limits,
        ofQOS: Bool
    ) throws(JSONValue.Malformed) {
        var texts: [String]? =
            limits.isEmpty ? nil : limits.texts(ofQOS: ofQOS).map { "\($0.name)=\($0.text)" }
        try self("limits", &texts)
        var read = Limits()
        for text in texts ?? [] {
            let sides = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard sides.count == 2,
                let name = LimitName(named: String(sides[0]), ofQOS: ofQOS),
                (try? read.set(name, to: String(sides[1]))) != nil
            else { throw JSONValue.Malformed(line: 0, problem: "'\(text)' is no limit") }
        }
        limits = read
    }
}

extension PreemptionRules.Mode {
    /// Reads a mode; nil is that of the centre. Earlier versions had more that did nothing.
    init(read name: String?) throws(JSONValue.Malformed) {
        switch name {
        case nil, "gang": self = .cluster
        case .some(let name):
            guard let mode = Self(rawValue: name) else {
                throw JSONValue.Malformed(line: 0, problem: "'\(name)' is no mode of preemption")
            }
            self = mode
        }
    }
}

extension PreemptionRules: CodedPart {
    static var blank: Self { Self() }

    mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        var by = basis?.rawValue
        try fields("by", &by)
        basis = by.flatMap(Basis.init(rawValue:))
        var word: String? = mode.rawValue
        try fields("mode", &word)
        mode = try Mode(read: word)
        if mode == .cluster { mode = .requeue }
        try fields("exempt_s", &exemptSeconds)
    }
}

extension LicensePool: CodedPart {
    static var blank: Self { Self(name: "", count: 1) }

    mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("name", &name)
        try fields.required("count", &count)
    }
}

extension QOS: CodedPart {
    static var blank: Self { Self(name: "") }

    mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("name", &name)
        try fields("priority", &priority)
        try fields.limits(&limits, ofQOS: true)
        // A centre has deleted ones, a machine's file has not.
        let names = Flags.names + [("Deleted", .deleted)]
        var words: [String]? = names.filter { flags.contains($0.flag) }.map(\.name)
        try fields("flags", &words)
        flags = []
        for word in words ?? [] {
            guard let flag = names.first(where: { $0.name == word })?.flag else {
                throw JSONValue.Malformed(line: 0, problem: "'\(word)' is no flag of a QOS")
            }
            flags.insert(flag)
        }
        try fields("preempts", &preempts)
        var mode: String? = preemptMode.rawValue
        try fields("preempt_mode", &mode)
        preemptMode = try PreemptionRules.Mode(read: mode)
        try fields("preempt_exempt_s", &preemptExemptSeconds)
        try fields("grace_s", &graceSeconds)
        try fields("usage_factor_permille", &usageFactor)
    }
}
