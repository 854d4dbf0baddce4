import Quantities
public import WorkloadModels

/// Reads the file of a mix: what the load of a centre is made of.
public enum MixReader {
    /// Whether a word names such a file, by how it ends.
    public static func isPath(_ word: String) -> Bool {
        word.hasSuffix(".yaml") || word.hasSuffix(".yml")
    }

    /// Reads a mix from the text of a file.
    ///
    /// - Parameter file: what refusals call the text.
    /// - Throws: what is wrong in the text.
    public static func mix(text: String, file: String) throws(FileRefusal) -> LoadMix {
        let document = try YAMLField.document(text, file: file)
        let top = try document.mapping([
            "mix", "nodes", "jobs_per_day", "users", "time_limit", "weekend", "peaks", "classes",
        ])
        let nodes = try top.required("nodes").integer(LoadMix.Bounds.nodes)
        return LoadMix(
            name: try top.required("mix").name(),
            nodeCount: Int(nodes),
            jobsPerDay: Int(try top.required("jobs_per_day").integer(LoadMix.Bounds.jobsPerDay)),
            userCount: Int(try top.required("users").integer(LoadMix.Bounds.users)),
            longest: try longest(try top.required("time_limit")),
            weekend: try top["weekend"].map(weekend) ?? 10,
            peaks: try peaks(top),
            classes: try classes(try top.required("classes"), nodes: nodes)
        )
    }

    private static func longest(_ field: YAMLField) throws(FileRefusal) -> Int {
        let seconds = Int64(try field.seconds())
        guard LoadMix.Bounds.longest.contains(seconds), seconds % 60 == 0 else {
            throw field.refusal(
                .unreadable(
                    found: try field.text(),
                    expected: "whole minutes from an hour to thirty days"
                )
            )
        }
        return Int(seconds)
    }

    private static func weekend(_ field: YAMLField) throws(FileRefusal) -> Int {
        let thousandths = try field.thousandths(0...2_000)
        guard thousandths % 100 == 0 else {
            throw field.refusal(
                .unreadable(found: try field.text(), expected: "tenths, such as 0.6")
            )
        }
        return Int(thousandths / 100)
    }

    private static func peaks(_ top: YAMLMapping) throws(FileRefusal) -> [LoadMix.Peak] {
        var peaks: [LoadMix.Peak] = []
        for entry in try top["peaks"]?.list() ?? [] {
            let fields = try entry.mapping(["hour", "width", "height"])
            guard peaks.count < LoadMix.Bounds.peaks else {
                throw entry.refusal(.conflict("a day has at most \(LoadMix.Bounds.peaks) peaks"))
            }
            let hour = try fields.required("hour").thousandths(0...23_999)
            peaks.append(
                LoadMix.Peak(
                    minute: Int(hour) * 60 / 1_000,
                    width: Int(try fields["width"]?.integer(LoadMix.Bounds.width) ?? 70),
                    height: Int(try fields["height"]?.thousandths(1...1_000) ?? 1_000)
                )
            )
        }
        return peaks
    }

    private static func classes(
        _ field: YAMLField,
        nodes: Int64
    ) throws(FileRefusal) -> [LoadMix.JobClass] {
        var classes: [LoadMix.JobClass] = []
        for entry in try field.list() {
            let fields = try entry.mapping(["name", "share", "sizes", "median", "sigma"])
            try checkCount(classes.count, "classes", entry)
            let median = try fields.required("median")
            let seconds = Int(try median.seconds())
            guard seconds > 0 else {
                throw median.refusal(.unreadable(found: "0", expected: "a time above zero"))
            }
            classes.append(
                LoadMix.JobClass(
                    name: try fields.required("name").paragraph(),
                    share: Int(try fields.required("share").integer(LoadMix.Bounds.weight)),
                    sizes: try sizes(try fields.required("sizes"), nodes: nodes),
                    median: seconds,
                    sigma: Int(try fields["sigma"]?.thousandths(LoadMix.Bounds.sigma) ?? 0)
                )
            )
        }
        guard !classes.isEmpty else { throw field.refusal(.conflict("a mix has a class")) }
        return classes
    }

    private static func sizes(
        _ field: YAMLField,
        nodes most: Int64
    ) throws(FileRefusal) -> [LoadMix.JobClass.Size] {
        var sizes: [LoadMix.JobClass.Size] = []
        for entry in try field.list() {
            let fields = try entry.mapping(["nodes", "weight"])
            try checkCount(sizes.count, "sizes", entry)
            sizes.append(
                LoadMix.JobClass.Size(
                    nodes: Int(try fields.required("nodes").integer(1...most)),
                    weight: Int(try fields["weight"]?.integer(LoadMix.Bounds.weight) ?? 1)
                )
            )
        }
        guard !sizes.isEmpty else { throw field.refusal(.conflict("a class has a size")) }
        return sizes
    }

    private static func checkCount(
        _ count: Int,
        _ what: String,
        _ entry: YAMLField
    ) throws(FileRefusal) {
        guard count < LoadMix.Bounds.classes else {
            throw entry.refusal(.conflict("more than \(LoadMix.Bounds.classes) \(what)"))
        }
    }
}
