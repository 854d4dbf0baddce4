internal import Glibc
internal import Synchronization

/// Gauss–Seidel over the lines of a block by several threads, with the very result of one.
///
/// Threads take planes in turn. A line may start when the plane before is two lines further, so each row
/// finds new values where one thread would have left new ones, and old ones elsewhere.
final class LinePipeline {
    private let team: ThreadTeam
    private let lines: Int
    private let planes: Int
    /// Lines that are done in each plane.
    private let done: UnsafeMutablePointer<Atomic<Int>>

    /// For blocks of `planes` planes of `lines` lines.
    init(_ team: ThreadTeam, lines: Int, planes: Int) {
        self.team = team
        self.lines = lines
        self.planes = planes
        done = .allocate(capacity: planes)
        for plane in 0..<planes { (done + plane).initialize(to: Atomic(0)) }
    }

    deinit {
        done.deinitialize(count: planes)
        done.deallocate()
    }

    /// Calls `body` with runs of lines, `(z · lines + y)`, first to last; backwards with the same runs,
    /// last to first, each to be swept backwards.
    func sweep(backwards: Bool = false, _ body: (Range<Int>) -> Void) {
        guard team.count > 1 else { return body(0..<(lines * planes)) }
        for plane in 0..<planes { done[plane].store(0, ordering: .relaxed) }
        team.run { thread in
            for step in stride(from: thread, to: planes, by: team.count) {
                let plane = backwards ? planes - 1 - step : step
                for turn in 0..<lines {
                    if step > 0 {
                        wait(backwards ? plane + 1 : plane - 1, min(turn + 2, lines))
                    }
                    let line = plane * lines + (backwards ? lines - 1 - turn : turn)
                    body(line..<(line + 1))
                    done[plane].store(turn + 1, ordering: .releasing)
                }
            }
        }
    }

    /// Returns when `count` lines of `plane` are done. Threads may be more than cores, so a core is given
    /// away soon.
    private func wait(_ plane: Int, _ count: Int) {
        var tries = 0
        while done[plane].load(ordering: .acquiring) < count {
            tries += 1
            if tries > 200 { sched_yield() }
        }
    }
}
