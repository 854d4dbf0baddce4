import Persistence

// What becomes of those who ask while nothing is written any more.

extension WriterLoop {
    /// Answers a letter that came when nothing was written any more.
    static func giveBack(_ letter: Centre.Letter, _ last: CentreSnapshot) {
        switch letter {
        case .act(_, let answer), .submit(_, let answer): answer(.failure(closing))
        case .advance(_, _, let answer): answer(.failure(closing))
        case .archive(_, let answer):
            let failure = PersistenceFailure(
                kind: .other,
                operation: "archive",
                message: "the centre is closed"
            )
            answer(.failure(failure))
        // Nothing has happened since.
        case .snapshot(let answer): answer(last)
        case .shutdown(let answer), .abandon(let answer): answer()
        case .exited, .heard, .signal, .signalStep: break
        }
    }
}
