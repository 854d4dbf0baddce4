import Foundation
import Testing

@Suite("Energy of a log, the program")
struct EnergyProgramTests {
    /// Two nodes of 1,000 W, idle 400 W, that are up after 60 s.
    private static let machine = """
        machine: duo
        title: Two nodes
        node_types:
          - name: box
            title: node
            topology: {synthetic: "package:1 [numa(memory=32GiB)] core:4 pu:1"}
            processor: {model: CPU}
            cores: 4
            memory: 32 GiB
            power: 1 kW
            idle_power: 400 W
            off_power: 10 W
            boot_time: 1
        nodes:
          - {names: "n[0-1]", type: box}
        platforms:
          - {name: lab, title: Our lab, key: false}
        partitions:
          - {name: work, nodes: ALL, sharing: whole-node, platform: lab, prices: {core_hour: 0.05 CNY}}
        include: [customers.yaml]

        """

    /// One node for an hour; both an hour after that, for an hour.
    private static let log = """
        ; UnixStartTime: 0
        ; MaxProcs: 8
        1 0 -1 3600 4 -1 -1 4 7200 -1 1 1 1 1 1 1 -1 -1
        2 7200 -1 3600 8 -1 -1 8 7200 -1 1 1 1 1 1 1 -1 -1

        """

    private func policy(_ machine: String, _ options: [String] = []) throws -> [String: Any] {
        let folder = try Folder()
        let run = try xinghe(
            [
                "replay", folder.write("log.swf", Self.log), "--json", "--machine",
                folder.write("duo.yaml", machine),
            ] + options
        )
        try #require(run.status == 0, "\(run.errors)")
        let object = try JSONSerialization.jsonObject(with: Data(run.output.utf8))
        return try #require(((object as? [String: Any])?["policies"] as? [[String: Any]])?.first)
    }

    @Test("Energy is what nodes draw under load, idle, coming up and off")
    func counted() throws {
        let plain = try policy(Self.machine)
        #expect(plain["energy_kwh"] == nil)
        let counted = try policy(Self.machine, ["--energy"])
        #expect(counted["energy_kwh"] as? Double == 3 + 3 * 0.4)
        #expect(counted["energy_busy_kwh"] as? Double == 3)
        #expect(counted["peak_w"] as? Int == 2_000)
        #expect(counted["boots"] as? Int == 0)
        // One is off after half an hour, the other half an hour after its job; both come up in a minute.
        let saving = try policy(Self.machine + "power_saving: {suspend_time: 30}\n")
        #expect(saving["energy_idle_kwh"] as? Double == 0.4)
        #expect(saving["energy_off_kwh"] as? Double == 0.02)
        let boots = try #require(saving["energy_booting_kwh"] as? Double)
        #expect(abs(boots - 2.0 / 60) < 1e-12)
        #expect(saving["boots"] as? Int == 2)
        #expect(saving["wait_max_s"] as? Double == 60)
        #expect(saving["wait_mean_s"] as? Double == 30)
    }

    @Test("What cannot be is refused by file, line and field")
    func refused() throws {
        let folder = try Folder()
        let log = try folder.write("log.swf", Self.log)
        let cases = [
            (Self.machine + "power_saving: {cap: 1009 W}\n", "power_saving.cap", "1010 W"),
            (Self.machine + "power_saving: {cap: much}\n", "power_saving.cap", "a power such as"),
            (Self.machine + "power_saving: {suspend: 3}\n", "suspend", "suspend_time"),
            (
                Self.machine.replacingOccurrences(
                    of: "idle_power: 400 W",
                    with: "idle_power: 2 kW"
                ),
                "idle_power", "2000 W is more than power, 1000 W"
            ),
        ]
        for (text, field, words) in cases {
            let path = try folder.write("bad.yaml", text)
            let run = try xinghe(["replay", log, "--machine", path])
            #expect(run.status == 1)
            #expect(run.errors.contains("bad.yaml:"), "\(run.errors)")
            #expect(run.errors.contains(field) && run.errors.contains(words), "\(run.errors)")
        }
        let bare = try folder.write(
            "bare.yaml",
            Self.machine.without(lines: ["power", "boot_time"])
        )
        let unknown = try xinghe(["replay", log, "--machine", bare, "--energy"])
        #expect(unknown.status == 1 && unknown.errors.contains("node type 'box' says no power"))
        #expect(try xinghe(["replay", log, "--energy"]).errors.contains("--energy"))
    }

    @Test("A cap and a rest can be tried in a comparison")
    func compared() throws {
        let folder = try Folder()
        let log = try folder.write("log.swf", Self.log)
        let path = try folder.write("duo.yaml", Self.machine)
        let run = try xinghe(
            [
                "compare", log, "--machine", path, "--policy", "easy", "--energy", "--json",
                "--set",
                "power_saving.suspend_time=0:30:00", "--set", "power_saving.cap=1.2 kW",
            ]
        )
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output.contains("energy_kwh"))
        let bad = try xinghe(
            ["compare", log, "--machine", path, "--set", "power_saving.cap=1 W"]
        )
        #expect(bad.status == 1 && bad.errors.contains("lets no job run"), "\(bad.errors)")
    }
}

extension String {
    /// The text without the lines that have one of the words as their key's beginning or end.
    fileprivate func without(lines words: [String]) -> String {
        split(separator: "\n", omittingEmptySubsequences: false)
            .filter { line in
                let key = line.split(separator: ":").first.map(String.init) ?? ""
                return !words.contains { key.hasSuffix($0) }
            }
            .joined(separator: "\n")
    }
}
