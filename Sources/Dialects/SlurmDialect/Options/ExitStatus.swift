/// The exit statuses of Tianhe's and Slurm's commands other than 0, a job's own and those of signals. The
/// table for people is docs/exit-codes.md.
public enum ExitStatus {
    /// The centre refused, does not answer, or does not know what was named; for most commands, options that
    /// cannot be read too.
    public static let refused: Int32 = 1
    /// `seff`: no job number, or an unknown job.
    public static let unknownJob: Int32 = 2
    /// `salloc`, outside a job: its command cannot be executed.
    public static let notExecuted: Int32 = 2
    /// `scancel`: the job is somebody else's.
    public static let notOwned: Int32 = 210
    /// `sbatch`, `srun`, `salloc`: options that cannot be read.
    public static let unreadable: Int32 = 255
    /// What a shell makes of a program that a signal ended: this, and the signal's number.
    public static let signalled: Int32 = 128
}
