/// `#PBS` lines, which `sbatch` honours too: the common ones are read as their `sbatch` options.
///
/// Source: Slurm 22.05, `src/sbatch/opt.c`, `_set_pbs_options`.
enum PBSDirectives {
    /// The options that the words of `#PBS` lines stand for. Unknown ones are skipped, as in Slurm.
    static func options(_ words: [String]) -> [GivenOption<SubmitOption>] {
        var options: [GivenOption<SubmitOption>] = []
        var rest = words[...]
        while let word = rest.popFirst() {
            guard word.hasPrefix("-"), let letter = word.dropFirst().first else { continue }
            if letter == "h" {
                options.append(GivenOption(id: .hold, name: "hold"))
                continue
            }
            if letter == "V" || letter == "I" { continue }
            let joined = word.dropFirst(2)
            guard let value = joined.isEmpty ? rest.popFirst() : String(joined) else { break }
            if letter == "l" {
                options += resources(value)
            } else if let (id, name) = plain[letter] {
                options.append(GivenOption(id: id, name: name, value: value))
            }
        }
        return options
    }

    private static let plain: [Character: (SubmitOption, String)] = [
        "A": (.account, "account"), "N": (.jobName, "job-name"), "q": (.partition, "partition"),
        "o": (.output, "output"), "e": (.error, "error"), "J": (.array, "array"),
        "t": (.array, "array"), "d": (.chdir, "chdir"), "a": (.begin, "begin"),
        "M": (.mailUser, "mail-user"),
    ]

    /// `nodes=2:ppn=8,walltime=1:00:00,mem=4gb`.
    private static func resources(_ text: String) -> [GivenOption<SubmitOption>] {
        var options: [GivenOption<SubmitOption>] = []
        // A colon separates properties of nodes, but also the parts of a wall time.
        let items = text.split(separator: ",").flatMap { item in
            item.hasPrefix("walltime=") ? [item] : item.split(separator: ":")
        }
        for item in items {
            let parts = item.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else { continue }
            let id: SubmitOption
            switch parts[0].lowercased() {
            case "nodes": id = .nodes
            case "ppn", "mpiprocs": id = .ntasksPerNode
            case "walltime": id = .time
            case "mem": id = .mem
            case "ncpus": id = .cpusPerTask
            default: continue
            }
            options.append(GivenOption(id: id, name: parts[0], value: parts[1]))
        }
        return options
    }
}
