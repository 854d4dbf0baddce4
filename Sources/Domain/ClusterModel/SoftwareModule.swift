public import Quantities

/// Software of a machine: what `module load` knows, and how long its programs take when a script is
/// rehearsed.
public struct SoftwareModule: Hashable, Sendable {
    /// The name that scripts load: `lammps/2023`.
    public var name: String
    /// What it brings.
    public var programs: [SoftwareProgram]

    /// The most programs that a machine has: each is a name in a folder.
    public static let programsMaximum = 1_000
    /// The most modules: their names travel in a variable of the environment.
    public static let modulesMaximum = 500

    /// Makes a module.
    public init(name: String, programs: [SoftwareProgram]) {
        self.name = name
        self.programs = programs
    }
}

/// A program that is not here, and takes its time.
public struct SoftwareProgram: Hashable, Sendable {
    /// How long it takes.
    public enum Time: Hashable, Sendable {
        /// `serial` on any number of nodes, and `shared` divided by their number.
        case formula(serial: SimDuration, shared: SimDuration)
        /// What the predictor says of a kernel: its name, its size in the kernel's own form, and how
        /// often it is repeated.
        case kernel(String, size: String, repeats: Int)
    }

    /// What scripts call: `lmp`.
    public var name: String
    /// How long it takes.
    public var time: Time

    /// Makes a program.
    public init(name: String, time: Time) {
        self.name = name
        self.time = time
    }
}

extension Machine {
    /// A program by the name that scripts call it by, and the module that brings it: the one that is named,
    /// else the first.
    public func softwareProgram(
        named name: String,
        of moduleName: String? = nil
    ) -> (module: SoftwareModule, program: SoftwareProgram)? {
        for module in software where moduleName.map({ $0 == module.name }) ?? true {
            if let program = module.programs.first(where: { $0.name == name }) {
                return (module, program)
            }
        }
        return nil
    }
}
