internal import Glibc

/// The name of this machine.
func hostName() -> String {
    var bytes = [CChar](repeating: 0, count: 256)
    guard gethostname(&bytes, bytes.count - 1) == 0 else { return "unknown" }
    let text = bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    return String(decoding: text, as: UTF8.self)
}

/// Bytes that can be allocated without swapping, as the kernel estimates them; nil where
/// `/proc/meminfo` does not say.
func availableMemory() -> Double? {
    guard let file = fopen("/proc/meminfo", "r") else { return nil }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    while fgets(&line, Int32(line.count), file) != nil {
        let text = String(
            decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) },
            as: UTF8.self
        )
        guard text.hasPrefix("MemAvailable:") else { continue }
        let words = text.split(separator: " ")
        guard words.count > 1, let kibibytes = Double(words[1]) else { return nil }
        return kibibytes * 1024
    }
    return nil
}
