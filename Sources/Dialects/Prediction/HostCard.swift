public import WireFormats

/// What a card was measured to sustain, by kernels that ran on it.
public struct HostCard: Hashable, Sendable {
    /// Its name, as its driver says it.
    public var name: String
    /// The driver's version.
    public var driver: String
    /// Matrix products in double precision, in its memory. Unit: flop/s.
    public var gemm: Double
    /// STREAM's triad in its memory. Unit: byte/s.
    public var bandwidth: Double
    /// Copies from the node's memory to the card's. Unit: byte/s.
    public var link: Double
    /// Its memory. Unit: byte.
    public var memory: Double

    /// Takes what the lines of `gemm` and `stream` on one card say; nil where they are not of a card.
    public init?(gemm line: JSONValue, stream: JSONValue) {
        guard let card = line["on"]?["card"], let name = card["name"]?.string,
            let gemm = line["best_flop_per_s"]?.double,
            let bandwidth = stream["details"]?["triad_byte_per_s"]?.double,
            let link = line["details"]?["link_byte_per_s"]?.double,
            let memory = card["memory_byte"]?.double
        else { return nil }
        self.name = name
        driver = card["driver"]?.string ?? ""
        self.gemm = gemm
        self.bandwidth = bandwidth
        self.link = link
        self.memory = memory
    }

    /// Reads a member of `cards` in a host's profile.
    ///
    /// - Throws: `JSONValue.Malformed`, naming what is missing or wrong.
    init(profile: JSONValue, place: Int) throws(JSONValue.Malformed) {
        func figure(_ member: String) throws(JSONValue.Malformed) -> Double {
            guard let value = profile[member]?.double, value > 0, value.isFinite else {
                throw JSONValue.Malformed(
                    line: 0,
                    problem: "'cards[\(place)].\(member)' is no number above 0"
                )
            }
            return value
        }
        guard let name = profile["name"]?.string else {
            throw JSONValue.Malformed(line: 0, problem: "'cards[\(place)].name' is no text")
        }
        self.name = name
        driver = profile["driver"]?.string ?? ""
        gemm = try figure("gemm_flop_per_s")
        bandwidth = try figure("stream_byte_per_s")
        link = try figure("link_byte_per_s")
        memory = try figure("memory_byte")
    }

    var json: JSONValue {
        [
            "name": .string(name), "driver": .string(driver), "gemm_flop_per_s": .number(gemm),
            "stream_byte_per_s": .number(bandwidth), "link_byte_per_s": .number(link),
            "memory_byte": .number(memory),
        ]
    }
}
