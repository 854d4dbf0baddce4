import ArgumentParser
import Catalog
import ClusterModel
import LiveRuntime

/// The books of a centre as they stand in its state folder; no daemon is needed.
struct StoredBook: ParsableArguments {
    @Option(help: ArgumentHelp("The state folder of the centre.", valueName: "folder"))
    var state: String

    @Option(
        help: """
            A machine that the folder must belong to. Only folders of an earlier version need it: they do \
            not hold their machine.
            """
    )
    var machine: String?

    /// Computes the books from the journal.
    func centre() throws -> StoredCentre { try Self.centre(state: state, machine: machine) }

    /// The machine named, or that an old folder needs; nil for the one that the folder holds.
    func givenMachine() throws -> Machine? {
        try Self.givenMachine(state: state, machine: machine)
    }

    /// Computes the books of a state folder from its journal.
    static func centre(state: String, machine: String? = nil) throws -> StoredCentre {
        try StoredCentre(
            stateFolder: state,
            machine: givenMachine(state: state, machine: machine)
        )
    }

    private static func givenMachine(state: String, machine: String?) throws -> Machine? {
        if let machine { return try MachineChoice.machine(machine) }
        let needed = try StoredCentre.nameOfMachineNeeded(byStateFolder: state)
        do {
            return try needed.map { try MachineChoice.machine($0) }
        } catch let error as CatalogError {
            throw Refusal(
                "state folder \(state), of an earlier version, does not hold its machine '\(needed ?? "")':"
                    + " \(error); give its file with --machine"
            )
        }
    }
}
