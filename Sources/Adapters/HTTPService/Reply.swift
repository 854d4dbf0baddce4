import HTTPTypes
import Hummingbird
import NIOCore
import WireFormats

/// What is sent back: one buffer, however many it is sent to.
struct Reply: Hashable, Sendable {
    private var buffer: ByteBuffer
    private var type: String

    init(_ record: some WireRecord) {
        self.init(bytes: record.compactBytes, type: "application/json")
    }

    /// An answer of Slurm's REST.
    init(_ json: JSONValue, isYAML: Bool = false) {
        self.init(
            bytes: isYAML ? Array(json.yamlText.utf8) : json.compactBytes,
            type: isYAML ? "application/yaml" : "application/json"
        )
    }

    /// A script in an encoding that nobody told goes out as the bytes that it is.
    init(script: [UInt8]) {
        let isText = String(validating: script, as: UTF8.self) != nil
        self.init(
            bytes: script,
            type: isText ? "text/plain; charset=utf-8" : "application/octet-stream"
        )
    }

    init(text: String, type: String = "text/plain; charset=utf-8") {
        self.init(bytes: Array(text.utf8), type: type)
    }

    init(bytes: [UInt8], type: String) {
        buffer = ByteBuffer(bytes: bytes)
        self.type = type
    }

    func response(_ status: Int) -> Response {
        Response(
            status: HTTPResponse.Status(code: status),
            headers: [.contentType: type],
            body: ResponseBody(byteBuffer: buffer)
        )
    }
}
