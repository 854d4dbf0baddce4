internal import Glibc
internal import MessagePassing

/// Writes an answer as a file of NumPy's format, each rank its part, under its name only when whole.
///
/// Source: NumPy Enhancement Proposal 1, "A Simple File Format for NumPy Arrays", version 1.0.
struct AnswerFile {
    let path: String

    private var unfinished: String { path + ".part" }

    /// Collective; the ranks must share the file system.
    ///
    /// - Throws: `KernelFailure.answerNotWritten` on all ranks, with the first rank's reason.
    func write(_ answer: KernelAnswer, _ world: Communicator) throws(KernelFailure) {
        let header = Self.header(answer)
        // The others must find the file that rank 0 has made, not make one of their own elsewhere.
        let made =
            !world.isRoot ? "" : obstacle ?? put([(0, header)], flags: O_WRONLY | O_CREAT | O_TRUNC)
        try refuse(made, world)
        let runs = answer.runs.map { run in
            (header.count + run.start * answer.element.bytes, Array(run.bytes))
        }
        try refuse(put(runs, flags: O_WRONLY), world)
        let renamed = world.isRoot && rename(unfinished, path) != 0 ? reason("rename") : ""
        try refuse(renamed, world)
    }

    /// What is no file would be replaced by one: a device, a pipe, a link.
    private var obstacle: String? {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG else { return nil }
        return "is there, and no regular file"
    }

    /// Magic number, version, and a dictionary padded so that the data starts at a multiple of 64.
    static func header(_ answer: KernelAnswer) -> [UInt8] {
        let extents = answer.shape.map { "\($0), " }.joined()
        let order = answer.isByColumns ? "True" : "False"
        let dictionary =
            "{'descr': '\(answer.element.rawValue)', 'fortran_order': \(order), "
            + "'shape': (\(extents)), }"
        let used = 10 + dictionary.utf8.count + 1
        let padding = String(repeating: " ", count: (64 - used % 64) % 64)
        let text = Array((dictionary + padding + "\n").utf8)
        let length = [UInt8(text.count & 0xFF), UInt8(text.count >> 8)]
        return [0x93] + Array("NUMPY".utf8) + [1, 0] + length + text
    }

    /// Writes pieces at their places; says what went wrong, or nothing.
    private func put(_ pieces: [(place: Int, bytes: [UInt8])], flags: Int32) -> String {
        guard !pieces.isEmpty else { return "" }
        let descriptor = open(unfinished, flags | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { return reason("open") }
        defer { close(descriptor) }
        for piece in pieces {
            var done = 0
            while done < piece.bytes.count {
                let written = piece.bytes.withUnsafeBytes { bytes in
                    pwrite(
                        descriptor,
                        bytes.baseAddress.map { $0 + done },
                        bytes.count - done,
                        piece.place + done
                    )
                }
                guard written > 0 else { return reason("write") }
                done += written
            }
        }
        return ""
    }

    private func reason(_ call: String) -> String {
        "\(call): \(String(cString: strerror(errno)))"
    }

    private func refuse(_ problem: String, _ world: Communicator) throws(KernelFailure) {
        let all = try messaging { () throws(MPIFailure) in
            let isBad = try world.allReduce(Int32(problem.isEmpty ? 0 : 1), .maximum) != 0
            return isBad ? try world.gather(text: problem) : []
        }
        guard let first = all.first(where: { !$0.isEmpty }) ?? (problem.isEmpty ? nil : problem)
        else { return }
        if world.isRoot { unlink(unfinished) }
        throw .answerNotWritten(path: path, reason: first)
    }
}
