/// What the costs of a statement can be broken down by.
public enum StatementGrouping: String, Hashable, Sendable, CaseIterable {
    /// Who submitted the job.
    case user
    /// What the user counts its costs under: `--wckey`, or `project=NAME` in its comment.
    case project
    /// Where it ran.
    case platform
    /// The program that it ran, where that is known.
    case kernel

    /// The group of a part of a run.
    func name(of part: ChargePart) -> String {
        switch self {
        case .user: part.user
        case .project: part.project
        case .platform: part.platform
        case .kernel: part.kernel
        }
    }
}
