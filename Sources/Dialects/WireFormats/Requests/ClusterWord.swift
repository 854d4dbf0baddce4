/// Words that stand for clusters where requests name them; no cluster is called so.
public enum ClusterWord {
    /// The centre's own.
    public static let own = "own"
    /// All of them.
    public static let all = "all"
}
