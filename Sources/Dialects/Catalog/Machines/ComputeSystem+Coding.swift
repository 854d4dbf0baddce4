import Accounts
import ClusterModel
import IndexSets
import Quantities
import WireFormats

// The members of each part of a machine, in the order of the machine file's words.

extension ComputeSystem: CodedPart {
    static var blank: Self { Self(name: "", title: "", nodes: IDSet()) }

    mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("name", &name)
        try fields("title", &title)
        try fields("description", &description)
        try fields.set("nodes", &nodes)
        try fields.part("network", &network)
        try fields.part("published", &published)
        try fields.parts("sources", &facts)
    }
}

extension Network: CodedPart {
    static var blank: Self { Self(name: "", shape: "") }

    mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("name", &name)
        try fields.required("shape", &shape)
        try fields.rate("link_bandwidth", &linkBandwidth)
        try fields("latency_ns", &latencyNanoseconds)
    }
}

extension ComputeSystem.PublishedFigures: CodedPart {
    static var blank: Self { Self() }

    mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.rate("peak", &peak)
        try fields.rate("linpack", &linpack)
        try fields.rate("hpcg", &conjugateGradients)
        try fields("memory", &memory)
        try fields("power_w", &powerWatts)
        try fields("peak_note", &peakNote)
    }
}

extension Fact: CodedPart {
    static var blank: Self { Self(field: "", value: "", evidence: .assumption, source: "") }

    mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("field", &field)
        try fields.required("value", &value)
        try fields.choice("evidence", &evidence)
        try fields.required("source", &source)
        try fields("alternative", &alternative)
    }
}

extension NodeType: CodedPart {
    static var blank: Self {
        Self(
            name: "",
            title: "",
            topology: .host,
            processor: .blank,
            capacity: .blank
        )
    }

    mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("name", &name)
        try fields("title", &title)
        try fields.part("topology", &topology)
        try fields.part("processor", &processor)
        try fields.part("capacity", &capacity)
        try fields.parts("accelerators", &accelerators)
        try fields.rate("memory_bandwidth", &memoryBandwidth)
        try fields("power_w", &powerWatts)
        try fields("idle_power_w", &idleWatts)
        try fields("off_power_w", &offWatts)
        try fields("boot_time", &bootTime)
        try fields("operating_system", &operatingSystem)
        try fields.ifPresent("host_name", &hostName)
        try fields.ifPresent("address", &address)
        try fields("features", &features)
        try fields.parts("sources", &facts)
    }
}

extension TopologySource: CodedPart {
    static var blank: Self { .host }

    mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        var (synthetic, file, xml): (String?, String?, String?)
        switch self {
        case .host: break
        case .synthetic(let text): synthetic = text
        case .xml(let name, let text): (file, xml) = (name, text)
        }
        try fields("synthetic", &synthetic)
        try fields("file", &file)
        try fields("xml", &xml)
        self =
            if let synthetic {
                .synthetic(synthetic)
            } else if let xml {
                .xml(name: file ?? "", text: xml)
            } else {
                .host
            }
    }
}

extension Processor: CodedPart {
    static var blank: Self { Self(model: "") }

    mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("model", &model)
        try fields.quantity("clock_hz", &clock, \.hertz) { Frequency(hertz: $0) }
        try fields.quantity("vector_clock_hz", &vectorClock, \.hertz) { Frequency(hertz: $0) }
        try fields("flops_per_cycle", &flopsPerCycle)
        try fields.part("sustained", &sustained)
    }
}

extension SustainedShares: CodedPart {
    static var blank: Self { Self() }

    mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields("gemm_permille", &gemmPermille)
        try fields("stream_permille", &streamPermille)
    }
}

extension Accelerator: CodedPart {
    static var blank: Self { Self(kind: "", model: "", count: 0) }

    mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("kind", &kind)
        try fields.required("model", &model)
        try fields.required("count", &count)
        try fields.rate("peak", &peak)
        try fields("memory", &memory)
        try fields.rate("memory_bandwidth", &memoryBandwidth)
        try fields.rate("link_bandwidth", &linkBandwidth)
        try fields("shares_memory", &sharesMemory)
        try fields("power_w", &powerWatts)
        try fields.part("sustained", &sustained)
    }
}

extension NodeCapacity: CodedPart {
    static var blank: Self { Self(cores: 1) }

    mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("cores", &cores)
        try fields.required("memory", &memory)
        try fields("accelerators", &accelerators)
    }
}

extension Rack: CodedPart {
    static var blank: Self { Self(name: "", nodes: IDSet()) }

    mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("name", &name)
        try fields.set("nodes", &nodes)
    }
}

extension Switch: CodedPart {
    static var blank: Self { Self(name: "", level: 0, nodes: IDSet()) }

    mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("name", &name)
        try fields("level", &level)
        try fields("parent", &parentIndex)
        try fields.set("nodes", &nodes)
    }
}

extension Platform: CodedPart {
    static var blank: Self { Self(name: "", title: "", isKey: false) }

    mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("name", &name)
        try fields("title", &title)
        try fields.required("key", &isKey)
        var price = storageMicrofen == 0 ? nil : Optional(storageMicrofen)
        try fields.ifPresent("tb_day_ufen", &price)
        storageMicrofen = price ?? 0
    }
}

extension Partition: CodedPart {
    static var blank: Self { Self(name: "", nodes: IDSet(), platform: "") }

    mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("name", &name)
        try fields("title", &title)
        try fields.set("nodes", &nodes)
        try fields.choice("sharing", &sharing)
        try fields.choice("state", &state)
        try fields.choice("backend", &backend)
        try fields("maximum_time_limit_us", &maximumTimeLimit)
        try fields("default_time_limit_us", &defaultTimeLimit)
        try fields("minimum_nodes", &minimumNodesPerJob)
        try fields("maximum_nodes", &maximumNodesPerJob)
        try fields("accounts", &allowedAccounts)
        try fields.required("platform", &platform)
        try fields.part("prices", &prices)
        try fields.part("quota", &quota)
        try fields("tier", &tier)
        try fields("job_factor", &jobFactor)
        try fields("qos", &qos)
        try fields("allowed_qos", &allowedQOS)
        try fields.part("billing_weights", &billingWeights)
        var mode: String? = preemptMode == .cluster ? nil : preemptMode.rawValue
        try fields("preempt_mode", &mode)
        preemptMode = try PreemptionRules.Mode(read: mode)
        var grace: Int32? = graceSeconds == 0 ? nil : graceSeconds
        try fields("grace_s", &grace)
        graceSeconds = grace ?? 0
        var level: Int32? = securityLevel == 1 ? nil : securityLevel
        try fields("security_level", &level)
        securityLevel = level ?? 1
        try fields.parts("sources", &facts)
    }
}

extension BillingWeights: CodedPart {
    static var blank: Self { Self() }

    mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields("core_permille", &core)
        try fields("gib_permille", &gibibyte)
        try fields("node_permille", &node)
        try fields("card_permille", &card)
    }
}

extension HourlyPrices: CodedPart {
    static var blank: Self { .free }

    mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields("core_hour_ufen", &coreHourMicrofen)
        try fields("card_hour_ufen", &cardHourMicrofen)
        try fields("node_hour_ufen", &nodeHourMicrofen)
    }
}

extension AccountQuota: CodedPart {
    static var blank: Self { Self() }

    mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields("running_jobs", &runningJobs)
        try fields("nodes", &nodes)
        try fields("cores", &cores)
    }
}

extension AccountEntry: CodedPart {
    static var blank: Self { Self(name: "", title: "", customerClass: .individual) }

    mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("name", &name)
        try fields("title", &title)
        try fields.choice("class", &customerClass)
        try fields("enterprise", &enterprise)
        try fields("registered_in", &registeredIn)
        try fields("description", &description)
        try fields("credit_limit_fen", &creditLimitFen)
        try fields("users", &users)
        try fields("tax_id", &taxID)
        try fields("contract", &contract)
        try fields("parent", &parent)
        try fields.settings(&settings)
        try fields.someParts("members", &members)
        try fields("qos", &qos)
        try fields("default_qos", &defaultQOS)
        try fields("clearance", &clearance)
        try fields.namesIfAny("coordinators", &coordinators)
    }
}

extension AccountEntry.Member: CodedPart {
    static var blank: Self { Self(name: "") }

    mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("name", &name)
        try fields("default", &isDefault)
        try fields.settings(&settings)
        try fields("qos", &qos)
        try fields("default_qos", &defaultQOS)
    }
}

extension Issuer: CodedPart {
    static var blank: Self { Self(name: "") }

    mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("name", &name)
        try fields("tax_id", &taxID)
        try fields("address", &address)
        try fields("phone", &phone)
        try fields("bank", &bank)
        try fields("bank_account", &bankAccount)
        var milligrams = gridFactor?.milligrams
        var source = gridFactor?.source ?? ""
        try fields("grid_mg_per_kwh", &milligrams)
        try fields("grid_source", &source)
        gridFactor = milligrams.map { GridFactor(milligrams: $0, source: source) }
    }
}

extension WireFields {
    fileprivate mutating func rate(
        _ name: String,
        _ rate: inout FlopRate?
    ) throws(JSONValue.Malformed) {
        try quantity(name + "_flops", &rate, \.flopsPerSecond) { FlopRate(flopsPerSecond: $0) }
    }

    fileprivate mutating func rate(
        _ name: String,
        _ rate: inout ByteRate?
    ) throws(JSONValue.Malformed) {
        try quantity(name + "_bytes_per_s", &rate, \.bytesPerSecond) {
            ByteRate(bytesPerSecond: $0)
        }
    }
}

extension PowerSaving: CodedPart {
    static var blank: Self { Self() }

    mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields("suspend_time", &suspendTime)
        try fields("cap_w", &capWatts)
    }
}
