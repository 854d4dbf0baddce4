import ArgumentParser
import LocalClient
import Persistence
import Quantities
import WireFormats

/// Makes a centre's past small.
struct ArchiveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "archive",
        abstract: "Pack the past of a centre, which may be open.",
        discussion: """
            Puts the inputs that the last image of the state holds into files of their own (the folder \
            'segments' of the state folder), packed and chained by hash as before, and packs records of \
            ended jobs and entries of the ledger where they are. Nothing is lost: 'xinghe audit', 'xinghe \
            bill' and sacct say the same as before, and a backup takes the files along. A kill in the middle \
            loses nothing; the next run goes on from there.

            A centre that is open is asked at its socket. With --state the centre must be closed; its \
            journal is then written anew once, without what it does not need any more.
            """
    )

    @OptionGroup var access: CentreAccess

    @Option(help: ArgumentHelp("The state folder of a centre that is closed.", valueName: "folder"))
    var state: String?

    func validate() throws {
        guard state == nil || access.socket == nil else {
            throw ValidationError(
                "--socket is for a centre that is open, --state for one that is closed"
            )
        }
    }

    func run() throws {
        let done: ArchiveOutcome
        if let state {
            // Not to be made by asking.
            _ = try CentreReader(stateFolder: state)
            let store = try CentreStore(folder: StateFolder(path: state), origin: .asFound)
            defer { store.close() }
            done = try store.archive()
        } else {
            done = try CentreAccess.ask { () throws(LocalClientFailure) in
                try access.client.post("/v1/archive", ArchiveOutcome(), as: ArchiveOutcome.self)
            }
        }
        guard done != ArchiveOutcome() else {
            return try StandardOutput.print("there is nothing to archive since the last image")
        }
        try StandardOutput.print(
            "archived  \(counted(done.inputs, "input")) in \(counted(done.files, "file")),"
                + " \(counted(done.records, "record")), \(done.entries) entries of the ledger"
        )
    }
}
