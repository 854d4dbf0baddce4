import ArgumentParser
import Foundation
import Persistence

/// Copies a centre's books while it lives.
struct BackupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Copy the state of a centre, also while it is open.",
        discussion: """
            Copies journal, records and ledger as they are at one instant into a new folder, and checks \
            every row of the copy against its hash. A daemon that has the state folder open goes on. \
            Files of real jobs that run are not copied: their processes are here. 'xinghe audit --state \
            BACKUP' proves the copy, 'xinghe restore' makes a state folder of it.
            """
    )

    @Option(help: ArgumentHelp("The state folder of the centre.", valueName: "folder"))
    var state: String

    @Argument(help: "The folder to make.")
    var target: String

    func run() throws {
        let copy = try StoreCopy.make(of: state, to: target)
        try StandardOutput.print(copy.text(target))
    }
}

/// Makes a state folder of a backup.
struct RestoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Make a state folder of a backup.",
        discussion: """
            The centre goes on where the backup was made. What it acknowledged later is not in it: numbers \
            of jobs are given again, and payments of that time are to be booked again. Real jobs that ran \
            then are requeued, as after the loss of a node. Keep the folder that is replaced until 'xinghe \
            audit' and the accounts of customers agree.
            """
    )

    @Option(help: ArgumentHelp("The state folder to make.", valueName: "folder"))
    var state: String

    @Argument(help: "The backup.")
    var backup: String

    func run() throws {
        let copy = try StoreCopy.make(of: backup, to: state, isOpened: true)
        try StandardOutput.print(copy.text(state))
    }
}

extension StoreCopy {
    /// Copies a store; what there is of the copy when a signal ends the program is removed.
    fileprivate static func make(
        of source: String,
        to target: String,
        isOpened: Bool = false
    ) throws -> StoreCopy {
        let partial = partialFolder(of: target)
        let leftover = Leftover { try? FileManager.default.removeItem(atPath: partial) }
        defer { leftover.forget() }
        return try StoreCopy(of: source, to: target, isOpened: isOpened)
    }

    /// What it holds, for people.
    fileprivate func text(_ target: String) -> String {
        """
        \(target): \(end.length) inputs, \(size) bytes, each row matches its hash
        batch     \(end.batch)
        head      \(end.head)
        """
    }
}
