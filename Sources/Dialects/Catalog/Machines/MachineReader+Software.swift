import ClusterModel
import Prediction
import Quantities
import WireFormats

extension MachineReader {
    /// The software of a file: modules, the programs that they bring, and how long those take.
    func software(_ top: YAMLMapping) throws(FileRefusal) -> [SoftwareModule] {
        var modules: [SoftwareModule] = []
        var count = 0
        for field in try top["software"]?.list() ?? [] {
            let fields = try field.mapping(["module", "programs"])
            let name = try moduleName(try fields.required("module"))
            guard !modules.contains(where: { $0.name == name }) else {
                throw field.refusal(.duplicate(name: name, of: "module"))
            }
            var module = SoftwareModule(name: name, programs: [])
            for entry in try fields.required("programs").list() {
                let program = try program(entry)
                guard !module.programs.contains(where: { $0.name == program.name }) else {
                    throw entry.refusal(.duplicate(name: program.name, of: "program"))
                }
                count += 1
                guard count <= SoftwareModule.programsMaximum else {
                    let most = SoftwareModule.programsMaximum
                    throw entry.refusal(.conflict("a machine has at most \(most) programs"))
                }
                module.programs.append(program)
            }
            modules.append(module)
            guard modules.count <= SoftwareModule.modulesMaximum else {
                let most = SoftwareModule.modulesMaximum
                throw field.refusal(.conflict("a machine has at most \(most) modules"))
            }
        }
        return modules
    }

    /// `NAME`, `NAME/VERSION`, or longer.
    private func moduleName(_ field: YAMLField) throws(FileRefusal) -> String {
        let text = try field.text()
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        let isName = parts.allSatisfy { part in
            !part.isEmpty
                && part.utf8.allSatisfy { byte in
                    UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
                        || UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20
                        || "-_.+".utf8.contains(byte)
                }
        }
        guard isName, text.utf8.count <= 128 else {
            throw field.refusal(
                .unreadable(found: text, expected: "a name such as lammps/2023")
            )
        }
        return text
    }

    private func program(_ entry: YAMLField) throws(FileRefusal) -> SoftwareProgram {
        let fields = try entry.mapping([
            "program", "serial", "shared", "kernel", "size", "repeat",
        ])
        let name = try fields.required("program").name()
        guard name.contains(where: { $0 != "." }) else {
            throw fields.field.refusal(.conflict("'\(name)' is no name of a program"))
        }
        guard let field = fields["kernel"] else {
            for other in ["size", "repeat"] {
                guard let field = fields[other] else { continue }
                throw field.refusal(.conflict("'\(other)' belongs to a kernel"))
            }
            guard fields["serial"] != nil || fields["shared"] != nil else {
                throw entry.refusal(
                    .conflict("how long '\(name)' takes is missing: serial, shared or kernel")
                )
            }
            return SoftwareProgram(
                name: name,
                time: .formula(
                    serial: try duration(fields["serial"]),
                    shared: try duration(fields["shared"])
                )
            )
        }
        for other in ["serial", "shared"] {
            guard let field = fields[other] else { continue }
            throw field.refusal(.conflict("'\(other)' and 'kernel' say the time of one program"))
        }
        let (kernel, size) = (try field.text(), try fields["size"]?.text() ?? "medium")
        do {
            _ = try KernelForm(named: kernel).shape(of: size)
        } catch {
            let isKernel = KernelForm.names.contains(kernel)
            throw ((isKernel ? fields["size"] : nil) ?? field).refusal(.conflict("\(error)"))
        }
        let repeats = try fields["repeat"]?.integer(1...1_000_000_000) ?? 1
        return SoftwareProgram(name: name, time: .kernel(kernel, size: size, repeats: Int(repeats)))
    }

    private func duration(_ field: YAMLField?) throws(FileRefusal) -> SimDuration {
        SimDuration(seconds: Int64(try field?.seconds() ?? 0))
    }
}
