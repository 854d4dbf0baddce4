import Billing
import Catalog
import ClusterModel
import Quantities
import WireFormats

// Customers who come and change while the centre lives. What was charged and granted before stays
// as it was: the books remember what an account was when an entry was booked.

extension CentreState {
    /// Why these customers cannot come into force; nil when they can.
    func problem(of register: CustomerRegister) -> String? {
        for account in register.accounts {
            guard let known = book.accounts[account.name],
                known.enterprise != account.enterprise
            else { continue }
            // What was granted counts against the cap of the enterprise that it was granted to.
            let words = { (enterprise: String?) in enterprise.map { "enterprise '\($0)'" } ?? "none"
            }
            return "account '\(account.name)' belongs to \(words(known.enterprise)) and cannot move"
                + " to \(words(account.enterprise)); add an account for that"
        }
        return nil
    }

    /// Leaves all limits of credit as they are, since whoever asks may change none: an account that was there keeps
    /// its own, also where it was deleted and made again in one request. New ones pay in advance where one of
    /// those above does not owe without bound: else a limit would be passed by as many accounts as one likes.
    func keepCredit(in register: inout CustomerRegister) {
        let known = rules.machine.accounts.places
        let places = register.accounts.places
        for index in register.accounts.indices {
            let account = register.accounts[index]
            if let place = known[account.name] {
                register.accounts[index].creditLimitFen =
                    rules.machine.accounts[place].creditLimitFen
                continue
            }
            let isBounded = register.accounts.chain(from: account.parent) { places[$0] }.contains {
                let entry = register.accounts[$0]
                return book.ledger.creditLimits[entry.name] != nil || entry.creditLimitFen != nil
            }
            if isBounded { register.accounts[index].creditLimitFen = 0 }
        }
    }

    /// Why a QOS cannot be deleted now; nil when it can.
    func problemOfDeletedQOS(in edits: [PeopleEdit]) -> String? {
        let names = Set(
            edits.filter { $0.entity == "qos" && $0.verb == PeopleEdit.Verb.delete.rawValue }
                .flatMap(\.names)
        )
        guard !names.isEmpty else { return nil }
        var problem: String?
        jobs.forEach { entry in
            guard problem == nil, names.contains(entry.status.qos), !entry.hasEnded
            else { return }
            problem = "QOS '\(entry.status.qos)' has jobs, such as \(entry.id); cancel them first"
        }
        return problem
    }

    /// Brings a register into force. Accounts that are not in it any more take no jobs; their books
    /// stay.
    mutating func change(
        _ register: CustomerRegister,
        at instant: SimInstant
    ) -> InputResult {
        if let problem = problem(of: register) {
            return .refused(ErrorBody(code: "bad_customers", text: problem))
        }
        let known = rules.machine
        let places = known.accounts.places
        rules = rules.with(register)
        book.setAccounts(register.accounts.map { BillingAccount($0) })
        book.issuer = register.issuer
        for account in register.accounts {
            let limit = account.creditLimitFen
            // An operator may have set another limit since; only what the file changes counts.
            let old = places[account.name].flatMap { known.accounts[$0].creditLimitFen }
            guard limit != old else { continue }
            do throws(LedgerRefusal) {
                keep(
                    try book.setCreditLimit(
                        limit.map { Fen($0) },
                        of: account.name,
                        reference: "\(account.name)/\(ledgerLength)",
                        at: instant
                    )
                )
            } catch {
                return .refused(ErrorBody(code: "bad_customers", text: Self.text(error)))
            }
            repriceAll(of: account.name, at: instant)
        }
        for account in purses.keys.sorted() { refreshPurse(of: account, at: instant) }
        changePeople(from: known, at: instant)
        return .done(id: 0)
    }
}
