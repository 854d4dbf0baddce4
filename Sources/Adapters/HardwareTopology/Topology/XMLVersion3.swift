/// Documents of hwloc 3 for a hwloc 2, which refuses them by their version alone.
///
/// Two things differ that matter: an operating-system device has a set of roles where it had one, and
/// infos of the whole topology stand behind the root object, where hwloc 2 knows none.
///
/// Source: hwloc 3.0's NEWS and `include/hwloc.h`, `hwloc_obj_osdev_type_e`.
enum XMLVersion3 {
    /// The document as hwloc 2 would have written it; others as they are.
    static func lowered(_ text: String) -> String {
        let mark = "<topology version=\"3."
        guard let start = text.firstRange(of: mark) else { return text }
        let head = text[..<start.lowerBound] + "<topology version=\"2."
        let body = String(text[start.upperBound...])
        let end = body.ranges(of: "</object>").last?.upperBound ?? body.startIndex
        return head + withSingleRoles(body[..<end]) + withoutInfos(body[end...])
    }

    /// Each `osdev_type="…"` with the number of one role.
    private static func withSingleRoles(_ text: Substring) -> String {
        let mark = "osdev_type=\""
        var result = ""
        var rest = text
        while let start = rest.firstRange(of: mark) {
            result += rest[..<start.upperBound]
            rest = rest[start.upperBound...]
            let digits = rest.prefix { $0 != "\"" }
            result += Int(digits).map { String(role(of: $0)) } ?? String(digits)
            rest = rest[digits.endIndex...]
        }
        return result + rest
    }

    /// hwloc 2's number of the most telling role in a set of hwloc 3's; a set without one keeps its
    /// number, which is nobody's in hwloc 2.
    private static func role(of roles: Int) -> Int {
        // Coprocessor, OpenFabrics, network, GPU, DMA, storage, memory.
        let roles3to2 = [(8, 5), (32, 3), (16, 2), (4, 1), (64, 4), (1, 0), (2, 0)]
        return roles3to2.first { roles & $0.0 != 0 }?.1 ?? 1_000
    }

    private static func withoutInfos(_ text: Substring) -> String {
        var result = ""
        var rest = text
        while let start = rest.firstRange(of: "<info "),
            let end = rest[start.upperBound...].firstRange(of: ">")
        {
            result += rest[..<start.lowerBound]
            rest = rest[end.upperBound...]
        }
        return result + rest
    }
}
