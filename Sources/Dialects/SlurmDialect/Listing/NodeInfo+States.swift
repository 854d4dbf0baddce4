import WireFormats

/// The states of nodes, in Slurm's three ways to write them.
///
/// Source: Slurm 22.05, `slurm_protocol_defs.c`, `node_state_string()` and its compact twin.
extension NodeInfo {
    private func has(_ flag: String) -> Bool { flags.contains(flag) }

    private var isHeld: Bool { state == "ALLOCATED" || state == "MIXED" || has("COMPLETING") }

    /// Whether no answer came lately.
    var isSilent: Bool { has("NOT_RESPONDING") }

    /// `idle`, `alloc`, `drng`, …, with what `mark` says.
    var compactState: String { words.compact + mark }

    /// `idle`, `allocated`, `draining`, …, with what `mark` says.
    var longState: String { words.long + mark }

    /// `*` when the node does not answer, `#` while it comes up, `~` when it is switched off.
    private var mark: String {
        isSilent ? "*" : has("POWERING_UP") ? "#" : has("POWERED_DOWN") ? "~" : ""
    }

    private var words: (compact: String, long: String) {
        if has("MAINTENANCE") { return ("maint", "maint") }
        if has("DRAIN"), state != "DOWN" {
            return isHeld ? ("drng", "draining") : ("drain", "drained")
        }
        if has("FAIL") { return isHeld ? ("failg", "failing") : ("fail", "fail") }
        if has("COMPLETING") { return ("comp", "completing") }
        if has("RESERVED"), state == "IDLE" { return ("resv", "reserved") }
        switch state {
        case "ALLOCATED": return ("alloc", "allocated")
        case "MIXED": return ("mix", "mixed")
        case "DOWN": return ("down", "down")
        case "FAIL": return ("fail", "fail")
        case "IDLE": return ("idle", "idle")
        default: return ("unk", "unknown")
        }
    }

    /// `IDLE+DRAIN`, as `scontrol` writes it.
    var fullState: String { ([state] + flags).joined(separator: "+") }

    /// The number by which `sinfo` sorts states: as in `slurm.h`, `enum node_states` and the flags over it.
    var stateRank: Int {
        let bases = ["UNKNOWN", "DOWN", "IDLE", "ALLOCATED", "ERROR", "MIXED", "FUTURE"]
        let bits = [
            "RESERVED": 5, "DRAIN": 9, "COMPLETING": 10, "NOT_RESPONDING": 11, "POWERED_DOWN": 12,
            "FAIL": 13, "POWERING_UP": 14, "MAINTENANCE": 15,
        ]
        return flags.reduce(bases.firstIndex(of: state) ?? 0) { rank, flag in
            bits[flag].map { rank | 1 << $0 } ?? rank
        }
    }

    /// Whether a word of `sinfo -t` means this node.
    func isIn(stateWord word: String) -> Bool {
        let (compact, long) = words
        switch word {
        case "all": return true
        case "drain", "drained", "draining", "drng":
            if word == "drain" { return has("DRAIN") }
            return word == compact || word == long
        case "down": return state == "DOWN"
        case "alloc", "allocated": return compact == "alloc" || compact == "comp"
        case "completing", "comp", "cg": return has("COMPLETING")
        case "no_respond", "nr": return isSilent
        case "power_down", "powered_down": return has("POWERED_DOWN")
        case "power_up", "powering_up": return has("POWERING_UP")
        default: return word == compact || word == long || word == state.lowercased()
        }
    }

    /// The states that `sinfo -t` knows.
    static let stateWords: Set<String> = [
        "all", "alloc", "allocated", "cg", "comp", "completing", "down", "drain", "drained",
        "draining", "drng", "fail", "failing", "failg", "idle", "maint", "mix", "mixed",
        "no_respond", "nr", "power_down", "power_up", "powered_down", "powering_up",
        "resv", "reserved", "unk", "unknown",
    ]

    /// Idle cores are those of a node that is neither down nor drained.
    var coreUse: (allocated: Int64, idle: Int64, other: Int64) {
        let held = Int64(coresHeld)
        let rest = Int64(cores) - held
        return isOut ? (held, 0, rest) : (held, rest, 0)
    }

    /// Whether the node is neither in use nor idle: Slurm counts one that is failing as idle.
    var isOut: Bool { state == "DOWN" || state == "UNKNOWN" || has("DRAIN") }

    /// The cards that are held, as Slurm writes them: `gpu:1`, and a kind of which there are none.
    var gresUsed: String {
        let kind = gres?.split(separator: ":").dropLast().joined(separator: ":") ?? "gpu"
        return "\(kind):\(acceleratorsHeld)"
    }

    /// Whether jobs hold it.
    var isInUse: Bool { isHeld }
}
