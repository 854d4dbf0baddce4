import SlurmDialect
import WireFormats

/// An edit as `sacctmgr` would send it.
func edit(
    _ verb: PeopleEdit.Verb,
    _ entity: String,
    _ names: [String],
    accounts: [String] = [],
    _ settings: (String, String)...
) -> PeopleEdit {
    var edit = PeopleEdit()
    edit.verb = verb.rawValue
    edit.entity = entity
    edit.names = names
    edit.accounts = accounts
    edit.settings = settings.map { NamedLimit(name: $0.0, value: $0.1) }
    return edit
}
