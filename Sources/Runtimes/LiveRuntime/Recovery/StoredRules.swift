import Catalog
import ClusterModel
import Persistence
import Scheduling
import WireFormats

// The machine and the policy of a state folder.
//
// The journal's first input holds both, with everything that was looked up when the centre was
// opened first, so a centre is the same on any computer and under any later version, and whoever
// reads its books needs no machine file. Journals of an earlier version do not hold it: they are opened
// with the machine that is given, if its fingerprint is theirs.

/// What a state folder says about its machine and policy.
struct StoredRules {
    private enum Source {
        /// Nothing has happened yet.
        case new
        case journalled(CentreRules)
        case earlierVersion(machine: String, policy: String, fingerprint: String)
    }

    private let source: Source
    private let folder: String

    /// Reads what the folder at `path` says.
    ///
    /// - Throws: `OpenFailure` when its journal is damaged or was written by a later version.
    init(_ reader: CentreReader, _ path: String) throws(OpenFailure) {
        folder = path
        do throws(PersistenceFailure) {
            if let row = try reader.firstInput(ofKind: MachineInput.kind) {
                source = .journalled(try Self.rules(of: row))
            } else if try reader.isJournalEmpty() {
                source = .new
            } else if let fingerprint = try reader.meta("fingerprint") {
                source = .earlierVersion(
                    machine: try reader.meta("machine") ?? "?",
                    policy: try reader.meta("policy") ?? SchedulingPolicy.easy.name,
                    fingerprint: fingerprint
                )
            } else {
                throw PersistenceFailure(
                    kind: .damaged,
                    operation: "read the journal",
                    message: "no input says which machine it belongs to"
                )
            }
        } catch {
            throw .store(error)
        }
    }

    /// Opens a folder for reading.
    ///
    /// - Parameter isFixed: whether all is read as it is now, whatever a daemon writes meanwhile.
    static func reader(
        _ path: String,
        isFixed: Bool = false
    ) throws(OpenFailure) -> CentreReader {
        do throws(PersistenceFailure) {
            return isFixed
                ? try CentreReader.atOneInstant(stateFolder: path)
                : try CentreReader(stateFolder: path)
        } catch {
            throw .store(error)
        }
    }

    private static func rules(of row: JournalRow) throws(PersistenceFailure) -> CentreRules {
        guard case .machine(let input) = try LiveInput(row), let record = input.record,
            let policy = try? SchedulingPolicy(named: input.policy)
        else {
            throw PersistenceFailure(
                kind: .damaged,
                operation: "read the journal",
                message: "row \(row.sequence) (\(row.kind)) names no machine and policy that this"
                    + " program knows"
            )
        }
        return CentreRules(machine: record.machine, policy: policy)
    }

    /// Whether the journal holds the machine.
    var isJournalled: Bool {
        if case .journalled = source { true } else { false }
    }

    /// The name of the machine that must be given; nil when the journal holds it.
    var nameOfMachineNeeded: String? {
        if case .earlierVersion(let machine, _, _) = source { machine } else { nil }
    }

    /// The rules for a daemon that was started with `settings`.
    ///
    /// - Throws: `OpenFailure` when it was asked for others than the folder has.
    func rules(for settings: CentreSettings) throws(OpenFailure) -> CentreRules {
        let asked = settings.rules
        switch source {
        case .new: return asked
        case .journalled(let rules):
            if settings.isMachineGiven { try check(asked.machine, against: rules) }
            if settings.isPolicyGiven, asked.policy.name != rules.policy.name {
                throw .otherPolicy(
                    folder: folder,
                    stored: rules.policy.name,
                    asked: asked.policy.name
                )
            }
            return rules
        case .earlierVersion:
            return try earlierRules(
                asked.machine,
                policy: settings.isPolicyGiven ? asked.policy : nil
            )
        }
    }

    /// The rules for a reader of the books.
    ///
    /// - Parameter machine: what the centre is said to be; nil for what the journal says.
    /// - Throws: `OpenFailure` when it is another, or is needed and nil.
    func rules(with machine: Machine?) throws(OpenFailure) -> CentreRules {
        switch source {
        case .new:
            throw .store(
                PersistenceFailure(
                    kind: .other,
                    operation: "read the books in \(folder)",
                    message: "its journal is empty; the centre has not been opened yet"
                )
            )
        case .journalled(let rules):
            if let machine { try check(machine, against: rules) }
            return rules
        case .earlierVersion:
            guard let machine else { throw .machineMissing(folder: folder) }
            return try earlierRules(machine, policy: nil)
        }
    }

    private func check(_ machine: Machine, against rules: CentreRules) throws(OpenFailure) {
        let differences = machine.differences(from: rules.machine)
        guard differences.isEmpty else {
            throw .otherMachine(
                folder: folder,
                machine: rules.machine.name,
                differences: differences
            )
        }
    }

    private func earlierRules(
        _ machine: Machine,
        policy asked: SchedulingPolicy?
    ) throws(OpenFailure) -> CentreRules {
        guard case .earlierVersion(let name, let policyName, let fingerprint) = source else {
            preconditionFailure("the journal holds its machine")
        }
        let policy = asked ?? (try? SchedulingPolicy(named: policyName)) ?? .easy
        let rules = CentreRules(machine: machine, policy: policy)
        guard fingerprint == rules.fingerprint else {
            throw .otherFingerprint(folder: folder, machine: name, policy: policyName)
        }
        return rules
    }
}

extension StoredCentre {
    /// The name of the machine that must be given to read the books in a state folder; nil when the
    /// folder holds its machine.
    ///
    /// - Throws: `OpenFailure` when the folder cannot be read.
    public static func nameOfMachineNeeded(
        byStateFolder path: String
    ) throws(OpenFailure) -> String? {
        try StoredRules(StoredRules.reader(path), path).nameOfMachineNeeded
    }
}
