import Foundation
import Glibc
import Synchronization

/// The end of the pipe that the handler of signals writes to; -1 before the first `Leftover`.
private let wakeDescriptor = Atomic<Int32>(-1)

/// What the program must clear away when SIGHUP, SIGINT or SIGTERM ends it: an unfinished file, a
/// daemon that would live on.
///
/// A handler of signals may call next to nothing, so it only wakes a thread, which clears away and
/// then lets the signal end the program. Programs that are started inherit none of this.
final class Leftover: Sendable {
    private static let all = Mutex<[(id: ObjectIdentifier, remove: @Sendable () -> Void)]>([])
    private static let signals = [SIGHUP, SIGINT, SIGTERM]

    /// Lets `remove` be called when the program is ended by a signal, until `forget()`.
    init(_ remove: @escaping @Sendable () -> Void) {
        Self.all.withLock { all in
            if wakeDescriptor.load(ordering: .sequentiallyConsistent) < 0 { Self.watch() }
            all.append((ObjectIdentifier(self), remove))
        }
    }

    /// There is nothing to clear away any more. Waits while that is being done.
    func forget() {
        Self.all.withLock { all in all.removeAll { $0.id == ObjectIdentifier(self) } }
    }

    private static func watch() {
        var ends: [Int32] = [-1, -1]
        // Without descriptors signals do what they always do.
        guard pipe(&ends) == 0 else { return }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        wakeDescriptor.store(ends[1], ordering: .sequentiallyConsistent)
        let wakeUp = ends[0]
        Thread.detachNewThread {
            // Who starts programs from a thread that blocks signals hands that on.
            var handled = sigset_t()
            sigemptyset(&handled)
            for number in signals { sigaddset(&handled, number) }
            pthread_sigmask(SIG_UNBLOCK, &handled, nil)
            var number: UInt8 = 0
            while read(wakeUp, &number, 1) != 1 {}
            // Nobody adds or forgets anything from here on.
            all.withLock { all in
                for leftover in all.reversed() { leftover.remove() }
                signal(Int32(number), SIG_DFL)
                kill(getpid(), Int32(number))
                while true { pause() }
            }
        }
        for number in signals {
            // What is ignored from the start, as by nohup, stays ignored.
            guard !isIgnored(signal(number, SIG_IGN)) else { continue }
            signal(number) { number in
                let before = errno
                var byte = UInt8(truncatingIfNeeded: number)
                _ = write(wakeDescriptor.load(ordering: .sequentiallyConsistent), &byte, 1)
                errno = before
            }
        }
    }

    private static func isIgnored(_ handler: sighandler_t?) -> Bool {
        // SAFETY: both are addresses of functions, of one size, and only compared; nothing is called.
        unsafeBitCast(handler, to: Int.self) == unsafeBitCast(Optional(SIG_IGN), to: Int.self)
    }
}
