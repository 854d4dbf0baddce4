#ifndef CLINUX_H
#define CLINUX_H

// What Swift's Glibc overlay cannot see (it is imported without _GNU_SOURCE), and what must happen
// between fork and execve, where no Swift code may run. Every function is prefixed.

#include <sys/types.h>

#include "CPrivate.h"
#include "CRehearsal.h"

/// Whom a process becomes: user, group and the supplementary groups of `name`.
struct CLinux_user {
    /// 0: it stays who it is.
    int changes;
    uid_t id;
    gid_t group;
    const char *name;
};

/// Where a launch failed. The order is the order of the work.
enum CLinux_stage {
    CLinux_stage_none = 0,
    CLinux_stage_fork = 1,
    CLinux_stage_affinity = 2,
    CLinux_stage_credentials = 3,
    CLinux_stage_directory = 4,
    CLinux_stage_input = 5,
    CLinux_stage_output = 6,
    CLinux_stage_error = 7,
    CLinux_stage_execute = 8,
    CLinux_stage_filter = 9,
};

/// All that a child needs. Pointers are borrowed for the call.
struct CLinux_launch {
    const char *path;
    char *const *arguments;
    char *const *environment;
    const char *directory;
    const char *input;
    const char *output;
    /// NULL: standard error goes where standard output goes.
    const char *error;
    /// 1: append to output files; 0: truncate them.
    int appends;
    unsigned int mask;
    struct CLinux_user user;
    const int *cpus;
    int cpu_count;
    /// Room for 10 characters and a zero, where the child writes its pid; inside `environment`.
    char *pid_text;
    /// What the child writes to its standard error, with the reason, when execve fails.
    const char *complaint;
    /// 1: sleeps and timers of the child, and of all that it starts, are told to `CLinux_child.listener`
    /// instead of being done.
    int notifies;
    /// The largest file that the child may write. Unit: byte; 0 for no limit of its own.
    unsigned long file_limit;
};

/// A child that waits before its first step, so that its pid can be written down first.
struct CLinux_child {
    pid_t pid;
    int gate;
    int channel;
    /// Where a child that notifies hands its listener over; -1 for another.
    int handover;
    /// After `CLinux_release`: where its sleeps are told; -1 for a child that does not notify.
    int listener;
};

/// Forks. The child waits for `CLinux_release`, and leaves when this process ends before.
/// Returns 0, or -1 with errno.
int CLinux_fork(const struct CLinux_launch *launch, struct CLinux_child *child);

/// Lets the child execute its program, as the leader of a session and process group of its own,
/// with default signal handlers and an empty signal mask.
///
/// Returns 0 when the program runs, and also when a SIGTERM came in before it did (the caller has it
/// blocked): the child is killed then. Otherwise the child is reaped and `*stage` and `*reason` (an
/// errno) say why.
int CLinux_release(struct CLinux_child *child, int *stage, int *reason);

/// close_range(2): closes all descriptors from `first` on.
void CLinux_close_from(unsigned int first);

/// prctl(PR_SET_CHILD_SUBREAPER): orphans below this process become its children.
int CLinux_become_subreaper(void);

/// Appends to a regular file with the rights of `user`, in a process of its own, and waits for it at
/// most so long. What is no regular file, or not the user's to write, is left alone.
void CLinux_append_as(const struct CLinux_user *user, const char *path, const void *bytes,
                      size_t count, int milliseconds);

/// Writes a regular file, new or old, with the rights of `user` on this thread alone (setfsuid(2)): the
/// other threads of the process stay who they are. `appends`: what is there stays. Returns 0, or an
/// errno; EINVAL for what is no regular file. Never waits for a reader, as of a FIFO.
int CLinux_write_file_as(const struct CLinux_user *user, const char *path, const void *bytes,
                         size_t count, int appends, unsigned int mask);

/// Sends `signal` to every process below this one, each with SIGCONT after a catchable one, so that
/// stopped ones act on it. Signal 0 only counts. Returns the number of processes found.
int CLinux_signal_descendants(pid_t ancestor, int signal);

/// The same for every process of a session, whoever is its parent by now.
int CLinux_signal_session(pid_t session, int signal);

/// pidfd_open(2): a descriptor that polls readable when the process has ended, child or not.
int CLinux_pidfd_open(pid_t pid);

/// The macros of wait(2), which Swift cannot call.
int CLinux_exit_status(int status);
int CLinux_signal_number(int status);

/// POSIX_SPAWN_SETSID, a GNU extension: the spawned process leads a session of its own.
static inline short CLinux_spawn_new_session(void) { return 0x80; }

/// Removes a folder with what is in it, as far as that is possible. Links are not followed.
void CLinux_remove_tree(const char *path);

/// The process and its parents up to the one that `ancestor` started, in this order. Returns how many they are;
/// 0 when `ancestor` is none of them, or is more than `room` away.
int CLinux_lineage(pid_t ancestor, pid_t pid, pid_t *line, int room);

/// Whether a process was started by `ancestor`, directly or not.
int CLinux_is_below(pid_t ancestor, pid_t pid);

#endif
