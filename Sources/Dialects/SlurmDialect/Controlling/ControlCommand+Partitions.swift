import Quantities
import WireFormats

extension ControlCommand {
    /// What `scontrol update PartitionName=…` asks for.
    static func updatePartition(
        _ name: String,
        _ changes: [Change]
    ) throws(CommandFailure) -> Action {
        var request = PartitionUpdateRequest()
        request.name = name
        for change in changes {
            if try readLimit(change, &request) { continue }
            guard tag(change.name, ["state"]) != nil else { throw unsupported(change) }
            let state = change.value.uppercased()
            guard ["UP", "DOWN", "DRAIN", "INACTIVE"].contains(state) else {
                throw failure(
                    "scontrol: error: Invalid input: \(change.word)",
                    "scontrol: error: Acceptable State values are UP, DOWN, DRAIN and INACTIVE",
                    noUpdate
                )
            }
            request.state = state
        }
        return .updatePartition(request)
    }

    /// Reads what a partition allows its jobs.
    ///
    /// - Returns: whether the change is about that.
    ///
    /// Source: Slurm 22.05, `scontrol_parse_part_options` of `src/scontrol/update_part.c`.
    private static func readLimit(
        _ change: Change,
        _ request: inout PartitionUpdateRequest
    ) throws(CommandFailure) -> Bool {
        let isUnlimited = ["UNLIMITED", "INFINITE"].contains(change.value.uppercased())
        if isShort(change.name, for: "maxnodes", least: 4) {
            request.removesMaximumNodes = isUnlimited ? true : nil
            guard !isUnlimited else { return true }
            guard let count = Int32(change.value), count >= 1 else {
                throw failure("scontrol: error: Invalid input \(change.word)", noUpdate)
            }
            request.maximumNodes = count
            return true
        }
        guard isShort(change.name, for: "maxtime", least: 4) else { return false }
        switch SlurmTime.limit(change.value) {
        case .unlimited: request.removesMaximumTime = true
        case .of(let length) where length > .zero: request.maximumTime = length
        default:
            throw failure("scontrol: error: Invalid input \(change.word)", noUpdate)
        }
        return true
    }

    /// What is said beside the words of a partition that cannot be read: nothing was asked of the centre.
    private static let noUpdate = "slurm_update error: No error"
}
