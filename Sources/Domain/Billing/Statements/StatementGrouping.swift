/// What the costs of a statement can be broken down by.
public enum StatementGrouping: String, Hashable, Sendable, CaseIterable {
    /// Who submitted the job.
    case user
    /// Where it ran.
    case platform

    /// The group of a part of a run.
    func name(of part: ChargePart) -> String {
        switch self {
        case .user: part.user
        case .platform: part.platform
        }
    }
}
