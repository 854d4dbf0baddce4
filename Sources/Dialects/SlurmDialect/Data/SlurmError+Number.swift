extension SlurmError {
    /// Slurm's number of the refusal, which its REST answers with; -1 (`SLURM_ERROR`) for those whose
    /// number differs between versions, or that have none.
    ///
    /// Source: Slurm, `slurm/slurm_errno.h`.
    public var number: Int32 {
        switch self {
        case .invalidPartition: 2000
        case .accessDenied: 2002
        case .invalidNodeCount: 2006
        case .invalidUserID: 2010
        case .tooLong: 2012
        case .requestNotAvailable: 2014
        case .nodesBusy: 2016
        case .invalidJobID: 2017
        case .invalidNodeName: 2018
        case .alreadyDone: 2021
        case .jobPending: 2024
        case .invalidNodeState: 2028
        case .invalidFeature: 2029
        case .disabled: 2037
        case .dependencyProblem: 2038
        case .invalidAccount: 2045
        case .invalidLicense: 2048
        case .accountingPolicy: 2050
        case .invalidTimeLimit: 2051
        case .reservationAccess: 2052
        case .invalidReservation: 2053
        case .invalidTime: 2054
        case .reservationBusy: 2055
        case .reservationOverlap: 2058
        case .invalidQOS: 2066
        case .partitionNotAvailable: 2070
        case .invalidGres: 2072
        case .notPending: 2073
        case .tooManyJobs: 11
        case .centreUnavailable, .invalidArray, .invalidCluster, .invalidComment, .invalidNice,
            .notWholeHetJob, .reservationNameTaken, .unspecified:
            -1
        }
    }
}
