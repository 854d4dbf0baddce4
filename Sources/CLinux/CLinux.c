#define _GNU_SOURCE 1

#include "CLinux.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct report {
    int stage;
    int reason;
};

static void fail(int channel, int stage) {
    struct report report = {stage, errno};
    ssize_t written = write(channel, &report, sizeof report);
    (void)written;
    _exit(127);
}

static int place(const char *path, int flags, int target) {
    int descriptor = open(path, flags, 0666);
    if (descriptor < 0) return -1;
    if (descriptor == target) return 0;
    int result = dup2(descriptor, target);
    close(descriptor);
    return result < 0 ? -1 : 0;
}

static void run_child(const struct CLinux_launch *launch, int channel) {
    setsid();
    for (int number = 1; number < 65; number++) {
        signal(number, SIG_DFL);
    }
    for (int index = 0; index < launch->limit_count; index++) {
        const struct CLinux_limit *limit = &launch->limits[index];
        struct rlimit value = {(rlim_t)limit->soft, (rlim_t)limit->hard};
        if (setrlimit(limit->resource, &value) != 0) fail(channel, CLinux_stage_limits);
    }
    if (launch->cpu_count > 0) {
        cpu_set_t *set = CPU_ALLOC(8192);
        size_t size = CPU_ALLOC_SIZE(8192);
        CPU_ZERO_S(size, set);
        for (int index = 0; index < launch->cpu_count; index++) {
            CPU_SET_S(launch->cpus[index], size, set);
        }
        if (sched_setaffinity(0, size, set) != 0) fail(channel, CLinux_stage_affinity);
        CPU_FREE(set);
    }
    // Files are opened with the rights of the job's user, never with the daemon's.
    if (launch->changes_user) {
        if (initgroups(launch->user_name, launch->group) != 0 || setgid(launch->group) != 0
            || setuid(launch->user) != 0) {
            fail(channel, CLinux_stage_credentials);
        }
    }
    if (chdir(launch->directory) != 0) fail(channel, CLinux_stage_directory);
    umask(launch->mask);
    if (place(launch->input, O_RDONLY, STDIN_FILENO) != 0) fail(channel, CLinux_stage_input);
    int flags = O_WRONLY | O_CREAT | (launch->appends ? O_APPEND : O_TRUNC | O_APPEND);
    if (place(launch->output, flags, STDOUT_FILENO) != 0) fail(channel, CLinux_stage_output);
    if (launch->error) {
        if (place(launch->error, flags, STDERR_FILENO) != 0) fail(channel, CLinux_stage_error);
    } else if (dup2(STDOUT_FILENO, STDERR_FILENO) < 0) {
        fail(channel, CLinux_stage_error);
    }
    syscall(SYS_close_range, 3, (unsigned)channel - 1, 0);
    syscall(SYS_close_range, (unsigned)channel + 1, ~0U, 0);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (launch->pid_text) snprintf(launch->pid_text, 11, "%d", (int)getpid());
    execve(launch->path, launch->arguments, launch->environment);
    int reason = errno;
    dprintf(STDERR_FILENO, "%s: %s\n", launch->complaint, strerror(reason));
    errno = reason;
    fail(channel, CLinux_stage_execute);
}

int CLinux_fork(const struct CLinux_launch *launch, struct CLinux_child *child) {
    int channel[2], gate[2];
    if (pipe2(channel, O_CLOEXEC) != 0) return -1;
    if (pipe2(gate, O_CLOEXEC) != 0) {
        close(channel[0]);
        close(channel[1]);
        return -1;
    }
    pid_t pid = fork();
    if (pid == 0) {
        char token;
        close(channel[0]);
        close(gate[1]);
        if (read(gate[0], &token, 1) != 1) _exit(127);
        close(gate[0]);
        run_child(launch, channel[1]);
    }
    int reason = errno;
    close(channel[1]);
    close(gate[0]);
    if (pid < 0) {
        close(channel[0]);
        close(gate[1]);
        errno = reason;
        return -1;
    }
    child->pid = pid;
    child->gate = gate[1];
    child->channel = channel[0];
    return 0;
}

int CLinux_release(struct CLinux_child *child, int *stage, int *reason) {
    char token = 1;
    ssize_t count = write(child->gate, &token, 1);
    close(child->gate);
    // The channel closes by itself when execve succeeds: an empty read is good news.
    struct report report;
    do {
        count = read(child->channel, &report, sizeof report);
    } while (count < 0 && errno == EINTR);
    close(child->channel);
    *stage = CLinux_stage_none;
    *reason = 0;
    if (count != (ssize_t)sizeof report) return 0;
    *stage = report.stage;
    *reason = report.reason;
    waitpid(child->pid, NULL, 0);
    return -1;
}

void CLinux_close_from(unsigned int first) {
    syscall(SYS_close_range, first, ~0U, 0);
}

int CLinux_become_subreaper(void) {
    return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

struct process {
    pid_t pid;
    pid_t parent;
    char state;
};

static int read_process(const char *name, struct process *process) {
    char path[64];
    char text[512];
    snprintf(path, sizeof path, "/proc/%.20s/stat", name);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return 0;
    ssize_t count = read(descriptor, text, sizeof text - 1);
    close(descriptor);
    if (count <= 0) return 0;
    text[count] = 0;
    // The name in parentheses may hold anything, also parentheses: look for the last one.
    char *rest = strrchr(text, ')');
    if (!rest) return 0;
    process->pid = atoi(text);
    return sscanf(rest + 1, " %c %d", &process->state, &process->parent) == 2;
}

int CLinux_signal_descendants(pid_t ancestor, int number) {
    DIR *folder = opendir("/proc");
    if (!folder) return -1;
    struct process *all = NULL;
    size_t count = 0, room = 0;
    struct dirent *entry;
    while ((entry = readdir(folder))) {
        if (!isdigit((unsigned char)entry->d_name[0])) continue;
        if (count == room) {
            room = room ? 2 * room : 256;
            struct process *more = realloc(all, room * sizeof *all);
            if (!more) break;
            all = more;
        }
        if (read_process(entry->d_name, &all[count])) count++;
    }
    closedir(folder);
    // Marks spread from parents to children until none is added; trees are a few levels deep.
    char *marked = calloc(count ? count : 1, 1);
    int found = 0;
    int grew = marked != NULL;
    while (grew) {
        grew = 0;
        for (size_t child = 0; child < count; child++) {
            if (marked[child]) continue;
            int is_below = all[child].parent == ancestor;
            for (size_t parent = 0; parent < count && !is_below; parent++) {
                is_below = marked[parent] && all[parent].pid == all[child].parent;
            }
            if (!is_below) continue;
            marked[child] = 1;
            grew = 1;
            if (all[child].state == 'Z') continue;
            found++;
            if (number > 0) {
                kill(all[child].pid, number);
                if (number != SIGKILL && number != SIGSTOP && number != SIGTSTP) {
                    kill(all[child].pid, SIGCONT);
                }
            }
        }
    }
    free(marked);
    free(all);
    return found;
}

int CLinux_pidfd_open(pid_t pid) {
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

int CLinux_exit_status(int status) {
    return WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

int CLinux_signal_number(int status) {
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}
