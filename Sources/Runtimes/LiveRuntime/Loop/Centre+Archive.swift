import ClusterModel
import Dispatch
import Logging
import Persistence
import SlurmDialect
import Synchronization
public import WireFormats

/// Who waits for a piece of archiving.
typealias ArchiveAnswer = @Sendable (Result<Void, PersistenceFailure>) -> Void

extension Centre {
    /// Puts what the last image holds of the journal into files, and packs records and entries; operators only. All
    /// that takes long is done beside the thread that writes, which takes pieces of a few milliseconds.
    ///
    /// - Throws: `RequestFailure`; what was archived until then is archived.
    public func archive(_ caller: Caller) async throws(RequestFailure) -> ArchiveOutcome {
        try require(.operate, caller)
        guard archives.exchange(true, ordering: .acquiringAndReleasing) == false else {
            let body = ErrorBody(code: "busy", text: "The centre is being archived already")
            throw RequestFailure(status: 409, body: body)
        }
        defer { archives.store(false, ordering: .releasing) }
        do {
            return try await archive()
        } catch let failure as PersistenceFailure {
            throw WriterLoop.failure(failure)
        } catch {
            throw RequestFailure(status: 500, body: ErrorBody(code: "error", text: "\(error)"))
        }
    }

    /// Reads what was archived once, beside everything else, and tells what of it was changed.
    func proveArchive() {
        let (reader, mailbox, logger) = (reader, mailbox, settings.logger)
        DispatchQueue.global(qos: .utility).async {
            let findings = try? reader.changedSegments { !mailbox.isClosed }
            for finding in findings ?? [] { logger.error("\(finding.advice)") }
        }
    }

    private func archive() async throws -> ArchiveOutcome {
        let (reader, folder) = (reader, settings.stateFolder)
        var archiving = try await Self.aside { () throws(PersistenceFailure) in
            try Archiving(reader, stateFolder: folder)
        }
        while true {
            let (step, next) = try await Self.aside { [archiving] () throws(PersistenceFailure) in
                var archiving = archiving
                return (try archiving.next(), archiving)
            }
            guard let step else { return archiving.outcome }
            archiving = next
            let result = await withCheckedContinuation { continuation in
                mailbox.post(.archive(step) { continuation.resume(returning: $0) })
            }
            try result.get()
        }
    }

    /// Does what reads, packs and writes files on a thread that nobody waits for.
    private static func aside<Answer: Sendable>(
        _ body: @escaping @Sendable () throws(PersistenceFailure) -> Answer
    ) async throws -> Answer {
        let result = await withCheckedContinuation { continuation in
            DispatchQueue.global(qos: .utility).async {
                continuation.resume(returning: Result(catching: body))
            }
        }
        return try result.get()
    }
}

extension WriterLoop {
    func archive(_ step: ArchiveStep, _ answer: ArchiveAnswer) {
        answer(Result { () throws(PersistenceFailure) in try store.take(step) })
    }
}
