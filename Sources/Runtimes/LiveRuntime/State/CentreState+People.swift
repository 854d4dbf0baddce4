import Accounts
import Catalog
import ClusterModel
import Emulation
import Quantities

// Shares and limits of accounts and users that a new register brings.

extension CentreState {
    /// Tells the emulator of QOS, accounts and users that `known` lacks, or has with other shares or limits.
    mutating func changePeople(from known: Machine, at instant: SimInstant) {
        let before = known.qosInOrder
        for (place, qos) in rules.machine.qosInOrder.enumerated()
        where !before.indices.contains(place) || before[place] != qos {
            change(.qos(place, qos), at: instant)
        }
        let places = known.accounts.places
        // Those above before those below, so that whoever is moved goes where the new parent will stay.
        for account in rules.machine.accounts.downward {
            let number = people.account(account.name)
            let old = places[account.name].map { known.accounts[$0] }
            if old == nil || account.settings != old?.settings || account.parent != old?.parent {
                let parent = account.parent.map { people.account($0) }
                change(
                    .account(number, parent: parent, account.settings, isNew: old == nil),
                    at: instant
                )
            }
            var names = account.members.map(\.name)
            names += (old?.members ?? []).map(\.name).filter { !names.contains($0) }
            for name in names {
                let settings = account.settings(of: name)
                let isNew = account.isListing(name) && old?.isListing(name) != true
                guard isNew || settings != old?.settings(of: name) ?? AssociationSettings() else {
                    continue
                }
                let user = people.user(name)
                change(.user(user, account: number, settings, isNew: isNew), at: instant)
            }
        }
    }

    private mutating func change(_ change: PeopleChange, at instant: SimInstant) {
        let rejection = send(.changePeople(change), at: instant)
        precondition(rejection == nil, "a change of people is never refused")
    }
}

extension AccountEntry {
    /// Whether a user is named among those that have shares and limits of their own.
    fileprivate func isListing(_ user: String) -> Bool { members.contains { $0.name == user } }

    /// Shares and limits of a user of the account.
    fileprivate func settings(of user: String) -> AssociationSettings {
        members.first { $0.name == user }?.settings ?? AssociationSettings()
    }
}
