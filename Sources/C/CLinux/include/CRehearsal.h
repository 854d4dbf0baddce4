#ifndef CREHEARSAL_H
#define CREHEARSAL_H

// Virtual time for a process and all that it starts, by seccomp user notifications: a call that would
// wait so long is told to a supervisor, which answers it when it likes. See seccomp_unotify(2).

#include <stdint.h>
#include <sys/types.h>

/// Whether the kernel, and whatever container this is in, has such notifications.
int CLinux_can_notify(void);

/// Installs the filter in the calling process. Returns the listener, or -1 with errno.
int CLinux_install_filter(void);

/// Sends a descriptor over a socket, and takes one. Returns 0 or the descriptor, or -1.
int CLinux_send_descriptor(int socket, int descriptor);
int CLinux_receive_descriptor(int socket);

/// What a call means to whoever keeps the time.
enum CLinux_wait {
    /// It has nothing to do with time.
    CLinux_wait_none = 0,
    /// Sleeps for `microseconds`, or until `microseconds` of `clock` when `is_absolute`.
    CLinux_wait_sleep,
    /// Sends the process SIGALRM, or the signal of its last timer, after `microseconds`; 0 cancels it.
    CLinux_wait_timer,
    /// Waits so long for descriptors.
    CLinux_wait_descriptors,
    /// Waits so long for a word of memory to change from `value`.
    CLinux_wait_word,
    /// Waits so long for one of the signals in the set `value`.
    CLinux_wait_signals,
    /// Connects to the Unix socket `path`.
    CLinux_wait_connect,
};

/// A call that waits for an answer.
struct CLinux_call {
    uint64_t id;
    /// The thread.
    pid_t pid;
    int number;
    uint64_t arguments[6];
    enum CLinux_wait wait;
    int64_t microseconds;
    int is_absolute;
    int clock;
    /// For a timer: its number, -1 for the process's own, -2 for one that is made now; the signal; how often it comes again, 0 for never;
    /// where the caller wants to have what was set before.
    int timer;
    int signal;
    int64_t interval;
    uint64_t old_value;
    /// What a word was, or what a new timer's signal is to bring along.
    uint64_t value;
    char path[108];
};

/// Takes the next call from a listener. Returns 0, or an errno.
int CLinux_next_call(int listener, struct CLinux_call *call);

/// Whether whoever made the call still waits for its answer.
int CLinux_is_waiting(int listener, uint64_t id);

/// Answers a call with a result, or with an errno. Returns 0, or an errno (ENOENT: nobody waits).
int CLinux_answer(int listener, uint64_t id, int64_t result, int reason);

/// Lets the kernel do the call.
int CLinux_let_through(int listener, uint64_t id);

/// Duplicates of the descriptors that a call waits for, as `poll(2)` takes them. Returns how many; -1
/// when they cannot be had.
struct pollfd;
int CLinux_awaited(const struct CLinux_call *call, struct pollfd *all, int room);

/// Says in the caller's memory that none of its descriptors is ready.
void CLinux_none_ready(const struct CLinux_call *call);

/// Says in the caller's memory what was left of a timer that it sets. Unit: µs.
void CLinux_tell_timer(const struct CLinux_call *call, int64_t rest, int64_t interval);

/// Sends the signal of a timer: of one that was made with timer_create(2), or of the process's own (-1).
void CLinux_fire(pid_t process, int number, int timer, uint64_t value);

/// Whether this is alarm(2), which says how many seconds were left.
int CLinux_is_alarm(int number);

/// Whether one of the signals that a call waits for has come.
int CLinux_signal_has_come(const struct CLinux_call *call);

/// Whether the word that a call waits for is another by now.
int CLinux_word_changed(const struct CLinux_call *call);

/// What the processes below one do.
struct CLinux_look {
    /// Threads that run, or wait for a disk.
    int busy;
    /// All threads.
    int threads;
    /// Another number whenever one of them has run.
    uint64_t activity;
    /// The processor time of all of them, in the kernel's ticks, and with what has ended, in microseconds.
    int64_t ticks;
    int64_t processor_microseconds;
};

/// Looks at all processes below `ancestor`; those in `busy_pids` count as busy while they live and are
/// not among the `sleeping` threads.
void CLinux_look_below(pid_t ancestor, const pid_t *busy_pids, int busy_count,
                       const pid_t *sleeping, int sleeping_count, struct CLinux_look *look);

/// signalfd(2) for the signals in a set that are blocked.
int CLinux_signal_descriptor(const int *numbers, int count);

/// Takes the next signal from it; 0 when there is none.
int CLinux_next_signal(int descriptor);

/// A pair of connected sockets that keep messages apart, both closed on exec. Returns 0 or -1.
int CLinux_message_pair(int ends[2]);

#endif
