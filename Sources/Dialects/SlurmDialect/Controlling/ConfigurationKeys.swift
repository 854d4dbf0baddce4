/// The members of Slurm's configuration, in the order in which `scontrol show config` prints them.
///
/// Source: Slurm 22.05.8, `slurm_write_ctl_conf()`; the values are those that hold for every centre of ours:
/// Slurm's defaults, and `(null)` where there is nothing of the kind. What a centre has of its own it says in
/// its status.
enum ConfigurationKeys {
    /// Names, and the values where the centre says no other.
    static let all: [(name: String, value: String)] = text.split(separator: "\n").map { line in
        let parts = line.split(separator: " ", maxSplits: 1)
        return (String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
    }

    private static let text = """
        AccountingStorageBackupHost (null)
        AccountingStorageEnforce associations,limits,qos
        AccountingStorageHost (null)
        AccountingStorageExternalHost (null)
        AccountingStorageParameters (null)
        AccountingStoragePort 0
        AccountingStorageTRES cpu,mem,energy,node,billing,fs/disk,vmem,pages,gres/gpu
        AccountingStorageType accounting_storage/slurmdbd
        AccountingStorageUser N/A
        AccountingStoreFlags (null)
        AcctGatherEnergyType acct_gather_energy/none
        AcctGatherFilesystemType acct_gather_filesystem/none
        AcctGatherInterconnectType acct_gather_interconnect/none
        AcctGatherNodeFreq 0 sec
        AcctGatherProfileType acct_gather_profile/none
        AllowSpecResourcesUsage No
        AuthAltTypes (null)
        AuthAltParameters (null)
        AuthInfo (null)
        AuthType auth/socket
        BatchStartTimeout 10 sec
        BcastExclude /lib,/usr/lib,/lib64,/usr/lib64
        BcastParameters (null)
        BOOT_TIME Unknown
        BurstBufferType (null)
        CliFilterPlugins (null)
        ClusterName (null)
        CommunicationParameters (null)
        CompleteWait 0 sec
        CoreSpecPlugin core_spec/none
        CpuFreqDef Unknown
        CpuFreqGovernors OnDemand,Performance,UserSpace
        CredType cred/socket
        DebugFlags (null)
        DefMemPerNode UNLIMITED
        DependencyParameters (null)
        DisableRootJobs No
        EioTimeout 60
        EnforcePartLimits NO
        Epilog (null)
        EpilogMsgTime 2000 usec
        EpilogSlurmctld (null)
        ExtSensorsType ext_sensors/none
        ExtSensorsFreq 0 sec
        FairShareDampeningFactor 1
        FederationParameters (null)
        FirstJobId 1
        GetEnvTimeout 2 sec
        GresTypes (null)
        GpuFreqDef high,memory=high
        GroupUpdateForce 1
        GroupUpdateTime 600 sec
        HASH_VAL Match
        HealthCheckInterval 0 sec
        HealthCheckNodeState ANY
        HealthCheckProgram (null)
        InactiveLimit 0 sec
        InteractiveStepOptions --interactive --preserve-env --pty $SHELL
        JobAcctGatherFrequency 30
        JobAcctGatherType jobacct_gather/linux
        JobAcctGatherParams (null)
        JobCompHost (null)
        JobCompLoc (null)
        JobCompPort 0
        JobCompType jobcomp/none
        JobCompUser (null)
        JobContainerType job_container/none
        JobCredentialPrivateKey (null)
        JobCredentialPublicCertificate (null)
        JobDefaults (null)
        JobFileAppend 0
        JobRequeue 1
        JobSubmitPlugins (null)
        KillOnBadExit 0
        KillWait 30 sec
        LaunchParameters (null)
        LaunchType launch/slurm
        Licenses (null)
        LogTimeFormat iso8601_ms
        MailDomain (null)
        MailProg (null)
        MaxArraySize 10001
        MaxDBDMsgs 400064
        MaxJobCount 500000
        MaxJobId 4294967295
        MaxMemPerNode UNLIMITED
        MaxNodeCount 1
        MaxStepCount 40000
        MaxTasksPerNode 512
        MCSPlugin mcs/none
        MCSParameters (null)
        MessageTimeout 10 sec
        MinJobAge 300 sec
        MpiDefault none
        MpiParams (null)
        NEXT_JOB_ID 1
        NodeFeaturesPlugins (null)
        OverTimeLimit 0 min
        PluginDir (null)
        PlugStackConfig (null)
        PowerParameters (null)
        PowerPlugin
        PreemptMode OFF
        PreemptType preempt/none
        PreemptExemptTime 00:00:00
        PrEpParameters (null)
        PrEpPlugins prep/script
        PriorityParameters (null)
        PrioritySiteFactorParameters (null)
        PrioritySiteFactorPlugin (null)
        PriorityDecayHalfLife 7-00:00:00
        PriorityCalcPeriod 00:05:00
        PriorityFavorSmall No
        PriorityFlags
        PriorityMaxAge 7-00:00:00
        PriorityUsageResetPeriod NONE
        PriorityType priority/basic
        PriorityWeightAge 0
        PriorityWeightAssoc 0
        PriorityWeightFairShare 0
        PriorityWeightJobSize 0
        PriorityWeightPartition 0
        PriorityWeightQOS 0
        PriorityWeightTRES (null)
        PrivateData none
        ProctrackType proctrack/linuxproc
        Prolog (null)
        PrologEpilogTimeout 65534
        PrologSlurmctld (null)
        PrologFlags (null)
        PropagatePrioProcess 0
        PropagateResourceLimits ALL
        PropagateResourceLimitsExcept (null)
        RebootProgram (null)
        ReconfigFlags (null)
        RequeueExit (null)
        RequeueExitHold (null)
        ResumeFailProgram (null)
        ResumeProgram (null)
        ResumeRate 300 nodes/min
        ResumeTimeout 60 sec
        ResvEpilog (null)
        ResvOverRun 0 min
        ResvProlog (null)
        ReturnToService 0
        RoutePlugin route/default
        SchedulerParameters (null)
        SchedulerTimeSlice 30 sec
        SchedulerType sched/backfill
        ScronParameters (null)
        SelectType select/cons_tres
        SelectTypeParameters CR_CORE_MEMORY
        SlurmUser root(0)
        SlurmctldAddr (null)
        SlurmctldDebug info
        SlurmctldHost[0] localhost
        SlurmctldLogFile (null)
        SlurmctldPort 6817
        SlurmctldSyslogDebug (null)
        SlurmctldPrimaryOffProg (null)
        SlurmctldPrimaryOnProg (null)
        SlurmctldTimeout 120 sec
        SlurmctldParameters (null)
        SlurmdDebug info
        SlurmdLogFile (null)
        SlurmdParameters (null)
        SlurmdPidFile (null)
        SlurmdPort 6818
        SlurmdSpoolDir (null)
        SlurmdSyslogDebug (null)
        SlurmdTimeout 300 sec
        SlurmdUser root(0)
        SlurmSchedLogFile (null)
        SlurmSchedLogLevel 0
        SlurmctldPidFile (null)
        SlurmctldPlugstack (null)
        SLURM_CONF (null)
        SLURM_VERSION 22.05.8
        SrunEpilog (null)
        SrunPortRange 0-0
        SrunProlog (null)
        StateSaveLocation (null)
        SuspendExcNodes (null)
        SuspendExcParts (null)
        SuspendProgram (null)
        SuspendRate 60 nodes/min
        SuspendTime INFINITE
        SuspendTimeout 30 sec
        SwitchParameters (null)
        SwitchType switch/none
        TaskEpilog (null)
        TaskPlugin task/none
        TaskPluginParam (null type)
        TaskProlog (null)
        TCPTimeout 2 sec
        TmpFS /tmp
        TopologyParam (null)
        TopologyPlugin topology/none
        TrackWCKey No
        TreeWidth 50
        UsePam No
        UnkillableStepProgram (null)
        UnkillableStepTimeout 60 sec
        VSizeFactor 0 percent
        WaitTime 0 sec
        X11Parameters (null)
        """
}
