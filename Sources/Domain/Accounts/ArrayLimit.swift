/// How many jobs of a job array may run at once.
public enum ArrayLimit: Hashable, Sendable {
    /// All of them.
    case all
    /// So many.
    case most(Int64)
}
