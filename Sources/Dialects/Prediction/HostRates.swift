import ClusterModel
internal import Quantities
public import WireFormats

/// What `xinghe calibrate` measured on a host: the roofline, and how near to it each kernel comes.
public struct HostRates: Hashable, Sendable {
    /// The host's name.
    public var host: String
    /// Cores that took part.
    public var cores: Int
    /// Matrix products in double precision, all cores. Unit: flop/s.
    public var gemm: Double
    /// STREAM's triad from memory, all cores. Unit: byte/s.
    public var bandwidth: Double
    /// Which part of its roofline each kernel reached.
    public var efficiencies: KernelEfficiencies
    /// What is wrong with the BLAS that was measured, in a sentence; nil when nothing is known.
    public var blasProblem: String?
    /// Its cards, as far as they were measured.
    public var cards: [HostCard] = []

    /// Makes rates.
    public init(
        host: String,
        cores: Int,
        gemm: Double,
        bandwidth: Double,
        efficiencies: KernelEfficiencies
    ) {
        self.host = host
        self.cores = cores
        self.gemm = gemm
        self.bandwidth = bandwidth
        self.efficiencies = efficiencies
    }

    /// Reads the profile that `xinghe calibrate` wrote.
    ///
    /// - Throws: `JSONValue.Malformed`, naming the member that is missing or wrong.
    public init(profile: JSONValue) throws(JSONValue.Malformed) {
        func rate(_ name: String) throws(JSONValue.Malformed) -> Double {
            guard let value = profile[name]?.double, value > 0, value.isFinite else {
                throw JSONValue.Malformed(line: 0, problem: "'\(name)' is no rate above 0")
            }
            return value
        }
        guard try profile.string("format") == HostRates.format else {
            throw JSONValue.Malformed(line: 0, problem: "'format' is not \(HostRates.format)")
        }
        var efficiencies = KernelEfficiencies(source: "measured on \(try profile.string("host"))")
        guard let members = profile["efficiency"]?.members else {
            throw JSONValue.Malformed(line: 0, problem: "'efficiency' is no object")
        }
        for member in members {
            guard let form = KernelForm(rawValue: member.name), let share = member.value.double,
                share > 0, share <= Self.largestShare
            else {
                throw JSONValue.Malformed(
                    line: 0,
                    problem: "'efficiency.\(member.name)' is no kernel's part of its roofline: "
                        + "above 0, at most \(Int(Self.largestShare))"
                )
            }
            efficiencies.shares[form] = share
        }
        let cores = try profile.integer("cores")
        guard (1...65_536).contains(cores) else {
            throw JSONValue.Malformed(line: 0, problem: "'cores' \(cores): 1 to 65536")
        }
        self.init(
            host: try profile.string("host"),
            cores: Int(cores),
            gemm: try rate("gemm_flop_per_s"),
            bandwidth: try rate("stream_byte_per_s"),
            efficiencies: efficiencies
        )
        for (place, card) in (profile["cards"]?.array ?? []).enumerated() {
            cards.append(try HostCard(profile: card, place: place))
        }
        blasProblem = HostCalibration.blasProblem(profile["on"])
    }

    /// Far above what a problem that stays in cache reaches.
    private static let largestShare = 100.0

    /// What a profile calls itself.
    public static let format = "xinghe-host-profile/1"

    /// The host as a node of a machine.
    func rates(of type: NodeType) -> NodeRates {
        var rates = NodeRates(
            name: type.name,
            cores: Double(type.capacity.cores),
            cards: Double(cards.count),
            peak: gemm + sum(\.gemm),
            corePeak: gemm,
            coreGemm: gemm,
            cardGemm: sum(\.gemm),
            coreBandwidth: bandwidth,
            cardBandwidth: sum(\.bandwidth),
            cardLink: sum(\.link),
            memory: Double(type.capacity.memory.count),
            watts: type.powerWatts.map(Double.init),
            powerNote: type.powerWatts.map { "\(type.name): power of \($0) W at any load" },
            notes: ["\(host): peak is what matrix products reached, not the nominal one"]
                + (blasProblem.map { ["\(host): \($0), so the peak is too low"] } ?? [])
        )
        rates.cardMemory = sum(\.memory)
        return rates
    }

    private func sum(_ figure: (HostCard) -> Double) -> Double {
        cards.reduce(0) { $0 + figure($1) }
    }
}

/// Which part of its roofline each kernel reaches on one node: its time there is the time that the
/// roofline allows, divided by this.
public struct KernelEfficiencies: Hashable, Sendable {
    /// Where the figures come from.
    public var source: String
    /// The part for each kernel; may be above 1 where a problem stays in cache.
    public var shares: [KernelForm: Double]

    /// Makes a table.
    public init(source: String, shares: [KernelForm: Double] = [:]) {
        self.source = source
        self.shares = shares
    }

    /// The part of the roofline that `form` reaches, and who says so: the reference where this has
    /// none.
    public func share(_ form: KernelForm) -> (value: Double, source: String) {
        if let value = shares[form] { return (value, source) }
        guard let value = Self.reference.shares[form] else {
            preconditionFailure("the reference has no \(form)")
        }
        return (value, Self.reference.source)
    }

    /// What the kernels reached where Xinghe is developed: one of two cores with AVX2 of a virtual
    /// machine, other work stopped meanwhile, by `bench/kernels/efficiency.py`. Other machines give
    /// others: `xinghe calibrate` measures them. Those of `graph` and `hpcg` are of another day, on a busy
    /// machine, and so rather too low.
    public static let reference = KernelEfficiencies(
        source: "measured on one core of the developers' host",
        shares: [
            .align: 0.69, .cg: 0.96, .comm: 1, .fft: 0.40, .gemm: 1, .graph: 0.23,
            .hpcg: 0.39, .infer: 0.79, .lu: 1, .md: 0.12, .shallow: 0.53, .stencil: 0.62,
            .stream: 1, .train: 0.80,
        ]
    )
}
