import Catalog
public import ClusterModel
import Glibc
import Logging
import Synchronization
import WireFormats

// Customers that a machine's file brings, at an opening or while the centre is open.

extension Centre {
    /// Brings the customers of a machine into force, as an opening with it would.
    ///
    /// - Returns: whether they are others than the last that a file brought.
    /// - Throws: `RequestFailure` when they cannot be.
    public func takeOver(customersOf changed: Machine) async throws(RequestFailure) -> Bool {
        let loaded = await snapshot().state.load != nil
        let given = CustomerRegister(of: loaded ? changed.withLoadAccounts : changed)
        let daemon = Caller(userID: getuid(), groupID: getgid())
        let roles = Mutex<[String]>([])
        let results = try await act(daemon) { state in
            // What operators changed stays until the file says something else.
            guard given != state.givenCustomers else { return .success([]) }
            if let problem = state.problem(of: given) {
                let body = ErrorBody(code: "bad_customers", text: problem)
                return .failure(RequestFailure(status: 400, body: body))
            }
            let known = CustomerRegister(of: state.rules.machine)
            roles.withLock { $0 = known.roleChanges(to: given) }
            return .success([.customers(given)])
        }
        guard !results.isEmpty else { return false }
        for change in roles.withLock({ $0 }) {
            settings.logger.notice("by the machine's file \(change)")
        }
        await readMachineAgain()
        return true
    }

    /// Goes by the customers that are in force now when it is asked who may read what.
    func readMachineAgain() async {
        let state = await snapshot().state
        machine.take(state.rules.machine, roles: state.rules.roles, after: state.batch)
    }
}

extension WriterLoop {
    /// Customers of the machine's file that are not those in force.
    func bringCustomersIntoForce() throws(OpenFailure) {
        let file = settings.isMachineGiven ? settings.rules.machine : state.rules.machine
        let given = CustomerRegister(of: state.load == nil ? file : file.withLoadAccounts)
        // What operators changed since the file was read stays until the file says something else.
        let known = settings.isMachineGiven ? state.givenCustomers : CustomerRegister(of: file)
        guard given != known else { return }
        if let problem = state.problem(of: given) { throw .customers(problem) }
        for change in CustomerRegister(of: state.rules.machine).roleChanges(to: given) {
            logger.notice("by the machine's file \(change)")
        }
        try put(.customers(given))
    }
}
