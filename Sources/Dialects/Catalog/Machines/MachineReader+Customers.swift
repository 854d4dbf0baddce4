import Billing
import ClusterModel
import IndexSets
import Quantities

extension MachineReader {
    static let customerFields = [
        "accounts", "default_account", "operators", "auditors", "office", "issuer",
    ]

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
        draft.operators += try names(top["operators"])
        draft.auditors += try names(top["auditors"])
        draft.office += try names(top["office"])
        if let field = top["issuer"] { draft.issuer = try issuer(field) }
    }

    private func names(_ field: YAMLField?) throws(FileRefusal) -> [String] {
        try field?.list().mapField { name throws(FileRefusal) in try name.name() } ?? []
    }

    private func issuer(_ field: YAMLField) throws(FileRefusal) -> Issuer {
        let fields = try field.mapping([
            "name", "tax_id", "address", "phone", "bank", "bank_account", "grid",
        ])
        var issuer = Issuer(name: try fields.required("name").text())
        issuer.taxID = try fields["tax_id"]?.taxID()
        issuer.address = try fields["address"]?.text()
        issuer.phone = try fields["phone"]?.text()
        issuer.bank = try fields["bank"]?.text()
        issuer.bankAccount = try fields["bank_account"]?.text()
        guard let grid = try fields["grid"]?.mapping(["factor", "source"]) else { return issuer }
        let factor = try grid.required("factor")
        let milligrams = try factor.quantity(
            "carbon dioxide of electricity such as 0.5366 kg/kWh",
            units: ["kg/kWh": 1_000_000, "g/kWh": 1_000, "kg/MWh": 1_000]
        )
        guard (0...10_000_000).contains(milligrams) else {
            throw factor.refusal(
                .outOfRange(
                    found: try factor.text(),
                    minimum: "0 kg/kWh",
                    maximum: "10 kg/kWh"
                )
            )
        }
        issuer.gridFactor = Issuer.GridFactor(
            milligrams: milligrams,
            source: try grid.required("source").text()
        )
        return issuer
    }

    private func account(_ field: YAMLField) throws(FileRefusal) -> AccountEntry {
        let fields = try field.mapping([
            "name", "title", "class", "enterprise", "registered_in", "credit_limit", "description",
            "users", "tax_id", "contract", "parent", "shares", "limits", "qos", "default_qos",
            "clearance", "coordinators",
        ])
        var account = AccountEntry(
            name: try fields.required("name").name(),
            title: try fields.required("title").text(),
            enterprise: try fields["enterprise"]?.name(),
            customerClass: try fields.required("class").choice(AccountEntry.CustomerClass.self),
            registeredIn: try fields["registered_in"].map { field throws(FileRefusal) in
                PartyName.normalised(try field.text())
            },
            description: try fields["description"]?.paragraph() ?? ""
        )
        account.creditLimitFen = try fields["credit_limit"]?.money().count
        try readMembers(fields["users"], into: &account)
        account.clearance = try fields["clearance"]?.count(1...5)
        account.parent = try fields["parent"]?.name()
        account.settings = try settings(fields)
        account.qos = try fields["qos"]?.list().mapField { name throws(FileRefusal) in
            try name.name()
        }
        account.defaultQOS = try fields["default_qos"]?.name()
        account.coordinators = try names(fields["coordinators"])
        account.taxID = try fields["tax_id"]?.taxID()
        account.contract = try fields["contract"]?.text()
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

extension YAMLField {
    /// The number under which somebody pays tax: 15 to 20 digits and capital letters (the unified
    /// social credit code of GB 32100-2015 has 18; older numbers had 15 to 20).
    fileprivate func taxID() throws(FileRefusal) -> String {
        let text = try text()
        let isNumber = text.utf8.allSatisfy { byte in
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
        }
        guard isNumber, (15...20).contains(text.utf8.count) else {
            throw refusal(
                .unreadable(found: text, expected: "15 to 20 digits and capital letters")
            )
        }
        return text
    }
}
