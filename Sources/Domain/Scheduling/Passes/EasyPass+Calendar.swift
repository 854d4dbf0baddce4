import JobModel

// The head's shadow where a calendar closes nodes.

extension EasyPass {
    /// The earliest instant at which a job can be placed if running jobs run to their limits, on nodes
    /// that are open to it for its whole length; nil when that is never.
    mutating func shadow(
        of slot: Int32,
        _ outlook: CalendarView,
        _ group: SchedulingGroup,
        _ jobs: ActiveJobs,
        _ now: Int64
    ) -> HeadShadow? {
        var best: (shadow: HeadShadow, overlay: ShadowOverlay)?
        for choice in group.openChoices(slot, jobs) {
            guard let shadow = shadow(of: slot, choice, outlook, group, jobs, now),
                shadow.instant < best?.shadow.instant ?? .max
            else { continue }
            best = (shadow, overlay)
        }
        if let best { overlay = best.overlay }
        return best?.shadow
    }

    private mutating func shadow(
        of slot: Int32,
        _ choice: SchedulingGroup.Choice,
        _ outlook: CalendarView,
        _ group: SchedulingGroup,
        _ jobs: ActiveJobs,
        _ now: Int64
    ) -> HeadShadow? {
        overlay.clear(nodes: group.nodes)
        let length = group.lengthHeld(by: slot, jobs)
        var shadow = HeadShadow(
            instant: now,
            request: choice.request,
            filter: choice.filter,
            availability: Availability(of: choice.request)
        )
        shadow.filter.closed = outlook.closed(from: now, until: now &+ length)
        shadow.availability = availability(shadow, group)
        let changes = changes(outlook, group, now)
        var index = 0
        while index < changes.count {
            shadow.instant = changes[index].instant
            while index < changes.count, changes[index].instant == shadow.instant {
                if let ended = changes[index].slot { give(ended, group, jobs, &shadow) }
                index += 1
            }
            let closed = outlook.closed(from: shadow.instant, until: shadow.instant &+ length)
            if closed != shadow.filter.closed {
                shadow.filter.closed = closed
                shadow.availability = availability(shadow, group)
            }
            if shadow.availability.suffices(for: shadow.request) { return shadow }
        }
        return nil
    }

    /// The instants at which more nodes may be had, with the jobs that end then.
    private func changes(
        _ outlook: CalendarView,
        _ group: SchedulingGroup,
        _ now: Int64
    ) -> [(instant: Int64, slot: Int32?)] {
        var changes: [(instant: Int64, slot: Int32?)] = []
        var last = now
        group.ends.forEachByInstant(now: now, grace: SchedulingGroup.overrunGrace) { entry in
            changes.append((entry.instant, entry.slot))
            last = entry.instant
            return true
        }
        changes += outlook.openings(after: now, last: last).map { ($0, nil) }
        return changes.sorted { $0.instant < $1.instant }
    }

    /// What the job could have at the shadow, counted anew.
    private func availability(_ shadow: HeadShadow, _ group: SchedulingGroup) -> Availability {
        let required = shadow.filter.required
        var answer = Availability(of: shadow.request, requiredCount: required.count)
        for node in 0..<group.nodes.count
        where group.nodes.mayServe(node) && shadow.filter.permits(node) {
            let state = overlay.state(node, group.nodes)
            answer.change(
                from: 0,
                to: state.chunks(shadow.request, shadow.filter),
                isRequired: required.contains(node)
            )
        }
        return answer
    }
}
