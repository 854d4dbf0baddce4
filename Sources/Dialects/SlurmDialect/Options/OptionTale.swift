/// What `-v` tells of the options that were given.
///
/// Source: Slurm 22.05, `slurm_print_set_options` of `src/common/slurm_opt.c`.
enum OptionTale {
    /// The options by their names, between rules; how often `-v` was given is its value.
    static func lines(
        _ options: [(name: String, value: String?, isVerbose: Bool, isTime: Bool)]
    ) -> [String] {
        var values: [String: String] = [:]
        for option in options where !option.isVerbose {
            let value = option.value ?? "set"
            values[option.name] = value
            if option.isTime, case .of(let limit) = SlurmTime.limit(value) {
                values[option.name] = SlurmTime.full(limit)
            }
        }
        values["verbose"] = "\(options.count { $0.isVerbose })"
        let rule = String(repeating: "-", count: 20) + " " + String(repeating: "-", count: 20)
        let given = values.sorted { $0.key < $1.key }.map {
            FormatText.fit($0.key, 20, right: false) + ": " + $0.value
        }
        return ["defined options", rule] + given + [rule, "end of defined options"]
    }
}
