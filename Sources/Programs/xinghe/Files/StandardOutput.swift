import Glibc
import Reporting
import WireFormats

/// What commands print: all of it, or an error and an exit status that say so.
///
/// The standard library's `print` hides a full disk.
enum StandardOutput {
    /// Writes `text` and `terminator`; on a terminal not wider than that is, unless it is data for programs.
    ///
    /// - Throws: `Refusal` with the system's word for the problem.
    static func print(
        _ text: @autoclosure () throws -> String,
        terminator: String = "\n",
        isData: Bool = false
    ) throws {
        try show(text, terminator, on: STDOUT_FILENO, isData)
    }

    /// Writes a report for people, to standard error where standard output is taken by a file.
    ///
    /// - Throws: `Refusal` with the system's word for the problem.
    static func report(
        _ text: @autoclosure () throws -> String,
        isTaken: Bool,
        isData: Bool = false
    ) throws {
        try show(text, "", on: isTaken ? STDERR_FILENO : STDOUT_FILENO, isData)
    }

    /// Says on standard error what went wrong: without what would speak to a terminal, since names in messages
    /// come from files, and not wider than that is.
    static func tell(_ text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let printable = lines.map { String($0).printable }.joined(separator: "\n")
        let width = terminalWidth(of: STDERR_FILENO)
        // Where standard error is closed there is nobody to be told of it.
        try? write(Array((printable.folded(to: width) + "\n").utf8), to: STDERR_FILENO)
    }

    private static func show(
        _ text: () throws -> String,
        _ terminator: String,
        on descriptor: Int32,
        _ isData: Bool
    ) throws {
        let width = isData ? nil : terminalWidth(of: descriptor)
        let shown = try TextTable.$widthMaximum.withValue(width) { try text() }
        try write(Array((shown.folded(to: width) + terminator).utf8), to: descriptor)
    }

    /// The columns of the terminal behind a descriptor; nil when it is none, or does not say.
    static func terminalWidth(of descriptor: Int32) -> Int? {
        var size = winsize()
        guard isatty(descriptor) == 1, ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0,
            size.ws_col > 0
        else { return nil }
        return Int(size.ws_col)
    }

    /// Writes bytes.
    ///
    /// - Throws: `Refusal` with the system's word for the problem.
    static func write(_ bytes: [UInt8], to descriptor: Int32 = STDOUT_FILENO) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                let problem = String(cString: strerror(errno))
                let name = descriptor == STDOUT_FILENO ? "standard output" : "standard error"
                throw Refusal("\(name): cannot be written: \(problem)")
            }
            rest = rest.dropFirst(count)
        }
    }
}
