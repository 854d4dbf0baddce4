import Quantities
public import WireFormats

extension JobExplanation {
    /// The explanation for people, a sentence a line.
    public func lines(
        in words: MessageLanguage = .english,
        calendar: CentreCalendar = CentreCalendar()
    ) -> [String] {
        var lines = [standing(words)]
        guard job.state == "PENDING" else { return lines }
        if let limit { lines.append(limit.sentence(in: words)) }
        if let money {
            lines.append(
                words("账户付不起这个作业：", "Its account cannot pay for it. ") + money.sentence(in: words)
            )
        }
        if let start = estimate.start {
            let wait = SlurmTime.full(from: now, to: start)
            let nodes = estimate.nodeList.isEmpty ? "" : words("，节点 ", ", on ") + estimate.nodeList
            lines.append(
                words("预计启动：", "Expected start: ") + calendar.text(start)
                    + words("（\(wait) 后）", " (in \(wait))")
                    + words("，分区 \(estimate.partition)", " in partition \(estimate.partition)")
                    + nodes
            )
        } else {
            lines.append(words("照此不会启动。", "As things are it will not start."))
        }
        if aheadCount > 0 {
            let list = ahead.map { one in
                words(
                    "\(one.jobID)（\(one.nodeCount) 节点，优先级 \(one.priority)）",
                    "\(one.jobID) (\(counted(one.nodeCount, "node")), priority \(one.priority))"
                )
            }.joined(separator: ", ")
            let more = aheadCount > Int64(ahead.count) ? ", …" : ""
            lines.append(
                words(
                    "排在前面：\(aheadCount) 个作业：",
                    "Ahead of it: \(counted(aheadCount, "job")): "
                ) + list + more
            )
        }
        if !running.isEmpty {
            let list = running.map { one in
                let end = one.end.map { calendar.text($0) } ?? words("无时限", "no limit")
                return "\(one.jobID) (\(end))"
            }.joined(separator: ", ")
            lines.append(words("最先到时限的运行作业：", "Running there, next to reach their limits: ") + list)
        }
        if let price = estimate.price { lines += PriceReport.lines(price, in: words) }
        if alternatives.isEmpty { return lines }
        lines.append(
            words(
                "更早启动的办法（yhcontrol update JobId=\(job.jobID) …）：",
                "What would start sooner (yhcontrol update JobId=\(job.jobID) ...):"
            )
        )
        for alternative in alternatives {
            let start = alternative.estimate.start.map {
                $0 <= now ? words("立即", "at once") : calendar.text($0)
            }
            let net = alternative.estimate.price.map { Fen($0.net).yuanText }
            lines.append(
                "  " + FormatText.fit(alternative.change, 28, right: false) + (start ?? "")
                    + (net.map { words("，应付 \($0) 元", ", net \($0) CNY") } ?? "")
            )
        }
        return lines
    }

    private func standing(_ words: MessageLanguage) -> String {
        guard job.state == "PENDING" else {
            return words("作业 \(job.jobID) 状态 \(job.state)。", "Job \(job.jobID) is \(job.state).")
        }
        let reason = job.shownReason
        return words("作业 \(job.jobID) 等待：", "Job \(job.jobID) waits: ") + reason + ": "
            + Self.meaning(of: job.reason, words)
    }

    /// What a reason means, in a sentence.
    static func meaning(of reason: String, _ words: MessageLanguage) -> String {
        switch reason {
        case "None": words("调度器还没有看到它", "the scheduler has not looked at it yet")
        case "Resources":
            words("它排在最前，等节点空出", "it is the next in line, and waits for nodes to be free")
        case "Priority": words("有优先级更高的作业在等", "jobs with a higher priority wait too")
        case "Dependency": words("等它依赖的作业", "jobs that it depends on have not ended")
        case "DependencyNeverSatisfied":
            words("它依赖的作业以另一种方式结束", "a job that it depends on ended in another way")
        case "BeginTime": words("开始时间未到", "its begin time has not come")
        case "JobHeldUser":
            words("用户保持；用 yhcontrol release 放行", "its user holds it; yhcontrol release lets it go")
        case "JobHeldAdmin": words("管理员保持", "an operator holds it")
        case "JobArrayTaskLimit": words("作业组同时运行的个数已满", "as many elements of its array run as may")
        case "QuotaConstrained":
            words("账户在该分区的配额已满", "its account's quota in the partition is in use")
        case "Reservation":
            words("预约未开始或没有空闲节点", "its reservation has not begun, or has no node free")
        case "AssocGrpBillingMinutes":
            words("账户余额不够", "its account cannot pay for it")
        case let name where name.hasPrefix("ReqNodeNotAvail"),
            let name where name.hasPrefix("Nodes required"):
            words("它要的节点不可用", "nodes that it needs are out of service or reserved")
        case let name where name.hasPrefix("Partition"):
            words("分区的规定或状态不允许", "its partition's limits or state do not allow it")
        case let name where name.hasPrefix("Assoc"):
            words("账户或用户的限额已满", "a limit of its user or account is reached")
        case let name where name.hasPrefix("QOS"):
            words("QOS 的限额已满", "a limit of its QOS is reached")
        default: words("见 yhcontrol show job", "see yhcontrol show job")
        }
    }
}

extension LimitInfo {
    /// Whose limit it is, how much it allows, and how much of that is in use.
    fileprivate func sentence(in words: MessageLanguage) -> String {
        var owner: [String] = []
        if let qos { owner.append("QOS \(qos)") }
        if let user { owner.append(words("用户 \(user)", "user \(user)")) }
        if let account { owner.append(words("账户 \(account)", "account \(account)")) }
        if let partition { owner.append(words("分区 \(partition)", "partition \(partition)")) }
        if let array { owner.append(words("作业组 \(array)", "array \(array)")) }
        if let license { owner.append(words("许可证 \(license)", "licence \(license)")) }
        let whose =
            owner.joined(separator: ", ") + (isPerJob ? words("对单个作业", " on each job") : "")
        let most = amount(bound, words)
        var parts = [
            isLeast
                ? words("至少 \(most)", "at least \(most)") : words("至多 \(most)", "at most \(most)")
        ]
        if let used { parts.append(words("已用 \(number(used))", "\(number(used)) in use")) }
        if let asked { parts.append(words("本作业申请 \(number(asked))", "\(number(asked)) asked for")) }
        let separator = words("，", ", ")
        return words("限额（\(whose)）：", "The limit of \(whose): ")
            + parts.joined(separator: separator)
            + words("。", ".")
    }

    private func number(_ value: Int64) -> String {
        resource == Self.money ? Fen(value).yuanText : "\(value)"
    }

    /// Minutes of a resource: `cpu_minutes`, `running_cpu_minutes`.
    private func minutes(_ words: MessageLanguage) -> String {
        let names = resource.split(separator: "_").filter { $0 != "running" && $0 != "minutes" }
        let name = names.joined(separator: "_")
        return resource.hasPrefix("running_")
            ? words("\(name)·分钟（运行作业的余量）", "\(name) minutes that running jobs may use yet")
            : words("\(name)·分钟", "\(name) minutes")
    }

    private func amount(_ value: Int64, _ words: MessageLanguage) -> String {
        let unit =
            switch resource {
            case Self.money: words("元", "CNY")
            case "jobs": words("个运行作业", "running jobs")
            case "submitted_jobs": words("个作业", "jobs")
            case "wall": words("分钟", "minutes of wall time")
            case "cpu": words("核", "cores")
            case "node": words("节点", "nodes")
            case "mem": words("MiB 内存", "MiB of memory")
            case "gres/gpu": words("卡", "cards")
            case "licenses": words("个", "licences")
            default: minutes(words)
            }
        return "\(number(value)) \(unit)"
    }
}
