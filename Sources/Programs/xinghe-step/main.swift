import Glibc
import JobExecution

// Started by xinghed for one job; see StepSupervisor.

guard CommandLine.arguments.count == 2 else {
    let usage = "usage: xinghe-step FOLDER   (xinghed starts this program for each real job)\n"
    write(STDERR_FILENO, usage, usage.utf8.count)
    exit(64)
}
exit(StepSupervisor.run(folder: CommandLine.arguments[1]))
