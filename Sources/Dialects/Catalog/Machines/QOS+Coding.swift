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
        var words: [String]? = Flags.names.filter { flags.contains($0.flag) }.map(\.name)
        try fields("flags", &words)
        flags = []
        for word in words ?? [] {
            guard let flag = Flags.names.first(where: { $0.name == word })?.flag else {
                throw JSONValue.Malformed(line: 0, problem: "'\(word)' is no flag of a QOS")
            }
            flags.insert(flag)
        }
        try fields("preempts", &preempts)
        try fields.choice("preempt_mode", &preemptMode)
        try fields("preempt_exempt_s", &preemptExemptSeconds)
        try fields("grace_s", &graceSeconds)
        try fields("usage_factor_permille", &usageFactor)
    }
}
