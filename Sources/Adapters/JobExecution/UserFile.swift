import CLinux
import Glibc

/// A file that is written for a user, with that user's rights.
public enum UserFile {
    /// Writes `text` to a regular file.
    ///
    /// - Parameter user: whose rights count; nil for those of this process. Only this thread takes them
    ///   over, and only meanwhile.
    /// - Parameter appends: whether what is there stays.
    /// - Parameter mask: the file mode creation mask.
    /// - Throws: `ExecutionFailure` when there is none to be written, for whatever reason.
    public static func write(
        _ text: String,
        to path: String,
        as user: StepSpecification.User? = nil,
        appends: Bool = false,
        mask: UInt32 = 0o022
    ) throws(ExecutionFailure) {
        let texts = CStrings()
        defer { withExtendedLifetime(texts) {} }
        var other = CLinux_user()
        other.changes = user == nil ? 0 : 1
        other.id = user?.id ?? 0
        other.group = user?.groupID ?? 0
        other.name = texts.constant(user?.name ?? "")
        let bytes = Array(text.utf8)
        let code = CLinux_write_file_as(
            &other,
            texts.constant(path),
            bytes,
            bytes.count,
            appends ? 1 : 0,
            mask
        )
        guard code == 0 else { throw ExecutionFailure(call: "write", subject: path, code: code) }
    }
}
