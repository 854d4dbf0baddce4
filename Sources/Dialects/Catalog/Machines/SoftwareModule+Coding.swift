import ClusterModel
import Quantities
import WireFormats

extension SoftwareModule: CodedPart {
    static var blank: Self { Self(name: "", programs: []) }

    mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("module", &name)
        try fields.parts("programs", &programs)
    }
}

extension SoftwareProgram: CodedPart {
    static var blank: Self { Self(name: "", time: .formula(serial: .zero, shared: .zero)) }

    mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("program", &name)
        var (serial, shared): (SimDuration?, SimDuration?) = (nil, nil)
        var (kernel, size, repeats): (String?, String?, Int64?) = (nil, nil, nil)
        switch time {
        case .formula(let first, let second): (serial, shared) = (first, second)
        case .kernel(let name, let extents, let count):
            (kernel, size, repeats) = (name, extents, Int64(count))
        }
        try fields("serial_us", &serial)
        try fields("shared_us", &shared)
        try fields("kernel", &kernel)
        try fields("size", &size)
        try fields("repeat", &repeats)
        if let kernel {
            time = .kernel(kernel, size: size ?? "medium", repeats: Int(max(1, repeats ?? 1)))
        } else {
            time = .formula(serial: serial ?? .zero, shared: shared ?? .zero)
        }
    }
}
