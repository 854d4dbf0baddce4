import ArgumentParser
import Billing
import ClusterModel
import LiveRuntime
import Persistence

/// The books of a centre as they stand in its state folder; no daemon is needed.
struct StoredBook: ParsableArguments {
    @Option(help: ArgumentHelp("The state folder of the centre.", valueName: "folder"))
    var state: String

    @Option(help: "The machine; by default the one that the folder belongs to.")
    var machine: String?

    /// Computes the books from the journal.
    func centre() throws -> StoredCentre { try Self.centre(state: state, machine: machine) }

    /// The machine that the folder belongs to, unless another is named.
    func namedMachine() throws -> Machine { try Self.machine(state: state, machine: machine) }

    /// Computes the books of a state folder from its journal.
    static func centre(state: String, machine: String? = nil) throws -> StoredCentre {
        try StoredCentre(stateFolder: state, machine: Self.machine(state: state, machine: machine))
    }

    private static func machine(state: String, machine: String?) throws -> Machine {
        guard
            let name = try machine ?? CentreReader(stateFolder: state).meta("machine")
        else {
            throw Refusal("\(state): does not say which machine it belongs to; give --machine")
        }
        return try MachineChoice.machine(name)
    }
}
