import Accounts
import IndexSets
import WireFormats

/// The qualities of service while a request changes them.
struct QOSDraft {
    /// Those that were deleted included: each keeps its place.
    private(set) var list: [QOS]

    init(list: [QOS]) {
        self.list = list
    }

    /// Makes, changes or removes one.
    ///
    /// - Returns: whether anything changed.
    mutating func apply(
        _ verb: PeopleEdit.Verb,
        _ name: String,
        _ settings: [NamedLimit]
    ) throws(PeopleEditProblem) -> Bool {
        var place = list.firstIndex { $0.name == name }
        let isThere = place.map { !list[$0].flags.contains(.deleted) } ?? false
        switch verb {
        case .add:
            // What is there already stays as it is, as in Slurm.
            guard !isThere, name != QOS.normal.name else { return false }
            guard PeopleDraft.isName(name) else {
                throw PeopleEditProblem(text: "'\(name)' is no name of a QOS")
            }
            var fresh = QOS(name: name)
            try Self.set(settings, in: &fresh)
            if let place { list[place] = fresh } else { list.append(fresh) }
            return true
        case .modify:
            // Of the QOS of jobs that name none nothing need be said before.
            if place == nil, name == QOS.normal.name {
                list.append(.normal)
                place = list.count - 1
            } else if !isThere {
                throw unknown(name)
            }
            guard let place else { throw unknown(name) }
            let before = list[place]
            try Self.set(settings, in: &list[place])
            return list[place] != before
        case .delete:
            guard name != QOS.normal.name else {
                throw PeopleEditProblem(text: "'\(name)' is the QOS of jobs that name none")
            }
            guard isThere, let place else { throw unknown(name) }
            list[place] = QOS(name: name)
            list[place].flags = .deleted
            return true
        }
    }

    private func unknown(_ name: String) -> PeopleEditProblem {
        let known = list.filter { !$0.flags.contains(.deleted) }.map(\.name)
        return PeopleEditProblem(
            text: "QOS '\(name)' is not there\(didYouMean(name, among: known))"
        )
    }

    /// Sets what `sacctmgr` can set of a QOS; −1 takes a limit away.
    private static func set(
        _ settings: [NamedLimit],
        in qos: inout QOS
    ) throws(PeopleEditProblem) {
        for setting in settings {
            func wrong(_ expected: String) -> PeopleEditProblem {
                PeopleEditProblem(text: "\(setting.name)=\(setting.value) is not \(expected)")
            }
            func count(_ range: ClosedRange<Int32>) throws(PeopleEditProblem) -> Int32 {
                guard let number = Int32(setting.value), range.contains(number) else {
                    throw wrong(
                        "a whole number from \(range.lowerBound) to \(range.upperBound)"
                    )
                }
                return number
            }
            switch setting.name.lowercased() {
            // A QOS has no description here.
            case "description", "desc", "descr": break
            case "priority": qos.priority = try count(0...1_000_000_000)
            case "flags": qos.flags = try flags(setting, qos.flags)
            case "preempt": qos.preempts = names(setting.value)
            case "preemptmode":
                let word = setting.value.lowercased()
                guard let mode = PreemptionRules.Mode(rawValue: word) else {
                    let modes = PreemptionRules.Mode.allCases.map(\.rawValue)
                    throw wrong("one of \(modes.joined(separator: ", "))")
                }
                qos.preemptMode = mode
            case "preemptexempttime", "preemptexempt":
                qos.preemptExemptSeconds = try count(0...31_536_000)
            case "gracetime": qos.graceSeconds = try count(0...31_536_000)
            case "usagefactor":
                guard let factor = Double(setting.value), (0...1_000).contains(factor) else {
                    throw wrong("a number from 0 to 1000")
                }
                qos.usageFactor = Int32((factor * 1_000).rounded())
            default: try setLimit(setting, in: &qos.limits)
            }
        }
    }

    private static func setLimit(
        _ setting: NamedLimit,
        in limits: inout Limits
    ) throws(PeopleEditProblem) {
        guard let name = LimitName(named: setting.name, ofQOS: true) else {
            let known =
                LimitName.all.filter(\.isOfQOS).map(\.name) + ["Priority", "Flags", "Preempt"]
            let hint = didYouMean(setting.name, among: known)
            throw PeopleEditProblem(text: "'\(setting.name)' is nothing to set of a QOS\(hint)")
        }
        do throws(MalformedLimit) {
            try limits.set(name, to: setting.value)
        } catch {
            throw PeopleEditProblem(
                text: "\(setting.name)=\(error.found) is not \(error.expected)"
            )
        }
    }

    /// `DenyOnLimit,NoDecay` in place of what was, `+NoDecay` beside it, `-NoDecay` without it; −1 is none.
    private static func flags(
        _ setting: NamedLimit,
        _ before: QOS.Flags
    ) throws(PeopleEditProblem) -> QOS.Flags {
        guard setting.value != "-1" else { return [] }
        var value = Substring(setting.value)
        let sign = value.first.flatMap { "+-".contains($0) ? $0 : nil }
        if sign != nil { value = value.dropFirst() }
        var named: QOS.Flags = []
        for word in value.split(separator: ",") {
            let known = QOS.Flags.names
            guard let flag = known.first(where: { $0.name.lowercased() == word.lowercased() })
            else {
                let hint = didYouMean(String(word), among: known.map(\.name))
                throw PeopleEditProblem(text: "'\(word)' is no flag of a QOS\(hint)")
            }
            named.insert(flag.flag)
        }
        switch sign {
        case "+": return before.union(named)
        case "-": return before.subtracting(named)
        default: return named
        }
    }

    private static func names(_ text: String) -> [String] {
        text == "-1" ? [] : text.split(separator: ",").map(String.init)
    }
}
