import Glibc

/// Gives what comes in to several tasks, each of which gets all of it.
///
/// A task that reads slowly, or not at all, keeps nobody else waiting: what it has not read is kept.
struct InputSpreader {
    private var waiting: [(pipe: Int32, bytes: ArraySlice<UInt8>)]
    private var hasInput = true

    /// Spreads standard input over the pipes of tasks, and closes them at its end.
    init(_ pipes: [Int32]) {
        waiting = pipes.map { ($0, []) }
        // A task that has gone is no reason to end.
        if !pipes.isEmpty { signal(SIGPIPE, SIG_IGN) }
        for pipe in pipes { _ = fcntl(pipe, F_SETFL, O_NONBLOCK) }
    }

    /// Whether nobody reads any more, or all have read all of it.
    var isDone: Bool { waiting.isEmpty }

    /// What to wait for.
    var polls: [pollfd] {
        guard !isDone else { return [] }
        let input = pollfd(fd: hasInput ? 0 : -1, events: Int16(POLLIN), revents: 0)
        return [input]
            + waiting.map { entry in
                let events = entry.bytes.isEmpty ? 0 : POLLOUT
                return pollfd(fd: entry.pipe, events: Int16(events), revents: 0)
            }
    }

    /// Moves on what can be moved.
    ///
    /// - Parameter polls: those of `polls`, answered.
    mutating func serve(_ polls: [pollfd]) {
        guard polls.count == waiting.count + 1 else { return }
        if polls[0].revents != 0 {
            let piece = [UInt8](unsafeUninitializedCapacity: 1 << 14) { buffer, filled in
                filled = max(0, read(0, buffer.baseAddress, buffer.count))
            }
            hasInput = !piece.isEmpty
            for index in waiting.indices { waiting[index].bytes += piece }
        }
        for index in waiting.indices.reversed() where polls[index + 1].revents != 0 {
            let count = waiting[index].bytes.withUnsafeBytes {
                write(waiting[index].pipe, $0.baseAddress, $0.count)
            }
            if count > 0 {
                waiting[index].bytes = waiting[index].bytes.dropFirst(count)
            } else if polls[index + 1].revents & Int16(POLLERR) != 0 {
                close(waiting.remove(at: index).pipe)
            }
        }
        guard !hasInput else { return }
        for index in waiting.indices.reversed() where waiting[index].bytes.isEmpty {
            close(waiting.remove(at: index).pipe)
        }
    }

    /// Lets go of all that still wait.
    mutating func close() {
        waiting.forEach { Glibc.close($0.pipe) }
        waiting = []
    }

    private func close(_ pipe: Int32) { Glibc.close(pipe) }
}
