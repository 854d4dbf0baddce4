import NIOCore
import WireFormats

/// Events to whoever listens, as server-sent events. One look at the centre serves all listeners, and
/// nobody looks while none listens.
actor EventFeed {
    /// The most that is kept for who comes back, and for a listener who is slow.
    private static let keptCount = 8_192
    private static let pause = Duration.milliseconds(250)
    /// A line that says nothing, so that a dead connection is noticed.
    private static let silence = Duration.seconds(15)

    private struct Listener {
        let peer: Peer
        let continuation: AsyncStream<ByteBuffer>.Continuation
    }

    private let centre: any CentreService
    /// The last events, and the number of the first of them.
    private var kept: [(event: CentreEvent, line: ByteBuffer)] = []
    private var firstNumber = 1
    private var listeners: [Int: Listener] = [:]
    private var nextListener = 0
    private var watch: Task<Void, Never>?

    init(_ centre: any CentreService) {
        self.centre = centre
    }

    /// Events that the peer may see, from now on; from the one after `last` on, where that is still kept. Who asks for more
    /// than that, or does not read, gets `event: reset` and had better read all anew.
    func listen(_ peer: Peer, after last: Int?) -> AsyncStream<ByteBuffer> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: ByteBuffer.self,
            bufferingPolicy: .bufferingOldest(Self.keptCount)
        )
        nextListener += 1
        let id = nextListener
        listeners[id] = Listener(peer: peer, continuation: continuation)
        continuation.onTermination = { [weak self] _ in
            Task { await self?.leave(id) }
        }
        let next = firstNumber + kept.count
        // Numbers that clients send may be any.
        if let last, last >= next || last < max(firstNumber - 1, next - 1 - Self.keptCount) {
            continuation.yield(Self.reset)
        } else if let last {
            for (event, line) in kept[(last + 1 - firstNumber)...] where centre.sees(event, peer) {
                continuation.yield(line)
            }
        } else {
            continuation.yield(ByteBuffer(string: ": listening\n\n"))
        }
        if watch == nil { watch = Task { await look() } }
        return stream
    }

    private static let reset = ByteBuffer(string: "event: reset\ndata: {}\n\n")

    private func leave(_ id: Int) {
        listeners[id] = nil
        guard listeners.isEmpty else { return }
        watch?.cancel()
        watch = nil
        // Nobody looks any more, so what was kept ends here.
        firstNumber += kept.count + 1
        kept = []
    }

    private func look() async {
        let glance = centre.glance()
        _ = await glance()
        var quiet = Duration.zero
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.pause)
            let events = await glance()
            guard !Task.isCancelled else { return }
            quiet = events.isEmpty ? quiet + Self.pause : .zero
            for event in events { tell(event) }
            if quiet >= Self.silence {
                quiet = .zero
                send(ByteBuffer(string: ": quiet\n\n"), of: nil)
            }
        }
    }

    private func tell(_ event: CentreEvent) {
        let number = firstNumber + kept.count
        let data = event.compactText
        let line = ByteBuffer(string: "id: \(number)\nevent: \(event.kind)\ndata: \(data)\n\n")
        kept.append((event, line))
        if kept.count >= 2 * Self.keptCount {
            kept.removeFirst(Self.keptCount)
            firstNumber += Self.keptCount
        }
        send(line, of: event)
    }

    private func send(_ line: ByteBuffer, of event: CentreEvent?) {
        for (id, listener) in listeners where event.map({ centre.sees($0, listener.peer) }) ?? true
        {
            if case .dropped = listener.continuation.yield(line) {
                listener.continuation.finish()
                listeners[id] = nil
            }
        }
    }
}
