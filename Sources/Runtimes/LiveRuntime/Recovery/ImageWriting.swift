import Dispatch
import Logging
import Persistence
import Synchronization
import WireFormats

/// Writes images of a centre beside the thread that writes its journal, which hands over its state as a value
/// and goes on.
final class ImageWriting: Sendable {
    private struct Progress {
        /// The rows of the journal in the last image that was written, and what writing took.
        var length: Int64
        var cost = Duration.zero
        var end = ContinuousClock.now
        var isWriting = false
    }

    private let queue = DispatchQueue(label: "xinghe.images", qos: .utility)
    private let folder: ImageFolder
    private let program: String
    private let logger: Logger
    /// How many rows of the journal are to come between images.
    private let interval: Int64
    private let progress: Mutex<Progress>

    /// So many times what writing an image took passes before the next: it is not to be a part of what
    /// the centre does that anybody notices.
    private static let pause = 20

    /// - Parameter length: the rows of the journal in the image with which the centre was opened.
    init(_ settings: CentreSettings, length: Int64) {
        folder = ImageFolder(stateFolder: settings.stateFolder)
        program = settings.version
        logger = settings.logger
        interval = settings.imageInterval
        progress = Mutex(Progress(length: length))
    }

    /// How long it is until an image is due of a journal of so many rows; nil when more are to come first.
    func wait(_ journalLength: Int64) -> Duration? {
        progress.withLock { progress in
            guard journalLength >= progress.length + interval else { return nil }
            // Nobody says when it is written: it is asked again.
            if progress.isWriting { return .seconds(1) }
            let begin = progress.end + progress.cost * Self.pause
            return max(.zero, begin - ContinuousClock.now)
        }
    }

    /// Begins to write an image.
    ///
    /// - Parameter head: the hash of the journal's last row, in hexadecimal.
    func begin(_ state: CentreState, head: String) {
        progress.withLock { $0.isWriting = true }
        queue.async { self.write(state, head) }
    }

    /// Waits for the image that is being written; then writes that of the last state, if there is one, and
    /// the last image is older.
    func finish(_ state: CentreState?, head: String) {
        queue.sync {
            guard let state, progress.withLock({ $0.length }) < state.journalLength else { return }
            write(state, head)
        }
    }

    private func write(_ state: CentreState, _ head: String) {
        let begin = ContinuousClock.now
        var isWritten = false
        do {
            try folder.write(StoredImage(state, head: head, program: program))
            isWritten = true
        } catch {
            // The journal says it all; opening takes longer.
            logger.warning("no image of batch \(state.batch) was written: \(error)")
        }
        progress.withLock { progress in
            if isWritten { progress.length = state.journalLength }
            progress.end = ContinuousClock.now
            // What failed is tried again after a minute.
            progress.cost = max(progress.end - begin, isWritten ? .zero : .seconds(3))
            progress.isWriting = false
        }
    }
}
