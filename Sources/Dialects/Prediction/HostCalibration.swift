public import WireFormats

/// Makes a host's profile from the lines that kernels printed.
///
/// The roofline is what `gemm` and `stream` reached with a rank on every core; a kernel's part of it
/// is the larger of its rate of operations over the one and its rate of bytes over the other.
public struct HostCalibration: Sendable {
    /// One level of the memory hierarchy.
    public struct Level: Hashable, Sendable {
        /// `L1`, `L2`, `L3`, `memory`.
        public var name: String
        /// Bytes of the three arrays on one core.
        public var bytes: Int64
        /// STREAM's triad, all cores together. Unit: byte/s.
        public var rate: Double

        /// Makes a level.
        public init(name: String, bytes: Int64, rate: Double) {
            self.name = name
            self.bytes = bytes
            self.rate = rate
        }
    }

    /// A kernel as a point under the roofline.
    public struct Point: Hashable, Sendable {
        /// The kernel.
        public var kernel: KernelForm
        /// Operations a byte.
        public var intensity: Double
        /// Unit: flop/s; double precision counts, so single precision is halved.
        public var rate: Double
    }

    /// The host's name.
    public var host: String
    /// Its processor.
    public var processor: String
    /// Cores, each with a rank.
    public var cores: Int
    /// The system's load average before the first run: above 1 others worked, too.
    public var load: Double
    /// The levels of the memory hierarchy, fastest first; the last is memory.
    public var levels: [Level]
    /// The lines that the kernels printed, `gemm` among them.
    public var lines: [JSONValue]
    /// The line of `comm` with two ranks; nil on one core.
    public var messages: JSONValue?
    /// The cards that were named.
    public var cards: [HostCard]

    /// Makes a calibration.
    public init(
        host: String,
        processor: String,
        cores: Int,
        load: Double,
        levels: [Level],
        lines: [JSONValue],
        messages: JSONValue?,
        cards: [HostCard] = []
    ) {
        self.host = host
        self.processor = processor
        self.cores = cores
        self.load = load
        self.levels = levels
        self.lines = lines
        self.messages = messages
        self.cards = cards
    }

    /// Matrix products in double precision; nil when `gemm` did not run. Unit: flop/s.
    public var gemm: Double? {
        lines.first { $0["kernel"]?.string == "gemm" }?["best_flop_per_s"]?.double
    }

    /// STREAM's triad from memory; nil when it was not measured. Unit: byte/s.
    public var bandwidth: Double? { levels.last?.rate }

    /// What `gemm` ran on: processor, clock, libraries and compiler, as docs/measure.md says; nil where
    /// its line does not tell.
    public var surroundings: JSONValue? {
        lines.first { $0["kernel"]?.string == "gemm" }?["on"]
    }

    /// What is wrong with the BLAS that was measured; nil when its core suits the processor.
    public var blasProblem: String? { Self.blasProblem(surroundings) }

    static func blasProblem(_ surroundings: JSONValue?) -> String? {
        guard let on = surroundings, let better = on["blas_core_better"]?.string else { return nil }
        return "\(on["blas"]?.string ?? "BLAS") computed with its core "
            + "\(on["blas_core"]?.string ?? "?") where the processor can run \(better)"
    }

    /// The kernels under the roofline, in the order of the lines.
    public var points: [Point] {
        lines.compactMap { line in
            guard let form = line["kernel"]?.string.flatMap(KernelForm.init(rawValue:)),
                let flop = line["best_flop_per_s"]?.double,
                let byte = line["best_byte_per_s"]?.double, flop > 0, byte > 0
            else { return nil }
            let precision = form == .infer || form == .train ? 2.0 : 1.0
            return Point(kernel: form, intensity: flop / precision / byte, rate: flop / precision)
        }
    }

    /// The part of its roofline that each kernel reached.
    public var efficiencies: [(KernelForm, Double)] {
        guard let gemm, let bandwidth else { return [] }
        return points.map { point in
            (point.kernel, max(point.rate / gemm, point.rate / point.intensity / bandwidth))
        }
    }

    /// The profile as `xinghe calibrate` writes it; docs/predict.md has the members.
    public var profile: JSONValue {
        var members: [JSONValue.Member] = [
            .init("format", .string(HostRates.format)),
            .init("host", .string(host)),
            .init("processor", .string(processor)),
            .init("cores", .integer(Int64(cores))),
            .init("ranks", .integer(Int64(cores))),
            .init("load_average", .number(load)),
            .init("on", surroundings ?? .null),
            .init("gemm_flop_per_s", gemm.map { .number($0) } ?? .null),
            .init("stream_byte_per_s", bandwidth.map { .number($0) } ?? .null),
            .init("levels", .array(levels.map(\.json))),
        ]
        if let times = messageTimes, let fit = MessageFit(times, overhead: overhead) {
            members.append(.init("loggp", fit.json))
            members.append(
                .init(
                    "messages",
                    [
                        "bytes": .array(times.map { .number($0.bytes) }),
                        "seconds": .array(times.map { .number($0.seconds) }),
                    ]
                )
            )
        }
        if !cards.isEmpty { members.append(.init("cards", .array(cards.map(\.json)))) }
        let shares = efficiencies.map { JSONValue.Member($0.0.rawValue, .number($0.1)) }
        members.append(.init("efficiency", .object(shares)))
        members.append(.init("kernels", .array(lines)))
        return .object(members)
    }

    /// The ping-pong: half of the round trip by size.
    private var messageTimes: [(bytes: Double, seconds: Double)]? {
        guard let details = messages?["details"],
            let bytes = details["message_bytes"]?.array?.compactMap(\.double),
            let seconds = details["ping_pong_s"]?.array?.compactMap(\.double),
            bytes.count == seconds.count, bytes.count >= 2
        else { return nil }
        return Array(zip(bytes, seconds))
    }

    private var overhead: Double {
        messages?["details"]?["send_overhead_s"]?.double ?? 0
    }
}

extension HostCalibration.Level {
    fileprivate var json: JSONValue {
        [
            "level": .string(name), "bytes": .integer(bytes), "stream_byte_per_s": .number(rate),
        ]
    }
}

/// LogGP's parameters from a ping-pong: the line a + G m that is nearest in relative terms, so that
/// short messages count as much as long ones; a = 2o + L.
public struct MessageFit: Hashable, Sendable {
    /// L. Unit: s.
    public var latency: Double
    /// o. Unit: s.
    public var overhead: Double
    /// G. Unit: s/byte.
    public var secondsOfByte: Double
    /// The largest relative distance of the line from a measured time. Libraries change their
    /// protocol with the size, so one line is never all.
    public var worstError: Double

    /// Fits; nil when the sizes do not determine a line.
    public init?(_ times: [(bytes: Double, seconds: Double)], overhead: Double) {
        var (w, wm, wmm, wt, wmt) = (0.0, 0.0, 0.0, 0.0, 0.0)
        for (bytes, seconds) in times where seconds > 0 {
            let weight = 1 / (seconds * seconds)
            w += weight
            wm += weight * bytes
            wmm += weight * bytes * bytes
            wt += weight * seconds
            wmt += weight * bytes * seconds
        }
        let determinant = w * wmm - wm * wm
        guard determinant > 0 else { return nil }
        let slope = max(0, (w * wmt - wm * wt) / determinant)
        let start = max(0, (wt - slope * wm) / w)
        secondsOfByte = slope
        self.overhead = min(overhead, start / 2)
        latency = start - 2 * self.overhead
        worstError = times.reduce(0) {
            max($0, abs((start + slope * $1.bytes) / $1.seconds - 1))
        }
    }

    var json: JSONValue {
        [
            "latency_s": .number(latency), "overhead_s": .number(overhead),
            "seconds_per_byte": .number(secondsOfByte), "worst_error": .number(worstError),
        ]
    }
}
