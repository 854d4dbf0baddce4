/// A list of licences as `--licenses` takes it: `fluent:4,abaqus`.
///
/// Source: Slurm 22.05, `src/slurmctld/licenses.c`, `_build_license_list`.
public enum LicenseList {
    /// Reads a list; what is named twice adds up.
    ///
    /// - Returns: each name once, in order of appearance; nil for what is no list.
    public static func read(_ text: String) -> [(name: String, count: Int32)]? {
        var list: [(name: String, count: Int32)] = []
        for part in text.split(whereSeparator: { $0 == "," || $0 == ";" }) {
            let sides = part.split(
                maxSplits: 1,
                omittingEmptySubsequences: false,
                whereSeparator: { $0 == ":" || $0 == "=" }
            )
            let name = String(sides[0])
            guard !name.isEmpty, !part.contains(where: \.isWhitespace),
                let count = sides.count == 1 ? 1 : Int32(sides[1]), count >= 0
            else { return nil }
            if let place = list.firstIndex(where: { $0.name == name }) {
                let (sum, overflow) = list[place].count.addingReportingOverflow(count)
                guard !overflow else { return nil }
                list[place].count = sum
            } else {
                list.append((name, count))
            }
        }
        return list.isEmpty ? nil : list.filter { $0.count > 0 }
    }

    /// Writes a list that `read` reads.
    public static func text(_ list: [(name: String, count: Int32)]) -> String {
        list.map { "\($0.name):\($0.count)" }.joined(separator: ",")
    }
}
