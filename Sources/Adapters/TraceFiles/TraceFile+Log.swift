import Dispatch
import Glibc
public import WorkloadFormats

extension TraceFile {
    /// What a second thread is worth being started for. Unit: bytes.
    private static let largeBytes = 1 << 20

    /// Reads the log at `path`; a large one in the Standard Workload Format in two parts at once, since
    /// joining more would cost what they save.
    ///
    /// - Throws: `TraceFileFailure`, or `MalformedRow` as `LogReader.read`.
    public static func log(at path: String, _ reader: LogReader) throws -> Trace {
        try withBytes(of: path) { bytes in
            try reader.read(bytes) { reader, bytes throws(MalformedRow) in
                let isAlone = sysconf(Int32(_SC_NPROCESSORS_ONLN)) < 2
                let isLarge = bytes.count >= largeBytes && !isAlone
                return try inParts(bytes, reader, partCount: isLarge ? 2 : 1)
            }
        }
    }

    /// Reads a log in parts, each on a thread of its own.
    static func inParts(
        _ bytes: UnsafeRawBufferPointer,
        _ reader: SWFReader,
        partCount: Int
    ) throws(MalformedRow) -> Trace {
        let cuts = SWFReader.cuts(of: bytes, partCount: partCount)
        var parts = ContiguousArray(repeating: SWFReader.Part(), count: cuts.count - 1)
        parts.withUnsafeMutableBufferPointer { buffer in
            // SAFETY: each call writes an element of its own, and nobody writes to the bytes.
            nonisolated(unsafe) let (bytes, parts) = (bytes, buffer)
            DispatchQueue.concurrentPerform(iterations: parts.count) { index in
                let range = cuts[index]..<cuts[index + 1]
                // The first part takes the others in.
                let room = index == 0 ? bytes.count : range.count
                let own = UnsafeRawBufferPointer(rebasing: bytes[range])
                parts[index] = reader.part(own, room: room)
            }
        }
        return try reader.trace(of: &parts)
    }
}
