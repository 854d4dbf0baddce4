import ClusterModel
import Quantities

extension MachineReader {
    static let customerFields = ["accounts", "default_account", "operators"]

    /// The customers of a centre: from the file, from one that it includes, or one for everybody.
    func readCustomers(_ top: YAMLMapping, into draft: inout MachineDraft) throws(FileRefusal) {
        if let include = top["include"] {
            for field in try include.list() { try readIncluded(field, into: &draft) }
        }
        try readCustomers(of: top, into: &draft)
        if draft.accounts.isEmpty {
            // Somebody's first machine file should not need a customer register.
            draft.accounts = [
                AccountEntry(name: "default", title: "Everybody", customerClass: .individual)
            ]
        }
    }

    private func readIncluded(
        _ field: YAMLField,
        into draft: inout MachineDraft
    ) throws(FileRefusal) {
        let name = try field.text()
        guard let found = library.find(name, referredToBy: field.file) else {
            throw field.refusal(.unreadableFile(name: name))
        }
        let document = try YAMLField.document(found.text, file: found.path)
        try readCustomers(of: document.mapping(Self.customerFields), into: &draft)
    }

    private func readCustomers(
        of top: YAMLMapping,
        into draft: inout MachineDraft
    ) throws(FileRefusal) {
        for field in try top["accounts"]?.list() ?? [] {
            let account = try account(field)
            guard !draft.accounts.contains(where: { $0.name == account.name }) else {
                throw field.refusal(.duplicate(name: account.name, of: "account"))
            }
            draft.accounts.append(account)
        }
        if let field = top["default_account"] {
            draft.defaultAccountIndex = try accountIndex(field, draft)
        }
        for field in try top["operators"]?.list() ?? [] {
            draft.operators.append(try field.name())
        }
    }

    private func account(_ field: YAMLField) throws(FileRefusal) -> AccountEntry {
        let fields = try field.mapping([
            "name", "title", "class", "enterprise", "registered_in", "credit_limit", "description",
            "users",
        ])
        var account = AccountEntry(
            name: try fields.required("name").name(),
            title: try fields.required("title").text(),
            enterprise: try fields["enterprise"]?.name(),
            customerClass: try fields.required("class").choice(AccountEntry.CustomerClass.self),
            registeredIn: try fields["registered_in"]?.text(),
            description: try fields["description"]?.paragraph() ?? ""
        )
        account.creditLimitFen = try fields["credit_limit"]?.money().count
        account.users = try fields["users"]?.list().map { user throws(FileRefusal) in
            try user.name()
        }
        return account
    }

    private func accountIndex(
        _ field: YAMLField,
        _ draft: MachineDraft
    ) throws(FileRefusal) -> Int {
        let name = try field.name()
        guard let index = draft.accounts.firstIndex(where: { $0.name == name }) else {
            throw field.refusal(unknownAccount(name, draft))
        }
        return index
    }

    /// Partitions may name accounts, which are read after them.
    func checkAccountsOfPartitions(_ draft: MachineDraft) throws(FileRefusal) {
        for partition in draft.partitions {
            for name in partition.value.allowedAccounts ?? [] {
                guard draft.accounts.contains(where: { $0.name == name }) else {
                    let list = try partition.field.entries().first { $0.name == "accounts" }
                    throw (list?.field ?? partition.field).refusal(unknownAccount(name, draft))
                }
            }
        }
    }

    private func unknownAccount(
        _ name: String,
        _ draft: MachineDraft
    ) -> FileRefusal.Problem {
        .unknownReference(
            name: name,
            to: "account",
            similar: similarNames(to: name, among: draft.accounts.map(\.name))
        )
    }
}
