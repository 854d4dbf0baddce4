import ArgumentParser
import WireFormats

/// One command for everything that is not Slurm's.
@main
struct Xinghe: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "xinghe",
        abstract: "Emulator of a Tianhe-class supercomputing centre.",
        version: Version.text,
        subcommands: [
            AccountCommand.self,
            AdvanceCommand.self,
            AuditCommand.self,
            BillCommand.self,
            CalibrateCommand.self,
            CompareCommand.self,
            DownCommand.self,
            ForecastCommand.self,
            IngestCommand.self,
            LedgerCommand.self,
            MachinesCommand.self,
            PoliciesCommand.self,
            PredictCommand.self,
            QuoteCommand.self,
            ReplayCommand.self,
            StatusCommand.self,
            SubsidyCommand.self,
            TopologyCommand.self,
            UpCommand.self,
        ]
    )
}
