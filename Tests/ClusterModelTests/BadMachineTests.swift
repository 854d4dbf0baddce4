import Catalog
import ClusterModel
import Determinism
import Foundation
import HardwareTopology
import Testing

/// Each file of `BadMachines` says in its first line how it must be refused:
/// `# LINE: field PATH: text`. To add a case, add a file.
@Suite("Machine files that are refused")
struct BadMachineTests {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("BadMachines")

    static let files: [String] = {
        let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path)
        return (names ?? []).filter { $0.hasSuffix(".yaml") }.sorted()
    }()

    /// A library that reads files beside the bad ones and asks hwloc, as the programs do.
    static let library = MachineLibrary(
        host: testHost,
        fileText: { try? String(contentsOfFile: $0, encoding: .utf8) },
        topologyProblem: TopologyCheck.problem
    )

    @Test("A bad file is refused at its line and field, in words", arguments: files)
    func isRefused(name: String) throws {
        let path = Self.folder.appendingPathComponent(name).path
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let first = try #require(text.split(separator: "\n").first)
        let expected = first.dropFirst(2)
        do {
            _ = try Self.library.machine(path: path)
            Issue.record("\(name) is accepted; expected \(expected)")
        } catch {
            let actual = "\(error)".replacing(Self.folder.path + "/", with: "")
            #expect(actual == "\(name):\(expected)")
        }
    }

    @Test("There are bad files to try")
    func thereAreFiles() {
        #expect(Self.files.count >= 30)
    }

    @Test("A file that cannot be read is refused by name")
    func missingFile() {
        do {
            _ = try Self.library.machine(path: "/nowhere/machine.yaml")
            Issue.record("accepted")
        } catch {
            #expect(
                "\(error)"
                    == "/nowhere/machine.yaml: cannot be read (is it there, and is it UTF-8 text?)"
            )
        }
    }

    @Test(
        "A shipped file with a few bytes changed never traps",
        arguments: 0..<200 as Range<UInt64>
    )
    func changedFiles(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let names = ["tianhe-1a", "mt-3000", "tianhe-1", "tianjin-ai"]
        let name = names[random.draw(0...names.count - 1)]
        var bytes = Array(try #require(MachineCatalog.machineText(named: name)).utf8)
        let letters = Array("0123456789 -:,.[]{}\"'&*#abcGTz\n".utf8)
        for _ in 0..<random.draw(1...4) {
            let place = random.draw(0...bytes.count - 1)
            switch random.draw(0...2) {
            case 0: bytes.remove(at: place)
            case 1: bytes.insert(letters[random.draw(0...letters.count - 1)], at: place)
            default: bytes[place] = letters[random.draw(0...letters.count - 1)]
            }
        }
        let text = String(decoding: bytes, as: UTF8.self)
        do {
            let machine = try MachineLibrary(host: testHost).machine(text: text, file: "changed")
            // What was accepted adds up without a trap.
            #expect(machine.totals.nodeCount == machine.nodes.count, "seed \(seed)")
        } catch .refused(let refusal) {
            #expect(!refusal.description.isEmpty, "seed \(seed)")
        } catch {
            Issue.record("seed \(seed): \(error)")
        }
    }

    @Test("Any shipped file cut off anywhere is refused or still a machine, and never traps")
    func cutFiles() throws {
        for name in ["tianjin", "tianhe-1a"] {
            let text = try #require(MachineCatalog.machineText(named: name))
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            for end in stride(from: 0, to: lines.count, by: 3) {
                let part = lines[..<end].joined(separator: "\n")
                do {
                    let machine = try MachineLibrary(host: testHost).machine(
                        text: part,
                        file: "cut.yaml"
                    )
                    #expect(!machine.partitions.isEmpty, "\(name) cut at \(end)")
                } catch .refused(let refusal) {
                    #expect(refusal.line >= 1)
                    #expect(refusal.line <= end + 1, "\(name) cut at \(end): \(refusal)")
                } catch {
                    Issue.record("\(name) cut at \(end): \(error)")
                }
            }
        }
    }
}
