import Catalog
import Foundation
import Testing

/// The schemas in `docs/schemas`, by which editors help, have the fields that the readers take.
@Suite("JSON schemas of files")
struct SchemaTests {
    private typealias Object = [String: Any]

    /// A file with a field `zzz` in one of its objects, and where the schema has that object.
    struct Probe: CustomTestStringConvertible, Sendable {
        var schema: String
        var pointer: String
        var text: String
        var testDescription: String { "\(schema) \(pointer)" }
    }

    private static let machine = """
        machine: m
        title: t
        node_types:
          - {name: n, title: n, topology: {synthetic: "core:1 pu:1"}, processor: {model: x}, cores: 1, memory: 1 MiB}
        nodes: [{names: a, type: n}]
        platforms: [{name: p, title: p, key: true}]

        """

    static let probes: [Probe] =
        rules.map { Probe(schema: "rule", pointer: $0, text: $1) }
        + tariffs.map { Probe(schema: "tariff", pointer: $0, text: $1) }
        + machines.map { Probe(schema: "machine", pointer: $0, text: $1) }
        + mixes.map { Probe(schema: "mix", pointer: $0, text: $1) }

    private static let rules: [(String, String)] =
        [("", "rule: x\nzzz: 1\n")]
        + ["who", "what", "basis", "rate", "caps", "pool", "clock", "stack"].map {
            (
                "properties/\($0)",
                "rule: x\n\($0 == "rate" ? "" : "rate: {rate_ppm: 1}\n")\($0): {zzz: 1}\n"
            )
        }
        + [
            (
                "properties/rate/properties/by_tier/items",
                "rule: x\nrate: {by_tier: [{zzz: 1}]}\n"
            )
        ]

    private static let tariffs: [(String, String)] = [
        ("", "tariff: x\nzzz: 1\n"),
        ("$defs/line", "tariff: x\nlines: [{resource: core-hour, zzz: 1}]\n"),
        ("$defs/storage", "tariff: x\nlines: [{resource: storage-tb-day, zzz: 1}]\n"),
        (
            "$defs/line/properties/tiers/items",
            "tariff: x\nlines: [{resource: core-hour, tiers: [{zzz: 1}]}]\n"
        ),
    ]

    private static let mixes: [(String, String)] = {
        let head = "mix: m\nnodes: 1\njobs_per_day: 1\nusers: 1\ntime_limit: 60\n"
        return [
            ("", "mix: m\nzzz: 1\n"),
            ("properties/peaks/items", head + "peaks: [{zzz: 1}]\n"),
            ("properties/classes/items", head + "classes: [{zzz: 1}]\n"),
            (
                "properties/classes/items/properties/sizes/items",
                head + "classes: [{name: a, share: 1, median: 1, sizes: [{zzz: 1}]}]\n"
            ),
        ]
    }()

    private static let machines: [(String, String)] = [
        ("", machine + "zzz: 1\n"),
        ("properties/join/items", "machine: m\ntitle: t\njoin: [{zzz: 1}]\n"),
        ("properties/network", machine + "network: {zzz: 1}\n"),
        ("properties/published", machine + "published: {zzz: 1}\n"),
        ("$defs/node_type", "machine: m\ntitle: t\nnode_types: [{zzz: 1}]\n"),
        (
            "properties/issuer",
            machine + "partitions: [{name: q, nodes: a, platform: p}]\nissuer: {zzz: 1}\n"
        ),
        ("properties/racks/items", machine + "racks: [{zzz: 1}]\n"),
        ("properties/switches/items", machine + "switches: [{zzz: 1}]\n"),
        ("$defs/partition", machine + "partitions: [{zzz: 1}]\n"),
        (
            "$defs/account",
            machine + "partitions: [{name: q, nodes: a, platform: p}]\naccounts: [{zzz: 1}]\n"
        ),
        (
            "properties/preemption",
            machine + "partitions: [{name: q, nodes: a, platform: p}]\npreemption: {zzz: 1}\n"
        ),
        (
            "properties/clusters/items",
            machine + "partitions: [{name: q, nodes: a, platform: p}]\nclusters: [{zzz: 1}]\n"
        ),
        (
            "properties/licenses/items",
            machine + "partitions: [{name: q, nodes: a, platform: p}]\nlicenses: [{zzz: 1}]\n"
        ),
        (
            "properties/software/items",
            machine + "partitions: [{name: q, nodes: a, platform: p}]\nsoftware: [{zzz: 1}]\n"
        ),
        (
            "properties/software/items/properties/programs/items",
            machine + "partitions: [{name: q, nodes: a, platform: p}]\n"
                + "software: [{module: m, programs: [{zzz: 1}]}]\n"
        ),
        (
            "$defs/qos",
            machine + "partitions: [{name: q, nodes: a, platform: p}]\nqos: [{zzz: 1}]\n"
        ),
    ]

    @Test("A schema has exactly the fields that the reader knows", arguments: probes)
    func fields(probe: Probe) throws {
        let known = try #require(Self.knownFields(probe), "\(probe) is not refused for zzz")
        let object = try Self.object(probe.schema, probe.pointer)
        let properties = try #require(object["properties"] as? Object)
        #expect(properties.keys.sorted() == known.sorted(), "docs/schemas/\(probe.schema)")
        #expect(object["additionalProperties"] as? Bool == false)
        for required in object["required"] as? [String] ?? [] { #expect(known.contains(required)) }
    }

    /// What the reader says that it would have taken instead of `zzz`.
    private static func knownFields(_ probe: Probe) -> [String]? {
        do {
            switch probe.schema {
            case "rule": _ = try RuleCatalog.rule(text: probe.text, file: "a.yaml")
            case "mix": _ = try MixReader.mix(text: probe.text, file: "a.yaml")
            case "tariff": _ = try TariffReader.tariff(text: probe.text, file: "a.yaml")
            default:
                let library = MachineLibrary(host: testHost, fileText: { _ in probe.text })
                _ = try library.machine(path: "/a.yaml")
            }
        } catch let refusal as FileRefusal {
            return known(refusal)
        } catch CatalogError.refused(let refusal) {
            return known(refusal)
        } catch {}
        return nil
    }

    private static func known(_ refusal: FileRefusal) -> [String]? {
        guard case .unknownField(_, let known) = refusal.problem else { return nil }
        return known
    }

    private static func object(_ schema: String, _ pointer: String) throws -> Object {
        var root = URL(fileURLWithPath: #filePath)
        for _ in 0..<3 { root.deleteLastPathComponent() }
        let url = root.appendingPathComponent("docs/schemas/\(schema).schema.json")
        let document = try JSONSerialization.jsonObject(with: Data(contentsOf: url))
        var object = try #require(document as? Object)
        for word in pointer.split(separator: "/").map(String.init) {
            object = try #require(object[word] as? Object, "\(schema): no \(word) in \(pointer)")
        }
        return object
    }
}
