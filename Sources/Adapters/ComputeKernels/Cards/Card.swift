internal import COpenCL
internal import WireFormats

/// What `--device` names: a card, found through OpenCL.
public struct CardChoice: Hashable, Sendable {
    /// The device's number over all platforms, as `clinfo -l` lists them; nil for the first GPU or
    /// accelerator, or else the first device.
    public var number: Int?

    /// Reads `opencl` or `opencl:N`; nil for anything else.
    public init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.first == "opencl", parts.count <= 2 else { return nil }
        guard parts.count == 2 else { return }
        guard let number = Int(parts[1]), (0...65_535).contains(number) else { return nil }
        self.number = number
    }
}

/// A device that OpenCL shows: a card, or with a driver such as pocl the processor itself.
struct Card {
    let calls: COpenCL_calls
    let device: OpaquePointer
    /// Its place over all platforms.
    let number: Int
    let name: String
    let vendor: String
    let driver: String
    let version: String
    let kind: String
    let units: Int
    /// Unit: byte.
    let memory: UInt64
    let largestBuffer: UInt64
    /// Threads that a group may have.
    let largestGroup: Int
    private let hasDoubles: Bool

    private static let library = "libOpenCL.so.1"

    /// Finds the device that is asked for.
    ///
    /// - Throws: `KernelFailure.noCard`, with what is missing.
    static func find(_ choice: CardChoice) throws(KernelFailure) -> Card {
        let all = try all()
        guard !all.isEmpty else {
            throw .noCard("OpenCL finds no device: a driver is wanted, such as pocl-opencl-icd")
        }
        let found =
            if let number = choice.number {
                all.first { $0.number == number }
            } else {
                all.first { $0.kind == "gpu" || $0.kind == "accelerator" } ?? all.first
            }
        guard let found else {
            let names = all.map { "\($0.number) \($0.name)" }.joined(separator: ", ")
            throw .noCard("OpenCL has no device \(choice.number ?? 0), but \(names)")
        }
        guard found.hasDoubles else {
            throw .noCard("\(found.name) does not compute in double precision")
        }
        return found
    }

    private static func all() throws(KernelFailure) -> [Card] {
        var problem = [CChar](repeating: 0, count: 256)
        guard let calls = COpenCL_open(library, &problem, problem.count)?.pointee else {
            throw .noCard("there is no OpenCL: \(text(problem))")
        }
        var count: UInt32 = 0
        guard calls.platforms(0, nil, &count) == 0, count > 0 else { return [] }
        var platforms = [OpaquePointer?](repeating: nil, count: Int(count))
        guard calls.platforms(count, &platforms, nil) == 0 else { return [] }
        var cards: [Card] = []
        var number = 0
        for platform in platforms {
            var count: UInt32 = 0
            guard calls.devices(platform, COpenCL_any_type, 0, nil, &count) == 0, count > 0 else {
                continue
            }
            var devices = [OpaquePointer?](repeating: nil, count: Int(count))
            guard calls.devices(platform, COpenCL_any_type, count, &devices, nil) == 0 else {
                continue
            }
            for case let device? in devices {
                cards.append(Card(calls, device, number: number))
                number += 1
            }
        }
        return cards
    }

    private init(_ calls: COpenCL_calls, _ device: OpaquePointer, number: Int) {
        func words(_ what: UInt32) -> String {
            var room = 0
            guard calls.device_info(device, what, 0, nil, &room) == 0, room > 0 else { return "" }
            var bytes = [CChar](repeating: 0, count: room)
            guard calls.device_info(device, what, room, &bytes, nil) == 0 else { return "" }
            return Self.text(bytes)
        }
        func figure<Number: FixedWidthInteger>(_ what: UInt32, _: Number.Type) -> Number {
            var value: Number = 0
            let room = MemoryLayout<Number>.size
            return calls.device_info(device, what, room, &value, nil) == 0 ? value : 0
        }
        self.calls = calls
        self.device = device
        self.number = number
        name = words(COpenCL_device_name)
        vendor = words(COpenCL_device_vendor)
        driver = words(COpenCL_driver_version)
        version = words(COpenCL_device_version)
        let type = figure(COpenCL_device_type, UInt64.self)
        kind =
            type & COpenCL_type_gpu != 0
            ? "gpu"
            : type & COpenCL_type_accelerator != 0
                ? "accelerator" : type & COpenCL_type_cpu != 0 ? "cpu" : "other"
        units = Int(figure(COpenCL_device_units, UInt32.self))
        memory = figure(COpenCL_device_memory, UInt64.self)
        largestBuffer = figure(COpenCL_device_largest_buffer, UInt64.self)
        largestGroup = figure(COpenCL_device_group_size, Int.self)
        hasDoubles = figure(COpenCL_device_doubles, UInt64.self) != 0
    }

    private static func text(_ bytes: [CChar]) -> String {
        String(decoding: bytes.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// The member `card` of what a figure was measured on; docs/measure.md has its members.
    var json: JSONValue {
        [
            "api": "opencl", "number": .integer(Int64(number)), "name": .string(name),
            "vendor": .string(vendor), "driver": .string(driver), "version": .string(version),
            "kind": .string(kind), "units": .integer(Int64(units)),
            "memory_byte": .integer(Int64(clamping: memory)),
        ]
    }
}
