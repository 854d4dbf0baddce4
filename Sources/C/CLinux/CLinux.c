#define _GNU_SOURCE 1

#include "CLinux.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
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
    int descriptor = open(path, flags | O_NOCTTY, 0666);
    if (descriptor < 0) return -1;
    if (descriptor == target) return 0;
    int result = dup2(descriptor, target);
    close(descriptor);
    return result < 0 ? -1 : 0;
}

static int become(const struct CLinux_user *user) {
    if (!user->changes) return 0;
    if (initgroups(user->name, user->group) != 0 || setgid(user->group) != 0) return -1;
    return setuid(user->id);
}

static void run_child(const struct CLinux_launch *launch, int channel, int handover) {
    setsid();
    for (int number = 1; number < 65; number++) {
        signal(number, SIG_DFL);
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
    if (become(&launch->user) != 0) fail(channel, CLinux_stage_credentials);
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
    if (launch->file_limit > 0) {
        struct rlimit limit = {launch->file_limit, launch->file_limit};
        setrlimit(RLIMIT_FSIZE, &limit);
    }
    if (launch->notifies) {
        int listener = CLinux_install_filter();
        if (listener < 0 || CLinux_send_descriptor(handover, listener) != 0) {
            fail(channel, CLinux_stage_filter);
        }
        close(listener);
        close(handover);
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
    int channel[2], gate[2], handover[2] = {-1, -1};
    if (pipe2(channel, O_CLOEXEC) != 0) return -1;
    if (pipe2(gate, O_CLOEXEC) != 0) {
        close(channel[0]);
        close(channel[1]);
        return -1;
    }
    if (launch->notifies && CLinux_message_pair(handover) != 0) {
        close(channel[0]);
        close(channel[1]);
        close(gate[0]);
        close(gate[1]);
        return -1;
    }
    pid_t pid = fork();
    if (pid == 0) {
        char token;
        close(channel[0]);
        close(gate[1]);
        if (handover[0] >= 0) close(handover[0]);
        if (read(gate[0], &token, 1) != 1) _exit(127);
        close(gate[0]);
        run_child(launch, channel[1], handover[1]);
    }
    int reason = errno;
    close(channel[1]);
    close(gate[0]);
    if (handover[1] >= 0) close(handover[1]);
    if (pid < 0) {
        close(channel[0]);
        close(gate[1]);
        if (handover[0] >= 0) close(handover[0]);
        errno = reason;
        return -1;
    }
    child->pid = pid;
    child->gate = gate[1];
    child->channel = channel[0];
    child->handover = handover[0];
    child->listener = -1;
    return 0;
}

int CLinux_release(struct CLinux_child *child, int *stage, int *reason) {
    char token = 1;
    ssize_t count = write(child->gate, &token, 1);
    close(child->gate);
    // The channel closes by itself when execve succeeds: an empty read is good news. Until then the
    // child may hang in open(2), of a FIFO that nobody reads; it must not hang for good.
    struct pollfd polled = {child->channel, POLLIN, 0};
    while (poll(&polled, 1, 50) == 0) {
        sigset_t pending;
        if (sigpending(&pending) == 0 && sigismember(&pending, SIGTERM) == 1) {
            kill(child->pid, SIGKILL);
        }
    }
    struct report report;
    do {
        count = read(child->channel, &report, sizeof report);
    } while (count < 0 && errno == EINTR);
    close(child->channel);
    if (child->handover >= 0) {
        child->listener = CLinux_receive_descriptor(child->handover);
        close(child->handover);
    }
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

void CLinux_append_as(const struct CLinux_user *user, const char *path, const void *bytes,
                      size_t count, int milliseconds) {
    int channel[2];
    if (pipe2(channel, O_CLOEXEC) != 0) return;
    pid_t pid = fork();
    if (pid == 0) {
        close(channel[0]);
        struct stat status;
        if (become(user) != 0) _exit(1);
        int descriptor = open(path, O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (descriptor < 0 || fstat(descriptor, &status) != 0) _exit(1);
        if (S_ISREG(status.st_mode) && write(descriptor, bytes, count) < 0) _exit(1);
        _exit(0);
    }
    close(channel[1]);
    // Readable when the child has ended. A child that hangs in a file system is left behind; it is
    // below this process and ends with the rest of the job.
    struct pollfd polled = {channel[0], POLLIN, 0};
    if (pid > 0 && poll(&polled, 1, milliseconds) > 0) waitpid(pid, NULL, 0);
    close(channel[0]);
}

static int write_file(const char *path, const void *bytes, size_t count, int flags, mode_t mode) {
    flags |= O_WRONLY | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    int descriptor = open(path, flags, mode);
    if (descriptor < 0) return errno;
    struct stat status;
    int reason = 0;
    if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
        reason = EINVAL;
    } else if (!(flags & O_APPEND) && ftruncate(descriptor, 0) != 0) {
        reason = errno;
    } else if (write(descriptor, bytes, count) != (ssize_t)count) {
        reason = errno ? errno : ENOSPC;
    }
    close(descriptor);
    return reason;
}

int CLinux_write_file_as(const struct CLinux_user *user, const char *path, const void *bytes,
                         size_t count, int appends, unsigned int mask) {
    int flags = appends ? O_APPEND : 0;
    mode_t mode = 0666 & ~mask;
    errno = 0;
    if (!user->changes) return write_file(path, bytes, count, flags, mode);
    gid_t groups[256], before[256];
    int number = 256;
    if (getgrouplist(user->name, user->group, groups, &number) < 0) number = 1, groups[0] = user->group;
    int had = getgroups(256, before);
    if (had < 0) return errno;
    // The raw calls change this thread only; glibc's would change all of them.
    if (syscall(SYS_setgroups, (size_t)number, groups) != 0) return errno;
    syscall(SYS_setfsgid, user->group);
    syscall(SYS_setfsuid, user->id);
    // Both give back what was set before, also when they refuse: ask again.
    int is_other = (uid_t)syscall(SYS_setfsuid, -1) == user->id
        && (gid_t)syscall(SYS_setfsgid, -1) == user->group;
    int reason = is_other ? write_file(path, bytes, count, flags, mode) : EPERM;
    syscall(SYS_setfsuid, geteuid());
    syscall(SYS_setfsgid, getegid());
    syscall(SYS_setgroups, (size_t)had, before);
    return reason;
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *place) {
    (void)status, (void)kind, (void)place;
    remove(path);
    return 0;
}

void CLinux_remove_tree(const char *path) {
    nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

struct process {
    pid_t pid;
    pid_t parent;
    pid_t session;
    char state;
    signed char marked;
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
    process->marked = 0;
    return sscanf(rest + 1, " %c %d %*d %d", &process->state, &process->parent, &process->session)
        == 3;
}

/// All processes there are; to be freed. NULL when they cannot be listed.
static struct process *read_processes(size_t *count) {
    DIR *folder = opendir("/proc");
    if (!folder) return NULL;
    size_t room = 256;
    struct process *all = malloc(room * sizeof *all);
    struct dirent *entry;
    *count = 0;
    while (all && (entry = readdir(folder))) {
        if (!isdigit((unsigned char)entry->d_name[0])) continue;
        if (*count == room) {
            struct process *more = realloc(all, 2 * room * sizeof *all);
            if (!more) break;
            all = more;
            room *= 2;
        }
        if (read_process(entry->d_name, &all[*count])) ++*count;
    }
    closedir(folder);
    return all;
}

/// Signals what is marked and lives. Returns how many that were.
static int signal_marked(const struct process *all, size_t count, int number) {
    int found = 0;
    for (size_t index = 0; index < count; index++) {
        if (!all[index].marked || all[index].state == 'Z') continue;
        found++;
        if (number <= 0) continue;
        kill(all[index].pid, number);
        if (number != SIGKILL && number != SIGSTOP && number != SIGTSTP) {
            kill(all[index].pid, SIGCONT);
        }
    }
    return found;
}

static int compare_processes(const void *one, const void *other) {
    pid_t first = ((const struct process *)one)->pid, second = ((const struct process *)other)->pid;
    return first < second ? -1 : first > second;
}

enum { mark_unknown = -1, mark_outside = 0, mark_below = 1 };

/// Marks what is below `ancestor`. Each chain of parents is climbed once: a script that has become thousands of
/// processes makes more while this looks.
static void mark_descendants(struct process *all, size_t count, pid_t ancestor) {
    qsort(all, count, sizeof *all, compare_processes);
    for (size_t index = 0; index < count; index++) {
        all[index].marked = all[index].pid == ancestor ? mark_outside : mark_unknown;
    }
    for (size_t index = 0; index < count; index++) {
        // Up to what is known, then down again. A chain may be longer than the list, where numbers are used again.
        struct process *place = &all[index];
        signed char mark = place->marked;
        for (size_t steps = 0; mark == mark_unknown && steps <= count; steps++) {
            if (place->parent == ancestor) mark = mark_below;
            struct process wanted = {.pid = place->parent};
            struct process *parent = bsearch(&wanted, all, count, sizeof *all, compare_processes);
            if (mark == mark_unknown) mark = parent ? parent->marked : mark_outside;
            if (mark == mark_unknown) place = parent;
        }
        if (mark == mark_unknown) mark = mark_outside;
        for (place = &all[index]; place && place->marked == mark_unknown;) {
            place->marked = mark;
            struct process wanted = {.pid = place->parent};
            place = bsearch(&wanted, all, count, sizeof *all, compare_processes);
        }
    }
}

int CLinux_signal_descendants(pid_t ancestor, int number) {
    size_t count = 0;
    struct process *all = read_processes(&count);
    if (!all) return -1;
    mark_descendants(all, count, ancestor);
    int found = signal_marked(all, count, number);
    free(all);
    return found;
}

int CLinux_lineage(pid_t ancestor, pid_t pid, pid_t *line, int room) {
    struct process process;
    char name[24];
    for (int depth = 0; depth < room && pid > 1; depth++) {
        if (pid == ancestor) return depth;
        line[depth] = pid;
        snprintf(name, sizeof name, "%d", (int)pid);
        if (!read_process(name, &process)) return 0;
        pid = process.parent;
    }
    return 0;
}

int CLinux_is_below(pid_t ancestor, pid_t pid) {
    // Longer chains than this are nobody's.
    pid_t line[200];
    return CLinux_lineage(ancestor, pid, line, 200) > 0;
}

int CLinux_signal_session(pid_t session, int number) {
    size_t count = 0;
    struct process *all = read_processes(&count);
    if (!all) return -1;
    for (size_t index = 0; index < count; index++) all[index].marked = all[index].session == session;
    int found = signal_marked(all, count, number);
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
