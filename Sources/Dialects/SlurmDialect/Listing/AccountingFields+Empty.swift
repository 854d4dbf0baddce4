/// Fields of `sacct -o` that a script may ask for and that no centre of ours has anything to say in.
/// They stay empty, as a real one's do where nothing was gathered.
///
/// Source of names and widths: Slurm 22.05, `sacct --helpformat` and `sacct -l`.
extension AccountingFields {
    static let empty: [Field] = emptyWidths.map { name, width in
        Field(name: name, width: width) { _ in "" }
    }

    private static let emptyWidths: [(name: String, width: Int)] = [
        ("AdminComment", 20), ("AssocID", 10), ("AveCPU", 10), ("AveCPUFreq", 10),
        ("AveDiskRead", 14), ("AveDiskWrite", 14), ("AvePages", 10), ("AveRSS", 10),
        ("AveVMSize", 10), ("BlockID", 16), ("Constraints", 15),
        ("Container", 20), ("DBIndex", 11), ("Flags", 20),
        ("Layout", 9), ("MaxDiskRead", 12), ("MaxDiskReadNode", 15), ("MaxDiskReadTask", 15),
        ("MaxDiskWrite", 12), ("MaxDiskWriteNode", 16), ("MaxDiskWriteTask", 16), ("MaxPages", 8),
        ("MaxPagesNode", 12), ("MaxPagesTask", 14), ("MaxRSSNode", 10), ("MaxRSSTask", 10),
        ("MaxVMSize", 10), ("MaxVMSizeNode", 14), ("MaxVMSizeTask", 14), ("McsLabel", 20),
        ("MinCPU", 10), ("MinCPUNode", 10), ("MinCPUTask", 10), ("QOSRAW", 10),
        ("ReqCPUFreq", 10),
        ("Reservation", 20), ("ReservationId", 15), ("ResvCPU", 10), ("ResvCPURAW", 10),
        ("SystemComment", 20), ("SystemCPU", 10), ("TRESUsageInAve", 14), ("TRESUsageInMax", 14),
        ("TRESUsageInMaxNode", 18), ("TRESUsageInMaxTask", 18), ("TRESUsageInMin", 14),
        ("TRESUsageInMinNode", 18), ("TRESUsageInMinTask", 18), ("TRESUsageInTot", 14),
        ("TRESUsageOutAve", 15), ("TRESUsageOutMax", 15), ("TRESUsageOutMaxNode", 19),
        ("TRESUsageOutMaxTask", 19), ("TRESUsageOutMin", 15), ("TRESUsageOutMinNode", 19),
        ("TRESUsageOutMinTask", 19), ("TRESUsageOutTot", 15), ("UserCPU", 10), ("WCKey", 10),
        ("WCKeyID", 10),
    ]
}
