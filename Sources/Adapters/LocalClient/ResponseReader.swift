/// An HTTP response.
struct Response: Hashable {
    /// The status, such as 200.
    var status = 0
    /// The body, whole.
    var body: [UInt8] = []
}

/// Reads one HTTP/1.1 response from a stream of bytes: a body with `Content-Length`, in chunks, or up
/// to the end of the connection.
struct ResponseReader {
    /// The answers of a centre are far smaller; more is taken for a broken one.
    static let maximumByteCount = 1 << 30

    private let socketPath: String
    private var buffer: [UInt8] = []
    private var position = 0

    /// Makes a reader; the path is for messages only.
    init(socketPath: String) {
        self.socketPath = socketPath
    }

    /// Reads a response. `more` gives the next bytes, and none at the end.
    ///
    /// - Throws: what `more` throws, and `.malformedAnswer` or `.hungUp`.
    mutating func read(
        more: () throws(LocalClientFailure) -> [UInt8]
    ) throws(LocalClientFailure) -> Response {
        var response = Response()
        repeat {
            response.status = try statusCode(of: line(more: more))
            var length: Int?
            var isChunked = false
            while true {
                let header = try line(more: more)
                if header.isEmpty { break }
                guard let colon = header.firstIndex(of: ":") else {
                    throw .malformedAnswer("a header without a colon")
                }
                let name = header[..<colon].lowercased()
                let value = header[header.index(after: colon)...].drop { $0 == " " }
                if name == "content-length" {
                    guard let count = Int(value), (0...Self.maximumByteCount).contains(count)
                    else { throw .malformedAnswer("content-length '\(value)'") }
                    length = count
                } else if name == "transfer-encoding" {
                    isChunked = value.lowercased().hasSuffix("chunked")
                }
            }
            if (100..<200).contains(response.status) || response.status == 204 {
                continue
            } else if isChunked {
                response.body = try chunks(more: more)
            } else if let length {
                response.body = try bytes(length, more: more)
            } else {
                response.body = try rest(more: more)
            }
        } while (100..<200).contains(response.status)
        return response
    }

    private func statusCode(of line: String) throws(LocalClientFailure) -> Int {
        let parts = line.split(separator: " ", maxSplits: 2)
        guard parts.count >= 2, parts[0].hasPrefix("HTTP/1."), let status = Int(parts[1]) else {
            throw .malformedAnswer("no HTTP status line")
        }
        return status
    }

    private mutating func chunks(
        more: () throws(LocalClientFailure) -> [UInt8]
    ) throws(LocalClientFailure) -> [UInt8] {
        var body: [UInt8] = []
        while true {
            let header = try line(more: more)
            let digits = header.prefix { $0 != ";" && $0 != " " }
            guard let count = Int(digits, radix: 16), count >= 0,
                body.count + count <= Self.maximumByteCount
            else { throw .malformedAnswer("a chunk of size '\(header)'") }
            if count == 0 { break }
            body += try bytes(count, more: more)
            guard try line(more: more).isEmpty else {
                throw .malformedAnswer("a chunk longer than its size")
            }
        }
        while try !line(more: more).isEmpty {}
        return body
    }

    private mutating func bytes(
        _ count: Int,
        more: () throws(LocalClientFailure) -> [UInt8]
    ) throws(LocalClientFailure) -> [UInt8] {
        while buffer.count - position < count { try refill(more: more) }
        defer { position += count }
        return Array(buffer[position..<position + count])
    }

    private mutating func rest(
        more: () throws(LocalClientFailure) -> [UInt8]
    ) throws(LocalClientFailure) -> [UInt8] {
        var body = Array(buffer[position...])
        while true {
            let next = try more()
            if next.isEmpty { return body }
            body += next
            guard body.count <= Self.maximumByteCount else {
                throw .malformedAnswer("more than \(Self.maximumByteCount) bytes")
            }
        }
    }

    private mutating func line(
        more: () throws(LocalClientFailure) -> [UInt8]
    ) throws(LocalClientFailure) -> String {
        var searched = position
        while true {
            if let end = buffer[searched...].firstIndex(of: 0x0A) {
                defer { position = end + 1 }
                let line = buffer[position..<end]
                let text = line.last == 0x0D ? line.dropLast() : line
                return String(decoding: text, as: UTF8.self)
            }
            guard buffer.count - position < 1 << 16 else {
                throw .malformedAnswer("a header line longer than 64 KiB")
            }
            searched = buffer.count
            try refill(more: more)
        }
    }

    private mutating func refill(
        more: () throws(LocalClientFailure) -> [UInt8]
    ) throws(LocalClientFailure) {
        let next = try more()
        guard !next.isEmpty else { throw .hungUp(path: socketPath) }
        buffer += next
    }
}
