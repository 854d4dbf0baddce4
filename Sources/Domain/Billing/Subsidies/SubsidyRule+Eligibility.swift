import Quantities

extension SubsidyRule {
    /// Why `claim` is not eligible, in the order of `GrantReason`; nil when it is.
    ///
    /// Looks at the claim alone; what depends on other claims is `SubsidyAccount`'s.
    func ineligibility(of claim: SubsidyClaim) -> GrantReason? {
        if !validity.contains(claim.date) { return .outsideValidity }
        if !mayGrant(to: claim.classes) { return .classNotEligible }
        return scopeProblem(claim) ?? beneficiaryProblem(claim) ?? contractProblem(claim)
    }

    /// The labels of the claim that the rule knows, in the order of the claim.
    func eligibleLabels(among classes: [String]) -> [String] {
        guard let eligible = who.classes else { return classes }
        return classes.filter { label in
            eligible.contains(label) || rate.byClass.contains { $0.label == label }
        }
    }

    /// Whether somebody with these labels is among the beneficiaries.
    public func mayGrant(to classes: [String]) -> Bool {
        guard let eligible = who.classes else { return true }
        return classes.contains { label in
            eligible.contains(label) || rate.byClass.contains { $0.label == label }
        }
    }

    private func scopeProblem(_ claim: SubsidyClaim) -> GrantReason? {
        if let platforms = what.platforms, !platforms.contains(claim.platform) {
            return .platformNotEligible
        }
        if what.onlyKeyPlatforms && !claim.isOnKeyPlatform { return .platformNotEligible }
        if let providers = what.providers, let provider = claim.facts.provider,
            !providers.contains(provider)
        {
            return .providerNotEligible
        }
        let resource = claim.resource
        if let resources = what.resources,
            !resources.contains(where: { Self.covers($0, resource: resource) })
        {
            return .resourceNotCovered
        }
        if what.excludedResources.contains(where: { Self.excludes($0, resource: resource) }) {
            return .resourceNotCovered
        }
        if let purposes = what.purposes, let purpose = claim.facts.purpose,
            !purposes.contains(purpose)
        {
            return .purposeNotCovered
        }
        return nil
    }

    /// Whether the kind of resource `kind` of a rule takes in `resource` of a claim.
    ///
    /// Rules speak of `hpc`, `ai` and `compute`; a centre bills core-, node- and card-hours. Whole words
    /// count: `ai-storage` is no `ai`, `cardboard` no card.
    static func covers(_ kind: String, resource: String) -> Bool {
        if kind == resource { return true }
        var words = words(of: resource)
        if words.count > 1, ["hour", "hours"].contains(words.last) { words.removeLast() }
        guard words.count == 1, let word = words.first else { return false }
        let hpc = ["hpc", "cpu", "core", "node"]
        let ai = ["ai", "gpu", "npu", "dcu", "card"]
        switch kind {
        case "compute": return (hpc + ai).contains(word)
        case "hpc": return hpc.contains(word)
        case "ai": return ai.contains(word)
        default: return false
        }
    }

    /// Whether `item` of a rule's exclusions keeps out `resource`: as a kind, or as a word of its name.
    static func excludes(_ item: String, resource: String) -> Bool {
        covers(item, resource: resource) || words(of: resource).contains(item.lowercased())
    }

    private static func words(of resource: String) -> [String] {
        resource.lowercased().split { "-_ ".contains($0) }.map(String.init)
    }

    private func beneficiaryProblem(_ claim: SubsidyClaim) -> GrantReason? {
        let facts = claim.facts
        if let places = who.registeredIn, let place = facts.registeredIn, !places.contains(place) {
            return .notRegisteredHere
        }
        if let sectors = who.sectors, let sector = facts.sector, !sectors.contains(sector) {
            return .sectorNotEligible
        }
        if let maximum = who.sizeMaximum, let size = facts.size, size > maximum {
            return .tooLarge
        }
        if let from = who.foundedFrom, let founded = facts.foundedOn, founded < from {
            return .foundedTooEarly
        }
        if who.excludesRelatedParty && facts.isRelatedParty == true { return .relatedParty }
        if let years = who.creditCleanYears, let clean = facts.creditCleanYears, clean < years {
            return .creditNotClean
        }
        return nil
    }

    private func contractProblem(_ claim: SubsidyClaim) -> GrantReason? {
        let facts = claim.facts
        if let from = what.contractFrom, let signed = facts.contractDate, signed < from {
            return .contractTooEarly
        }
        if let longest = what.contractMonthsMaximum, let months = facts.contractMonths,
            months > longest
        {
            return .contractTooLong
        }
        if let window = procedure.claimWindowDays, let filed = facts.filedOn,
            filed.number - claim.date.number > window
        {
            return .filedTooLate
        }
        return nil
    }

    /// What of the fee counts, before any rate: as asked for, and at most so much of it as was paid.
    func base(of claim: SubsidyClaim) -> (asked: Int64, paid: Int64) {
        var base = claim.fee.count
        let facts = claim.facts
        if !basis.isAfterDiscount || basis.feeKind == .list { base += facts.discount?.count ?? 0 }
        if basis.isNetOfVAT { base -= facts.vat?.count ?? 0 }
        let paid = basis.feeKind == .paid ? facts.paid?.count : nil
        return (base, paid ?? .max)
    }

    /// The rate of `claim`; nil when none is given for it. Tiers are not looked at.
    func ratePPM(of claim: SubsidyClaim) -> Int64? {
        if let granted = rate.grantedPPM { return granted }
        let byResource =
            rate.byResource.first { $0.label == claim.resource }
            ?? rate.byResource.first { Self.covers($0.label, resource: claim.resource) }
            ?? rate.byResource.first { $0.label == "other" }
        let general = byResource?.ppm ?? rate.ppm
        if rate.byClass.isEmpty { return general }
        let labels = eligibleLabels(among: claim.classes)
        let special = rate.byClass.filter { labels.contains($0.label) }.map(\.ppm)
        switch rate.combine {
        case .first: return special.first ?? general
        case .sum:
            guard general != nil || !special.isEmpty else { return nil }
            return min(1_000_000, special.reduce(general ?? 0, +))
        case .max:
            // A label without a rate of its own has the general one.
            let hasPlainLabel = labels.isEmpty || special.count < Set(labels).count
            return ((hasPlainLabel ? [general] : []) + special).compactMap { $0 }.max()
        }
    }

    /// The yearly cap of a beneficiary with these labels; nil for none.
    func yearCap(ofClasses classes: [String]) -> Fen? {
        if caps.perEntityYearByClass.isEmpty { return caps.perEntityYear }
        let labels = eligibleLabels(among: classes)
        let byClass = caps.perEntityYearByClass.filter { labels.contains($0.label) }
        return byClass.map(\.cap).max() ?? caps.perEntityYear
    }
}
