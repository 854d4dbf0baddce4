internal import COpenCL

/// A card at work: its queue, the program that was built for it, and buffers in its memory.
///
/// All calls are of one thread. Errors name the call and OpenCL's number for what went wrong.
final class CardSession {
    let card: Card
    /// Threads of a group of the kernels along one axis; a power of two.
    let group: Int

    private let context: OpaquePointer
    private let queue: OpaquePointer
    private let program: OpaquePointer
    private var kernels: [String: OpaquePointer] = [:]
    private var allocated: UInt64 = 0
    private var calls: COpenCL_calls { card.calls }

    /// What a kernel is given.
    enum Argument {
        case buffer(CardBuffer)
        case real(Double)
        case int(Int)
        case long(Int)
    }

    /// Opens a card and builds the kernels for it.
    init(_ card: Card) throws(KernelFailure) {
        let calls = card.calls
        self.card = card
        group = Self.powerOfTwo(atMost: min(256, card.largestGroup))
        var code: Int32 = 0
        let devices: [OpaquePointer?] = [card.device]
        guard let context = calls.make_context(nil, 1, devices, nil, nil, &code) else {
            throw .cardFailed(card.name, call: "clCreateContext", code: code)
        }
        guard let queue = calls.make_queue(context, card.device, 0, &code) else {
            _ = calls.release_context(context)
            throw .cardFailed(card.name, call: "clCreateCommandQueue", code: code)
        }
        do {
            program = try Self.build(card, context, "-cl-std=CL1.2 -D GROUP=\(group)")
        } catch {
            _ = calls.release_queue(queue)
            _ = calls.release_context(context)
            throw error
        }
        self.context = context
        self.queue = queue
    }

    deinit {
        _ = calls.finish(queue)
        for kernel in kernels.values { _ = calls.release_kernel(kernel) }
        _ = calls.release_program(program)
        _ = calls.release_queue(queue)
        _ = calls.release_context(context)
    }

    private static func powerOfTwo(atMost limit: Int) -> Int {
        limit < 2 ? 1 : 1 << (Int.bitWidth - 1 - limit.leadingZeroBitCount)
    }

    private static func build(
        _ card: Card,
        _ context: OpaquePointer,
        _ options: String
    ) throws(KernelFailure) -> OpaquePointer {
        let calls = card.calls
        var code: Int32 = 0
        let made = PackageResources.kernels_cl.withUnsafeBytes { bytes in
            var source = bytes.bindMemory(to: CChar.self).baseAddress
            var length = bytes.count
            return calls.make_program(context, 1, &source, &length, &code)
        }
        guard let made else {
            throw .cardFailed(card.name, call: "clCreateProgramWithSource", code: code)
        }
        let devices: [OpaquePointer?] = [card.device]
        code = calls.build(made, 1, devices, options, nil, nil)
        guard code == 0 else {
            var log = [CChar](repeating: 0, count: 16_384)
            _ = calls.build_info(made, card.device, COpenCL_build_log, log.count, &log, nil)
            _ = calls.release_program(made)
            let bytes = log.prefix { $0 != 0 }.map(UInt8.init(bitPattern:))
            let said = String(decoding: bytes, as: UTF8.self)
            let first = said.split(whereSeparator: \.isNewline).first.map { ": \($0)" } ?? ""
            throw .cardFailed(card.name, call: "clBuildProgram\(first)", code: code)
        }
        return made
    }

    // MARK: Memory

    /// Memory on the card for as many elements as `host` has.
    func buffer<Element>(like host: NumericBuffer<Element>) throws(KernelFailure) -> CardBuffer {
        try buffer(bytes: host.count * MemoryLayout<Element>.stride)
    }

    /// Memory on the card.
    func buffer(bytes: Int) throws(KernelFailure) -> CardBuffer {
        let needed = UInt64(max(bytes, 1))
        guard needed <= card.largestBuffer, allocated + needed <= card.memory else {
            throw .noCard(
                "\(card.name) has \(card.memory >> 20) MiB, at most \(card.largestBuffer >> 20) of "
                    + "them in one piece, which is not enough for this problem"
            )
        }
        allocated += needed
        var code: Int32 = 0
        let made = calls.make_buffer(context, COpenCL_read_write, Int(needed), nil, &code)
        guard let made else { throw failed("clCreateBuffer", code) }
        return CardBuffer(memory: made, release: calls.release_buffer)
    }

    /// Copies all of `host` to the card.
    func write<Element>(
        _ host: NumericBuffer<Element>,
        to buffer: CardBuffer
    ) throws(KernelFailure) {
        let bytes = host.count * MemoryLayout<Element>.stride
        guard bytes > 0 else { return }
        try check(
            "clEnqueueWriteBuffer",
            calls.write(queue, buffer.memory, 1, 0, bytes, host.pointer, 0, nil, nil)
        )
    }

    /// Copies as many elements as `host` has from the card.
    func read<Element>(
        _ buffer: CardBuffer,
        into host: NumericBuffer<Element>
    ) throws(KernelFailure) {
        let bytes = host.count * MemoryLayout<Element>.stride
        guard bytes > 0 else { return }
        try check(
            "clEnqueueReadBuffer",
            calls.read(queue, buffer.memory, 1, 0, bytes, host.pointer, 0, nil, nil)
        )
    }

    // MARK: Work

    /// Lets kernel `name` work over at least `extents` threads, rounded up to whole groups; returns
    /// before it is done.
    func start(
        _ name: String,
        over extents: [Int],
        groups: [Int],
        _ arguments: [Argument]
    ) throws(KernelFailure) {
        let kernel = try kernel(name)
        for (index, argument) in arguments.enumerated() {
            try check(
                "clSetKernelArg \(index) of \(name)",
                set(argument, UInt32(index), of: kernel)
            )
        }
        let whole = zip(extents, groups).map { ($0 + $1 - 1) / $1 * $1 }
        try check(
            "clEnqueueNDRangeKernel of \(name)",
            calls.start(queue, kernel, UInt32(whole.count), nil, whole, groups, 0, nil, nil)
        )
    }

    /// Waits until all work is done.
    func finish() throws(KernelFailure) {
        try check("clFinish", calls.finish(queue))
    }

    private func set(_ argument: Argument, _ index: UInt32, of kernel: OpaquePointer) -> Int32 {
        func put<Value>(_ value: Value) -> Int32 {
            withUnsafeBytes(of: value) { bytes in
                calls.set_argument(kernel, index, bytes.count, bytes.baseAddress)
            }
        }
        switch argument {
        case .buffer(let buffer): return put(buffer.memory)
        case .real(let value): return put(value)
        case .int(let value):
            // CL_INVALID_ARG_VALUE: the kernels count such extents with 32 bits.
            guard let small = Int32(exactly: value) else { return -50 }
            return put(small)
        case .long(let value): return put(UInt64(value))
        }
    }

    private func kernel(_ name: String) throws(KernelFailure) -> OpaquePointer {
        if let known = kernels[name] { return known }
        var code: Int32 = 0
        guard let made = calls.make_kernel(program, name, &code) else {
            throw failed("clCreateKernel \(name)", code)
        }
        kernels[name] = made
        return made
    }

    private func check(_ call: String, _ code: Int32) throws(KernelFailure) {
        guard code == 0 else { throw failed(call, code) }
    }

    private func failed(_ call: String, _ code: Int32) -> KernelFailure {
        .cardFailed(card.name, call: call, code: code)
    }
}

/// Memory on a card, freed with its owner.
final class CardBuffer {
    let memory: OpaquePointer
    private let release: @convention(c) (OpaquePointer?) -> Int32

    fileprivate init(
        memory: OpaquePointer,
        release: @escaping @convention(c) (OpaquePointer?) -> Int32
    ) {
        self.memory = memory
        self.release = release
    }

    deinit { _ = release(memory) }
}
