// Orders by what a user asked for. All are static.

extension QueueOrder {
    /// By submission.
    public static let fcfs = QueueOrder(
        name: "fcfs",
        summary: "first come, first served",
        source: "every batch system"
    ) { _ in 0 }

    /// The shortest time limit first.
    public static let sjf = QueueOrder(
        name: "sjf",
        summary: "shortest planned run time first",
        source: "Conway, Maxwell, Miller, Theory of Scheduling, 1967"
    ) { Int64($0.plannedSeconds) }

    /// The longest time limit first.
    public static let ljf = QueueOrder(
        name: "ljf",
        summary: "longest planned run time first",
        source: "Graham, SIAM J. Appl. Math. 17(2), 1969 (LPT)"
    ) { -Int64($0.plannedSeconds) }

    /// The fewest nodes (cores on shared nodes) first.
    public static let narrowest = QueueOrder(
        name: "narrowest",
        summary: "fewest nodes first (cores where nodes are shared)",
        source: "Majumdar, Eager, Bunt, SIGMETRICS 1988 (smallest number of processes first)"
    ) { Int64($0.units) }

    /// The most nodes (cores on shared nodes) first.
    public static let widest = QueueOrder(
        name: "widest",
        summary: "most nodes first (cores where nodes are shared)",
        source: "Li and Cheng, Job scheduling in a partitionable mesh, 1991 (largest job first)"
    ) { -Int64($0.units) }
}
