import Accounts
import ClusterModel

/// An account of a site.
struct SiteAccount: Sendable {
    var name: String
    var title: String
    var parent: String?
    var terms = SiteTerms()
    var users: [SiteUser] = []
}

/// A user in an account.
struct SiteUser: Sendable {
    var name: String
    var isDefault: Bool
    var terms: SiteTerms
}

/// Shares, limits and QOS of an association.
struct SiteTerms: Sendable {
    var shares: Int?
    var limits: [(name: String, text: String)] = []
    var qos: [String]?
    var defaultQOS: String?
}

/// A QOS of a site.
struct SiteQOS: Sendable {
    var name: String
    var fields: [(name: String, text: String)]
}

// What sacctmgr knows: `sacctmgr dump` writes the tree of associations, `sacctmgr -P show qos` the QOS.
extension SlurmSite {
    /// Reads `Cluster - 'name':…`, `Parent - 'name'`, `Account - …` and `User - …`.
    mutating func readAssociations(_ text: String, file: String) {
        var parent = "root"
        var named: [(account: String, user: String, line: SlurmLine)] = []
        for (index, raw) in text.split(separator: "\n", omittingEmptySubsequences: false)
            .enumerated()
        {
            let line = SlurmLine(file: file, number: index + 1, pairs: [])
            let body = raw.prefix { $0 != "\r" }
            guard let first = body.first(where: { !$0.isWhitespace }), first != "#" else {
                continue
            }
            let parts = Self.fields(String(body))
            let words = parts[0].split(separator: " ", maxSplits: 2).map(String.init)
            guard words.count == 3, words[1] == "-" else {
                note(.refused, line, "not like Account - 'physics':Fairshare=1")
                continue
            }
            let options = parts.dropFirst().map { part in
                let sides = part.split(separator: "=", maxSplits: 1).map(String.init)
                return (key: sides.first ?? "", value: sides.count == 2 ? sides[1] : "")
            }
            switch words[0] {
            case "Cluster":
                cluster = words[2]
                note(.used, line, "the cluster \(words[2])")
            case "Parent":
                parent = words[2]
                note(.used, line, "what follows belongs to \(parent)")
            case "Account": readAccount(words[2], parent, options, line)
            case "User":
                readUser(words[2], parent, options, line)
                named += Self.coordinated(options).map { ($0, words[2], line) }
            default: note(.ignored, line, "\(words[0]): neither an account nor a user")
            }
        }
        // Accounts may come behind those who look after them.
        for (account, user, line) in named
        where !accounts.contains(where: { $0.name == account }) {
            note(.ignored, line, "\(user) as coordinator of account \(account), which is not there")
        }
    }

    /// The parts between colons; quotes go, and protect.
    private static func fields(_ text: String) -> [String] {
        var fields = [""]
        var isQuoted = false
        for character in text {
            if character == "'" {
                isQuoted.toggle()
            } else if character == ":", !isQuoted {
                fields.append("")
            } else {
                fields[fields.count - 1].append(character)
            }
        }
        return fields
    }

    private mutating func readAccount(
        _ name: String,
        _ parent: String,
        _ options: [(key: String, value: String)],
        _ line: SlurmLine
    ) {
        guard SiteNames.isName(name) else {
            return note(.refused, line, "'\(name)' is no name of an account")
        }
        guard !accounts.contains(where: { $0.name == name }) else {
            return note(.refused, line, "account \(name) is there already")
        }
        guard parent == "root" || accounts.contains(where: { $0.name == parent }) else {
            return note(.refused, line, "account \(parent) is not there")
        }
        var ignored: [String] = []
        let title = options.first { $0.key == "Description" }?.value ?? name
        accounts.append(
            SiteAccount(
                name: name,
                title: title.isEmpty ? name : title,
                parent: parent == "root" ? nil : parent,
                terms: Self.terms(options, &ignored)
            )
        )
        note(.used, line, "account \(name)" + Self.rest(ignored))
    }

    private mutating func readUser(
        _ name: String,
        _ parent: String,
        _ options: [(key: String, value: String)],
        _ line: SlurmLine
    ) {
        guard SiteNames.isName(name) else {
            return note(.refused, line, "'\(name)' is no name of a user")
        }
        let level = options.first { $0.key == "AdminLevel" }?.value ?? "None"
        guard let role = Role.named(adminLevel: level) else {
            return note(
                .refused,
                line,
                "AdminLevel='\(level)' is not one of \(Role.adminLevels.joined(separator: ", "))"
            )
        }
        if role != .user, name != "root", !(levels[role]?.contains(name) ?? false) {
            levels[role, default: []].append(name)
        }
        for account in Self.coordinated(options)
        where !(coordinators[account]?.contains(name) ?? false) {
            coordinators[account, default: []].append(name)
        }
        guard let place = accounts.firstIndex(where: { $0.name == parent }) else {
            guard parent == "root" else {
                return note(.refused, line, "account \(parent) is not there")
            }
            let hasRole =
                name != "root" && role != .user || options.contains { $0.key == "Coordinator" }
            return note(
                hasRole ? .used : .ignored,
                line,
                hasRole ? "the roles of \(name)" : "a user of root, who pays nothing"
            )
        }
        guard options.first(where: { $0.key == "Partition" })?.value.isEmpty ?? true else {
            return note(.ignored, line, "an association with one partition of user \(name)")
        }
        guard !accounts[place].users.contains(where: { $0.name == name }) else {
            return note(.ignored, line, "user \(name) is in account \(parent) already")
        }
        var ignored: [String] = []
        let isDefault = options.first { $0.key == "DefaultAccount" }?.value == parent
        accounts[place].users.append(
            SiteUser(name: name, isDefault: isDefault, terms: Self.terms(options, &ignored))
        )
        note(.used, line, "user \(name) of \(parent)" + Self.rest(ignored))
    }

    private static func coordinated(_ options: [(key: String, value: String)]) -> [String] {
        options.filter { $0.key == "Coordinator" }
            .flatMap { $0.value.split(separator: ",").map(String.init) }
    }

    private static func rest(_ ignored: [String]) -> String {
        ignored.isEmpty ? "" : "; ignored: \(ignored.joined(separator: ", "))"
    }

    private static func terms(
        _ options: [(key: String, value: String)],
        _ ignored: inout [String]
    ) -> SiteTerms {
        var terms = SiteTerms()
        for (key, value) in options {
            switch key {
            case "Description", "DefaultAccount", "AdminLevel", "Coordinator", "Partition": continue
            case "Fairshare", "Shares":
                let shares = value == "parent" ? nil : Int(value)
                if let shares,
                    (0...AssociationSettings.sharesMaximum).contains(Int32(clamping: shares))
                {
                    terms.shares = shares
                } else {
                    ignored.append("\(key)=\(value)")
                }
            case "QOS":
                let names = value.split(separator: ",").map { String($0.drop { $0 == "+" }) }
                terms.qos = names.isEmpty ? nil : names
            case "DefaultQOS": terms.defaultQOS = value.isEmpty ? nil : value
            default:
                if let limit = limit(key, value, ofQOS: false) {
                    terms.limits.append(limit)
                } else {
                    ignored.append(key)
                }
            }
        }
        return terms
    }

    /// A limit under the name that a machine file has; nil for what is none.
    private static func limit(
        _ key: String,
        _ value: String,
        ofQOS: Bool
    ) -> (name: String, text: String)? {
        guard let name = LimitName(named: key, ofQOS: ofQOS), !value.isEmpty else { return nil }
        var limits = Limits()
        do throws(MalformedLimit) {
            try limits.set(name, to: value)
        } catch {
            return nil
        }
        return limits.text(name).map { (name.name, $0) }
    }

    // MARK: QOS

    /// Reads a table with `|` between, its columns named by its first line.
    mutating func readQOS(_ text: String, file: String) {
        var header: [String] = []
        for (index, raw) in text.split(separator: "\n", omittingEmptySubsequences: false)
            .enumerated()
        {
            let line = SlurmLine(file: file, number: index + 1, pairs: [])
            guard raw.contains(where: { !$0.isWhitespace }) else { continue }
            let fields = raw.prefix { $0 != "\r" }
                .split(separator: "|", omittingEmptySubsequences: false).map(String.init)
            if header.isEmpty {
                header = fields
                let isTable = header.contains("Name")
                note(isTable ? .used : .refused, line, isTable ? "columns" : "no column Name")
                continue
            }
            guard fields.count == header.count else {
                note(.refused, line, "\(fields.count) fields, the first line has \(header.count)")
                continue
            }
            readQOS(Array(zip(header, fields)), line)
        }
    }

    private mutating func readQOS(_ row: [(String, String)], _ line: SlurmLine) {
        let name = row.first { $0.0 == "Name" }?.1 ?? ""
        guard SiteNames.isName(name), !qosEntries.contains(where: { $0.name == name }) else {
            return note(.refused, line, "'\(name)' is no name of a QOS, or there already")
        }
        var qos = SiteQOS(name: name, fields: [])
        var limits: [String] = []
        var ignored: [String] = []
        for (key, value) in row where !value.isEmpty && key != "Name" {
            switch key {
            case "Priority": qos.fields.append(("priority", value))
            case "Preempt":
                qos.fields.append(
                    ("preempts", SiteYAML.list(value.split(separator: ",").map(String.init)))
                )
            case "PreemptMode":
                let mode = value.lowercased()
                if PreemptionRules.Mode(rawValue: mode) != nil {
                    qos.fields.append(("preempt_mode", mode))
                } else {
                    ignored.append("\(key)=\(value)")
                }
            case "GraceTime", "PreemptExemptTime":
                if value != "00:00:00" {
                    let field = key == "GraceTime" ? "grace_time" : "exempt_time"
                    qos.fields.append((field, SiteYAML.quoted(value)))
                }
            case "UsageFactor":
                if let factor = SiteNames.thousandths(value) {
                    qos.fields.append(("usage_factor", factor))
                }
            case "Flags":
                let known = QOS.Flags.names.map(\.name)
                let words = value.split(separator: ",").map(String.init)
                let flags = words.filter { known.contains($0) }
                if !flags.isEmpty { qos.fields.append(("flags", SiteYAML.list(flags))) }
                ignored += words.filter { !known.contains($0) }
            default:
                if let limit = Self.limit(key, value, ofQOS: true) {
                    limits.append("\(limit.name): \(SiteYAML.quoted(limit.text))")
                } else {
                    ignored.append(key)
                }
            }
        }
        if !limits.isEmpty { qos.fields.append(("limits", "{\(limits.joined(separator: ", "))}")) }
        qosEntries.append(qos)
        note(.used, line, "QOS \(name)" + Self.rest(ignored))
    }
}
