public import Accounts

/// What changes of accounts and QOS while a centre runs. Running jobs go on; all are counted again
/// under what holds now.
public enum PeopleChange: Hashable, Sendable {
    /// An account stands below `parent` (the root when it is nil) and has these settings; it is made if it is new,
    /// and moved with all below it if it stood elsewhere.
    ///
    /// `isNew`: it was added to others whose use and ranks were computed already, as is a user.
    case account(Int32, parent: Int32?, AssociationSettings, isNew: Bool = false)
    /// A user of an account, made if it is new, has these settings.
    case user(Int32, account: Int32, AssociationSettings, isNew: Bool = false)
    /// A QOS takes the place of the one at a position, or comes behind the last.
    case qos(Int, QOS)
    /// A partition has these terms.
    case partition(Int, PartitionTerms)
}
