public import ClusterModel
import Glibc
import SlurmDialect
import Synchronization
import WireFormats

// Who may do what: `Rights` says it, for whatever comes by the socket, the network or Slurm's REST.

extension Centre {
    /// What the caller may do, by the customers that are in force now.
    public func rights(of caller: Caller) -> Rights {
        caller.rights(in: machine.roles)
    }

    /// What the caller may do as things are when the turn of a request comes: a role that was taken meanwhile
    /// counts no more. The name is looked up before it, since whoever is asked for it may take a while.
    func rightsInTurn(of caller: Caller) -> @Sendable (CentreState) -> Rights {
        let name = UserNames.user(caller.userID)
        return { caller.rights(called: name, in: $0.rules.roles) }
    }

    func require(_ power: Power, _ caller: Caller) throws(RequestFailure) {
        guard rights(of: caller).may(power) else { throw .refused(.accessDenied) }
    }
}

extension Caller {
    /// Root, and who started the centre, are operators whatever a file says.
    private var isOwner: Bool { userID == 0 || userID == getuid() }

    /// What the caller may do in a centre with such customers.
    func rights(in roles: RoleBook) -> Rights {
        rights(called: UserNames.user(userID), in: roles)
    }

    func rights(called name: String, in roles: RoleBook) -> Rights {
        roles.rights(of: name, isOwner: isOwner)
    }

    func owns(_ entry: JobEntry) -> Bool { entry.specification.request.userID == userID }
}

extension Rights {
    /// Whether a power is given over a job, be it one's own or not.
    func may(_ power: Power, _ entry: JobEntry, of caller: Caller) -> Bool {
        may(power, toJobOf: entry.specification.account, isOwn: caller.owns(entry))
    }

    /// Whether it is a job that the user has authority over. One has none over one's own, save as a coordinator of
    /// its account or an operator.
    func isOver(_ entry: JobEntry) -> Bool { may(.changeJobs, in: entry.specification.account) }
}

/// The machine with its customers as they are now. Several may read it again at once; what was read earlier never
/// takes the place of what was read later: a role that was taken would come back.
final class MachineInForce: Sendable {
    private struct Known {
        var machine: Machine
        var roles: RoleBook
        var batch: Int64
    }

    private let known: Mutex<Known>

    init(_ machine: Machine) {
        known = Mutex(Known(machine: machine, roles: RoleBook(machine), batch: 0))
    }

    var now: Machine { known.withLock { $0.machine } }

    /// Who has which role in it.
    var roles: RoleBook { known.withLock { $0.roles } }

    /// Takes over a machine as it was after a batch.
    ///
    /// - Parameter roles: those of its customers, where they are known.
    func take(_ machine: Machine, roles: RoleBook? = nil, after batch: Int64) {
        let taken = Known(machine: machine, roles: roles ?? RoleBook(machine), batch: batch)
        known.withLock { if batch >= $0.batch { $0 = taken } }
    }
}
