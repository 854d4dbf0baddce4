import Dispatch
import Glibc
import JobExecution
import Logging
import Quantities
import WireFormats

/// The output files of emulated jobs: one line each, that says that nothing was run.
///
/// A file system may let a writer wait for ever, so the centre does not wait for the line, and one that
/// cannot be written is logged and no more.
final class EmulatedOutput {
    private let queue = DispatchQueue(label: "xinghe.emulated-output")
    private let logger: Logger

    init(logger: Logger) {
        self.logger = logger
    }

    /// Writes the line of a run that has ended, with the rights of who submitted it.
    func write(_ record: AccountingRecord, of entry: JobEntry, to path: String) {
        // What is written to a device is lost, as in real life.
        guard !path.hasPrefix("/dev/") else { return }
        let request = entry.specification.request
        let user =
            getuid() == 0 && request.userID != 0
            ? StepSpecification.User(
                id: request.userID,
                groupID: request.groupID,
                name: request.user
            ) : nil
        guard getuid() == 0 || request.userID == getuid() else { return }
        let line = Self.line(record)
        let appends = request.appendsOutput ?? false
        let mask = (request.fileModeMask ?? 0o022) & 0o777
        queue.async { [logger] in
            do throws(ExecutionFailure) {
                try UserFile.write(line, to: path, as: user, appends: appends, mask: mask)
            } catch {
                logger.notice("output of emulated job \(record.jobID): \(error)")
            }
        }
    }

    /// `xinghe: job 12 was emulated: 600 s on cn[0-3], FAILED 3:0; its script was not run`.
    private static func line(_ record: AccountingRecord) -> String {
        let seconds = record.elapsed.microseconds / 1_000_000
        return "xinghe: job \(record.jobID) was emulated: \(seconds) s on \(record.nodeList),"
            + " \(record.state) \(record.exitCode):\(record.exitSignal); its script was not run\n"
    }
}
