public import ClusterModel
import Glibc
import SlurmDialect
import Synchronization
import WireFormats

// Who may do what: `Rights` says it, for whatever comes by the socket, the network or Slurm's REST.

extension Centre {
    /// What the caller may do, by the customers that are in force now.
    public func rights(of caller: Caller) -> Rights {
        caller.rights(in: machine.withLock { $0 })
    }

    func require(_ power: Power, _ caller: Caller) throws(RequestFailure) {
        guard rights(of: caller).may(power) else { throw .refused(.accessDenied) }
    }
}

extension Caller {
    /// Root, and who started the centre, are operators whatever a file says.
    private var isOwner: Bool { userID == 0 || userID == getuid() }

    /// What the caller may do in a centre with such customers.
    func rights(in machine: Machine) -> Rights {
        Rights(of: UserNames.user(userID), in: machine, isOwner: isOwner)
    }

    func owns(_ entry: JobEntry) -> Bool { entry.specification.request.userID == userID }
}

extension Rights {
    /// Whether a power is given over a job, be it one's own or not.
    func may(_ power: Power, _ entry: JobEntry, of caller: Caller) -> Bool {
        may(power, toJobOf: entry.specification.account, isOwn: caller.owns(entry))
    }

    /// Whether it is a job that the user has authority over, as one has none over one's own.
    func isOver(_ entry: JobEntry) -> Bool { may(.changeJobs, in: entry.specification.account) }
}
