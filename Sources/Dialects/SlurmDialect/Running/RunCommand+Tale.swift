import IndexSets
public import WireFormats

// What `-v` tells of a step.
//
// Source: Slurm 22.05 of Debian 12; `launch_p_step_launch`, `_task_start` and `_task_finish` of
// `src/plugins/launch/slurm/launch_slurm.c`.
extension RunCommand {
    /// The nodes that the step's job has.
    public static func tale(ofJob job: UInt32, _ environment: JobEnvironment) -> [String] {
        let nodes = HostList.compress(environment.nodes)
        var counts: [(cores: Int32, nodes: Int)] = []
        for cores in environment.cores {
            if counts.last?.cores == cores {
                counts[counts.count - 1].nodes += 1
            } else {
                counts.append((cores, 1))
            }
        }
        let text = counts.map { "\($0.cores)(x\($0.nodes))" }.joined(separator: ",")
        return ["jobid \(job): nodes(\(environment.nodes.count)):`\(nodes)', cpu counts: \(text)"]
    }

    /// The tasks of each node that has any, in the order of the nodes.
    private static func tasks(_ layout: Layout) -> [(node: String, tasks: [UInt32])] {
        layout.nodes.indices.compactMap { node in
            let own = layout.nodeOfTask.indices.filter { layout.nodeOfTask[$0] == node }
            return own.isEmpty ? nil : (layout.nodes[node], own.map { UInt32($0) })
        }
    }

    /// What is told before the tasks of a step start, and that they have.
    public static func tale(ofStep step: String, starting layout: Layout) -> [String] {
        let parts = tasks(layout)
        let launching = parts.map { part in
            let list = part.tasks.count == 1 ? part.tasks.rangeText : "[\(part.tasks.rangeText)]"
            return
                "launching StepId=\(step) on host \(part.node), \(part.tasks.count) tasks: \(list)"
        }
        let started = parts.map {
            "launch/slurm: _task_start: Node \($0.node), \($0.tasks.count) tasks started"
        }
        return ["launch/slurm: launch_p_step_launch: CpuBindType=(null type)"] + launching
            + ["route/default: init: route default plugin loaded"] + started
    }

    /// What is told of the tasks that have ended well.
    public static func tale(
        ofStep step: String,
        _ layout: Layout,
        endings: [Ending]
    ) -> [String] {
        tasks(layout).flatMap { part -> [String] in
            let well = part.tasks.filter {
                let ending = endings[Int($0)]
                return ending.code == 0 && ending.signal == 0
            }
            guard !well.isEmpty else { return [] }
            let word = well.count == 1 ? "task" : "tasks"
            return [
                "launch/slurm: _task_finish: Received task exit notification for \(well.count) \(word)"
                    + " of StepId=\(step) (status=0x0000).",
                "launch/slurm: _task_finish: \(part.node): \(word) \(well.rangeText): Completed",
            ]
        }
    }
}
