internal import Glibc

/// Threads of one rank that do the parts of a loop together, each on its own core.
///
/// The caller is thread 0; the others sleep between loops. A kernel's parts must not overlap, and
/// only thread 0 may call MPI.
///
/// SAFETY: all members but `body` are written before the threads start or under `mutex`. `body` is
/// set before `generation` says so and read after; `run` waits for all threads, so it never outlives
/// its caller.
final class ThreadTeam: @unchecked Sendable {
    /// Threads, the caller included.
    let count: Int

    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let wake: UnsafeMutablePointer<pthread_cond_t>
    private let done: UnsafeMutablePointer<pthread_cond_t>
    private var generation = 0
    private var working = 0
    private var isEnding = false
    private var body: (Int) -> Void = { _ in }
    private var threads: [pthread_t] = []

    /// Starts `count - 1` threads.
    init(count: Int) {
        precondition(count >= 1)
        self.count = count
        mutex = .allocate(capacity: 1)
        wake = .allocate(capacity: 1)
        done = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(wake, nil)
        pthread_cond_init(done, nil)
        for index in 1..<max(count, 1) {
            let place = Unmanaged.passRetained(Place(team: self, index: index))
            var thread = pthread_t()
            let code = pthread_create(
                &thread,
                nil,
                { raw in
                    guard let raw else { return nil }
                    let place = Unmanaged<Place>.fromOpaque(raw).takeRetainedValue()
                    place.team.work(as: place.index)
                    return nil
                },
                place.toOpaque()
            )
            precondition(code == 0, "pthread_create: \(String(cString: strerror(code)))")
            threads.append(thread)
        }
    }

    /// Ends the threads. A team that is not ended keeps them, and itself.
    func end() {
        pthread_mutex_lock(mutex)
        isEnding = true
        pthread_cond_broadcast(wake)
        pthread_mutex_unlock(mutex)
        for thread in threads { pthread_join(thread, nil) }
        threads = []
    }

    deinit {
        pthread_cond_destroy(done)
        pthread_cond_destroy(wake)
        pthread_mutex_destroy(mutex)
        done.deallocate()
        wake.deallocate()
        mutex.deallocate()
    }

    /// Calls `body` with 0..<`count`, each on its thread; returns when all have.
    func run(_ body: (Int) -> Void) {
        guard count > 1 else { return body(0) }
        withoutActuallyEscaping(body) { body in
            pthread_mutex_lock(mutex)
            self.body = body
            working = count - 1
            generation += 1
            pthread_cond_broadcast(wake)
            pthread_mutex_unlock(mutex)
            body(0)
            pthread_mutex_lock(mutex)
            while working > 0 { pthread_cond_wait(done, mutex) }
            self.body = { _ in }
            pthread_mutex_unlock(mutex)
        }
    }

    /// Calls `body` with the part of `0..<extent` of each thread; parts but the last are whole
    /// multiples of `step`.
    func split(_ extent: Int, step: Int = 1, _ body: (Range<Int>) -> Void) {
        split(extent, step: step) { _, part in body(part) }
    }

    /// The same for a body that asks which thread it is on, 0..<`count`.
    func split(_ extent: Int, step: Int = 1, _ body: (Int, Range<Int>) -> Void) {
        let steps = (extent + step - 1) / step
        run { index in
            let part = share(of: steps, part: index, parts: count)
            // A part without steps may lie beyond the last one, which need not be whole.
            let end = min(extent, part.upperBound * step)
            body(index, min(part.lowerBound * step, end)..<end)
        }
    }

    private func work(as index: Int) {
        var seen = 0
        while true {
            pthread_mutex_lock(mutex)
            while generation == seen && !isEnding { pthread_cond_wait(wake, mutex) }
            if isEnding {
                pthread_mutex_unlock(mutex)
                return
            }
            seen = generation
            pthread_mutex_unlock(mutex)
            callBody(index)
            pthread_mutex_lock(mutex)
            working -= 1
            if working == 0 { pthread_cond_signal(done) }
            pthread_mutex_unlock(mutex)
        }
    }

    /// Calls what `run` was given. Never inlined: this thread's hold on the closure must end before it
    /// says that it is done, or `run` finds its closure still held and traps.
    @inline(never)
    private func callBody(_ index: Int) {
        body(index)
    }

    private final class Place {
        let team: ThreadTeam
        let index: Int

        init(team: ThreadTeam, index: Int) {
            self.team = team
            self.index = index
        }
    }
}
