#define _GNU_SOURCE 1

#include "CRehearsal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#if defined(__x86_64__)
#define NATIVE_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#define NATIVE_ARCHITECTURE 0
#endif

int CLinux_can_notify(void) {
    struct seccomp_notif_sizes sizes;
    return NATIVE_ARCHITECTURE != 0
        && syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) == 0;
}

// MARK: The filter

#define LOAD(member) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, member))
#define LOAD_LOW(index) \
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args) + 8 * (index))
#define LOAD_HIGH(index) \
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args) + 8 * (index) + 4)
#define RETURN(what) BPF_STMT(BPF_RET | BPF_K, (what))
#define IF_EQUAL(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (yes), (no))
// The call is told.
#define TELL(number) IF_EQUAL(number, 0, 1), RETURN(SECCOMP_RET_USER_NOTIF)
// The call is told when the pointer to its timeout is not null.
#define TELL_IF_POINTER(number, index) \
    IF_EQUAL(number, 0, 6), LOAD_LOW(index), IF_EQUAL(0, 0, 2), LOAD_HIGH(index), \
        IF_EQUAL(0, 1, 0), RETURN(SECCOMP_RET_USER_NOTIF), RETURN(SECCOMP_RET_ALLOW)
// The call is told when its timeout, in milliseconds, is neither 0 nor for ever (negative).
#define TELL_IF_FINITE(number, index) \
    IF_EQUAL(number, 0, 5), LOAD_LOW(index), \
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x80000000u, 2, 0), IF_EQUAL(0, 1, 0), \
        RETURN(SECCOMP_RET_USER_NOTIF), RETURN(SECCOMP_RET_ALLOW)

int CLinux_install_filter(void) {
    struct sock_filter filter[] = {
        LOAD(arch),
        IF_EQUAL(NATIVE_ARCHITECTURE, 1, 0),
        RETURN(SECCOMP_RET_ALLOW),
        LOAD(nr),
        TELL(__NR_clock_nanosleep),
        TELL(__NR_nanosleep),
        TELL(__NR_connect),
        TELL(__NR_setitimer),
        TELL(__NR_timer_create),
        TELL(__NR_timer_settime),
        TELL_IF_POINTER(__NR_ppoll, 2),
        TELL_IF_POINTER(__NR_pselect6, 4),
        TELL_IF_POINTER(__NR_rt_sigtimedwait, 2),
#ifdef __NR_epoll_pwait2
        TELL_IF_POINTER(__NR_epoll_pwait2, 3),
#endif
        TELL_IF_FINITE(__NR_epoll_pwait, 3),
#ifdef __NR_alarm
        TELL(__NR_alarm),
#endif
#ifdef __NR_poll
        TELL_IF_FINITE(__NR_poll, 2),
#endif
#ifdef __NR_select
        TELL_IF_POINTER(__NR_select, 4),
#endif
#ifdef __NR_epoll_wait
        TELL_IF_FINITE(__NR_epoll_wait, 3),
#endif
        // futex(2): waits with a timeout only.
        IF_EQUAL(__NR_futex, 1, 0),
        RETURN(SECCOMP_RET_ALLOW),
        LOAD_LOW(1),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, FUTEX_CMD_MASK),
        IF_EQUAL(FUTEX_WAIT, 2, 0),
        IF_EQUAL(FUTEX_WAIT_BITSET, 1, 0),
        RETURN(SECCOMP_RET_ALLOW),
        LOAD_LOW(3),
        IF_EQUAL(0, 0, 2),
        LOAD_HIGH(3),
        IF_EQUAL(0, 1, 0),
        RETURN(SECCOMP_RET_USER_NOTIF),
        RETURN(SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
                        &program);
}

// MARK: Descriptors

int CLinux_message_pair(int ends[2]) {
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends);
}

int CLinux_send_descriptor(int socket, int descriptor) {
    char byte = 0;
    char control[CMSG_SPACE(sizeof descriptor)];
    struct iovec part = {&byte, 1};
    struct msghdr message = {0};
    memset(control, 0, sizeof control);
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof descriptor);
    memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
    return sendmsg(socket, &message, MSG_NOSIGNAL) == 1 ? 0 : -1;
}

int CLinux_receive_descriptor(int socket) {
    int descriptor = -1;
    char byte;
    char control[CMSG_SPACE(sizeof descriptor)];
    struct iovec part = {&byte, 1};
    struct msghdr message = {0};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) <= 0) return -1;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (!header || header->cmsg_type != SCM_RIGHTS) return -1;
    memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
    return descriptor;
}

int CLinux_signal_descriptor(const int *numbers, int count) {
    sigset_t set;
    sigemptyset(&set);
    for (int index = 0; index < count; index++) sigaddset(&set, numbers[index]);
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

int CLinux_next_signal(int descriptor) {
    struct signalfd_siginfo info;
    return read(descriptor, &info, sizeof info) == sizeof info ? (int)info.ssi_signo : 0;
}

// MARK: Calls

static ssize_t read_text(const char *path, char *text, size_t room) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return -1;
    ssize_t count = read(file, text, room - 1);
    close(file);
    text[count > 0 ? count : 0] = 0;
    if (count == 0) errno = ESRCH;
    return count;
}

static int read_memory(pid_t pid, uint64_t address, void *bytes, size_t count) {
    struct iovec here = {bytes, count}, there = {(void *)(uintptr_t)address, count};
    return process_vm_readv(pid, &here, 1, &there, 1, 0) == (ssize_t)count ? 0 : -1;
}

static void write_memory(pid_t pid, uint64_t address, const void *bytes, size_t count) {
    struct iovec here = {(void *)bytes, count}, there = {(void *)(uintptr_t)address, count};
    ssize_t written = process_vm_writev(pid, &here, 1, &there, 1, 0);
    (void)written;
}

// Rounded up; what is too long to be told in microseconds is for ever.
static int64_t microseconds(struct timespec time) {
    if (time.tv_sec < 0 || time.tv_nsec < 0) return 0;
    if (time.tv_sec > INT64_MAX / 4000000) return INT64_MAX / 4;
    return (int64_t)time.tv_sec * 1000000 + (time.tv_nsec + 999) / 1000;
}

static int read_time(struct CLinux_call *call, uint64_t address) {
    struct timespec time;
    if (read_memory(call->pid, address, &time, sizeof time) != 0) return -1;
    call->microseconds = microseconds(time);
    return 0;
}

static int64_t microseconds_of(struct timeval time) {
    struct timespec exact = {time.tv_sec, time.tv_usec * 1000};
    return microseconds(exact);
}

static int read_interval(struct CLinux_call *call, uint64_t address) {
    struct timeval time;
    if (read_memory(call->pid, address, &time, sizeof time) != 0) return -1;
    call->microseconds = microseconds_of(time);
    return 0;
}

static void understand(struct CLinux_call *call) {
    const uint64_t *arguments = call->arguments;
    call->wait = CLinux_wait_none;
    call->timer = -1;
    call->signal = SIGALRM;
    switch (call->number) {
    case __NR_nanosleep:
        call->clock = CLOCK_MONOTONIC;
        if (read_time(call, arguments[0]) == 0) call->wait = CLinux_wait_sleep;
        break;
    case __NR_clock_nanosleep:
        call->clock = (int)arguments[0];
        call->is_absolute = arguments[1] & TIMER_ABSTIME ? 1 : 0;
        if (call->clock != CLOCK_REALTIME && call->clock != CLOCK_MONOTONIC
            && call->clock != CLOCK_BOOTTIME)
            break;
        if (read_time(call, arguments[2]) == 0) call->wait = CLinux_wait_sleep;
        break;
#ifdef __NR_alarm
    case __NR_alarm:
        call->microseconds = (int64_t)(uint32_t)arguments[0] * 1000000;
        call->wait = CLinux_wait_timer;
        break;
#endif
    case __NR_setitimer: {
        if (arguments[0] != ITIMER_REAL || arguments[1] == 0) break;
        struct itimerval interval;
        if (read_memory(call->pid, arguments[1], &interval, sizeof interval) != 0) break;
        call->microseconds = microseconds_of(interval.it_value);
        call->interval = microseconds_of(interval.it_interval);
        call->old_value = arguments[2];
        call->wait = CLinux_wait_timer;
        break;
    }
    case __NR_timer_settime: {
        if (arguments[1] & TIMER_ABSTIME) break;
        call->timer = (int)arguments[0];
        struct itimerspec setting;
        if (read_memory(call->pid, arguments[2], &setting, sizeof setting) != 0) break;
        call->microseconds = microseconds(setting.it_value);
        call->interval = microseconds(setting.it_interval);
        call->old_value = arguments[3];
        call->wait = CLinux_wait_timer;
        break;
    }
    case __NR_timer_create: {
        struct sigevent event;
        call->timer = -2;
        call->signal = SIGALRM;
        if (arguments[1] != 0
            && read_memory(call->pid, arguments[1], &event, sizeof event) == 0)
        {
            call->signal = event.sigev_notify == SIGEV_SIGNAL ? event.sigev_signo : 0;
            call->value = (uint64_t)(uintptr_t)event.sigev_value.sival_ptr;
        }
        break;
    }
    case __NR_ppoll:
        if (read_time(call, arguments[2]) == 0) call->wait = CLinux_wait_descriptors;
        break;
    case __NR_pselect6:
        if (read_time(call, arguments[4]) == 0) call->wait = CLinux_wait_descriptors;
        break;
#ifdef __NR_select
    case __NR_select:
        if (read_interval(call, arguments[4]) == 0) call->wait = CLinux_wait_descriptors;
        break;
#endif
#ifdef __NR_poll
    case __NR_poll:
        call->microseconds = (int64_t)(int32_t)arguments[2] * 1000;
        call->wait = CLinux_wait_descriptors;
        break;
#endif
#ifdef __NR_epoll_wait
    case __NR_epoll_wait:
#endif
    case __NR_epoll_pwait:
        call->microseconds = (int64_t)(int32_t)arguments[3] * 1000;
        call->wait = CLinux_wait_descriptors;
        break;
#ifdef __NR_epoll_pwait2
    case __NR_epoll_pwait2:
        if (read_time(call, arguments[3]) == 0) call->wait = CLinux_wait_descriptors;
        break;
#endif
    case __NR_rt_sigtimedwait:
        if (read_memory(call->pid, arguments[0], &call->value, sizeof call->value) == 0
            && read_time(call, arguments[2]) == 0)
            call->wait = CLinux_wait_signals;
        break;
    case __NR_futex:
        call->value = (uint32_t)arguments[2];
        call->is_absolute = (arguments[1] & FUTEX_CMD_MASK) == FUTEX_WAIT_BITSET;
        call->clock = arguments[1] & FUTEX_CLOCK_REALTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC;
        if (read_time(call, arguments[3]) == 0) call->wait = CLinux_wait_word;
        break;
    case __NR_connect: {
        struct sockaddr_un address;
        memset(&address, 0, sizeof address);
        size_t count = arguments[2] < sizeof address ? arguments[2] : sizeof address;
        if (count <= offsetof(struct sockaddr_un, sun_path)) break;
        if (read_memory(call->pid, arguments[1], &address, count) != 0) break;
        if (address.sun_family != AF_UNIX) break;
        memcpy(call->path, address.sun_path, sizeof call->path - 1);
        call->wait = CLinux_wait_connect;
        break;
    }
    default: break;
    }
}

int CLinux_next_call(int listener, struct CLinux_call *call) {
    struct seccomp_notif told;
    memset(&told, 0, sizeof told);
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &told) != 0) return errno;
    memset(call, 0, sizeof *call);
    call->id = told.id;
    call->pid = (pid_t)told.pid;
    call->number = told.data.nr;
    for (int index = 0; index < 6; index++) call->arguments[index] = told.data.args[index];
    understand(call);
    // Only now is it sure that what was read belongs to whoever called.
    return CLinux_is_waiting(listener, call->id) ? 0 : ENOENT;
}

int CLinux_is_waiting(int listener, uint64_t id) {
    return ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

static int respond(int listener, uint64_t id, int64_t result, int reason, uint32_t flags) {
    struct seccomp_notif_resp answer;
    memset(&answer, 0, sizeof answer);
    answer.id = id;
    answer.val = result;
    answer.error = -reason;
    answer.flags = flags;
    return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer) == 0 ? 0 : errno;
}

int CLinux_answer(int listener, uint64_t id, int64_t result, int reason) {
    return respond(listener, id, result, reason, 0);
}

int CLinux_let_through(int listener, uint64_t id) {
    return respond(listener, id, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
}

int CLinux_is_alarm(int number) {
#ifdef __NR_alarm
    return number == __NR_alarm;
#else
    (void)number;
    return 0;
#endif
}

void CLinux_tell_timer(const struct CLinux_call *call, int64_t rest, int64_t interval) {
    if (call->old_value == 0) return;
    if (call->number == __NR_setitimer) {
        struct itimerval old = {{interval / 1000000, interval % 1000000}, {rest / 1000000, rest % 1000000}};
        write_memory(call->pid, call->old_value, &old, sizeof old);
    } else {
        struct itimerspec old = {{interval / 1000000, interval % 1000000 * 1000},
                                 {rest / 1000000, rest % 1000000 * 1000}};
        write_memory(call->pid, call->old_value, &old, sizeof old);
    }
}

void CLinux_fire(pid_t process, int number, int timer, uint64_t value) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    info.si_signo = number;
    info.si_code = SI_TIMER;
    info.si_value.sival_ptr = (void *)(uintptr_t)value;
    // Programs look at where a signal comes from. Nobody but the kernel can say that it comes from alarm(2).
    if (timer < 0 || syscall(SYS_rt_sigqueueinfo, process, number, &info) != 0) kill(process, number);
}

int CLinux_word_changed(const struct CLinux_call *call) {
    uint32_t word;
    // What cannot be read is for the caller to find out.
    if (read_memory(call->pid, call->arguments[0], &word, sizeof word) != 0) return 1;
    return word != (uint32_t)call->value;
}

int CLinux_signal_has_come(const struct CLinux_call *call) {
    static const char *const names[] = {"\nSigPnd:", "\nShdPnd:"};
    char path[64], text[4096];
    snprintf(path, sizeof path, "/proc/%d/status", (int)call->pid);
    // What cannot be read is for the caller to find out.
    if (read_text(path, text, sizeof text) <= 0) return 1;
    for (int index = 0; index < 2; index++) {
        const char *line = strstr(text, names[index]);
        if (line && strtoull(line + 8, NULL, 16) & call->value) return 1;
    }
    return 0;
}

// MARK: Descriptors that are waited for

static int is_select(int number) {
#ifdef __NR_select
    if (number == __NR_select) return 1;
#endif
    return number == __NR_pselect6;
}

static int is_poll(int number) {
#ifdef __NR_poll
    if (number == __NR_poll) return 1;
#endif
    return number == __NR_ppoll;
}

// A pidfd is of a process; the thread that calls need not be its first.
static int process_descriptor(pid_t thread) {
    int descriptor = (int)syscall(SYS_pidfd_open, thread, 0);
    if (descriptor >= 0) return descriptor;
    char path[64], text[2048];
    snprintf(path, sizeof path, "/proc/%d/status", (int)thread);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return -1;
    ssize_t count = read(file, text, sizeof text - 1);
    close(file);
    if (count <= 0) return -1;
    text[count] = 0;
    char *line = strstr(text, "\nTgid:");
    return line ? (int)syscall(SYS_pidfd_open, atoi(line + 6), 0) : -1;
}

static int add_awaited(int process, int descriptor, short events, struct pollfd *all, int count) {
    int copy = (int)syscall(SYS_pidfd_getfd, process, descriptor, 0);
    if (copy < 0) return -1;
    all[count].fd = copy;
    all[count].events = events;
    all[count].revents = 0;
    return count + 1;
}

static int awaited_by_poll(const struct CLinux_call *call, int process, struct pollfd *all,
                           int room) {
    int count = 0;
    if (call->arguments[1] > (uint64_t)room) return -1;
    for (uint64_t index = 0; index < call->arguments[1]; index++) {
        struct pollfd entry;
        uint64_t address = call->arguments[0] + index * sizeof entry;
        if (read_memory(call->pid, address, &entry, sizeof entry) != 0) return -1;
        if (entry.fd < 0) continue;
        int next = add_awaited(process, entry.fd, entry.events, all, count);
        if (next < 0) return -1;
        count = next;
    }
    return count;
}

static int awaited_by_select(const struct CLinux_call *call, int process, struct pollfd *all,
                             int room) {
    static const short events[3] = {POLLIN, POLLOUT, POLLPRI};
    int count = 0;
    uint64_t descriptors = call->arguments[0] < FD_SETSIZE ? call->arguments[0] : FD_SETSIZE;
    for (int kind = 0; kind < 3; kind++) {
        fd_set set;
        FD_ZERO(&set);
        if (call->arguments[1 + kind] == 0 || descriptors == 0) continue;
        size_t bytes = (descriptors + 63) / 64 * 8;
        if (read_memory(call->pid, call->arguments[1 + kind], &set, bytes) != 0) return -1;
        for (uint64_t descriptor = 0; descriptor < descriptors; descriptor++) {
            if (!FD_ISSET(descriptor, &set)) continue;
            if (count == room) return -1;
            int next = add_awaited(process, (int)descriptor, events[kind], all, count);
            if (next < 0) return -1;
            count = next;
        }
    }
    return count;
}

int CLinux_awaited(const struct CLinux_call *call, struct pollfd *all, int room) {
    int is_epoll = !is_poll(call->number) && !is_select(call->number);
    int process = process_descriptor(call->pid);
    if (process < 0) return -1;
    memset(all, 0, (size_t)room * sizeof *all);
    int count = is_poll(call->number) ? awaited_by_poll(call, process, all, room)
        : is_epoll ? add_awaited(process, (int)call->arguments[0], POLLIN, all, 0)
                   : awaited_by_select(call, process, all, room);
    close(process);
    if (count < 0) {
        for (int index = 0; index < room && all[index].fd > 0; index++) close(all[index].fd);
    }
    return count;
}

void CLinux_none_ready(const struct CLinux_call *call) {
    if (is_poll(call->number)) {
        short none = 0;
        for (uint64_t index = 0; index < call->arguments[1]; index++) {
            uint64_t entry = call->arguments[0] + index * sizeof(struct pollfd);
            write_memory(call->pid, entry + offsetof(struct pollfd, revents), &none, sizeof none);
        }
    } else if (is_select(call->number)) {
        static const fd_set none;
        uint64_t descriptors = call->arguments[0] < FD_SETSIZE ? call->arguments[0] : FD_SETSIZE;
        for (int kind = 0; kind < 3; kind++) {
            if (call->arguments[1 + kind] == 0) continue;
            write_memory(call->pid, call->arguments[1 + kind], &none, (descriptors + 63) / 64 * 8);
        }
    }
}

// MARK: Looking

static int contains(const pid_t *all, int count, pid_t pid) {
    for (int index = 0; index < count; index++) {
        if (all[index] == pid) return 1;
    }
    return 0;
}

static void mix(struct CLinux_look *look, const char *text) {
    for (; *text; text++) look->activity = (look->activity ^ (unsigned char)*text) * 1099511628211u;
}

struct looking {
    const pid_t *busy_pids;
    int busy_count;
    const pid_t *sleeping;
    int sleeping_count;
    struct CLinux_look *look;
};

// So deep are process trees, and so many threads are looked at; what is beyond is busy.
#define DEEPEST 200
#define MOST_THREADS 1024

// What has ended is told from what the machine has no means to show at the moment: that may be running.
static void count_unreadable(struct looking *looking) {
    if (errno != ENOENT && errno != ESRCH) looking->look->busy++;
}

// Whether a sleeping thread waits for a page of its memory, as it does in state S where the file is kept by
// another process: it goes on by itself.
static int waits_for_memory(pid_t process, pid_t thread) {
    char path[96], text[256];
    snprintf(path, sizeof path, "/proc/%d/task/%d/syscall", (int)process, (int)thread);
    return read_text(path, text, sizeof text) > 0 && strncmp(text, "-1 ", 3) == 0;
}

static void look_at_thread(struct looking *looking, pid_t process, pid_t thread) {
    char path[96], text[512];
    snprintf(path, sizeof path, "/proc/%d/task/%d/stat", (int)process, (int)thread);
    if (read_text(path, text, sizeof text) <= 0) {
        count_unreadable(looking);
        return;
    }
    looking->look->threads++;
    // The name in parentheses may hold anything: look for the last one.
    char *rest = strrchr(text, ')');
    char state = rest && rest[1] ? rest[2] : 'R';
    int is_busy = state == 'R' || state == 'D' || (state == 'S' && waits_for_memory(process, thread))
        || (contains(looking->busy_pids, looking->busy_count, process)
            && !contains(looking->sleeping, looking->sleeping_count, thread) && state != 'Z'
            && state != 'X');
    if (is_busy) looking->look->busy++;
    unsigned long user = 0, system = 0;
    long user_of_children = 0, system_of_children = 0;
    if (rest && sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %ld %ld", &user,
                       &system, &user_of_children, &system_of_children) == 4) {
        // What its children took stands with each thread of a process.
        if (thread != process) user_of_children = system_of_children = 0;
        looking->look->ticks += (int64_t)(user + system) + user_of_children + system_of_children;
    }
    snprintf(path, sizeof path, "/proc/%d/task/%d/schedstat", (int)process, (int)thread);
    if (read_text(path, text, sizeof text) > 0) mix(looking->look, text);
    snprintf(text, sizeof text, "%d", (int)thread);
    mix(looking->look, text);
}

static void look_at_children(struct looking *looking, pid_t process, int depth);

static void look_at_process(struct looking *looking, pid_t process, int depth) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", (int)process);
    DIR *folder = opendir(path);
    if (!folder) {
        count_unreadable(looking);
        return;
    }
    struct dirent *entry;
    while ((entry = readdir(folder))) {
        pid_t thread = atoi(entry->d_name);
        if (thread > 0 && looking->look->threads < MOST_THREADS)
            look_at_thread(looking, process, thread);
    }
    closedir(folder);
    look_at_children(looking, process, depth + 1);
}

static void look_at_children(struct looking *looking, pid_t process, int depth) {
    if (depth > DEEPEST || looking->look->threads >= MOST_THREADS) {
        looking->look->busy++;
        return;
    }
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", (int)process);
    DIR *folder = opendir(path);
    if (!folder) {
        count_unreadable(looking);
        return;
    }
    struct dirent *entry;
    while ((entry = readdir(folder))) {
        pid_t thread = atoi(entry->d_name);
        if (thread <= 0) continue;
        char children[96];
        snprintf(children, sizeof children, "/proc/%d/task/%d/children", (int)process, (int)thread);
        FILE *file = fopen(children, "re");
        if (!file) {
            count_unreadable(looking);
            continue;
        }
        int child;
        while (fscanf(file, "%d", &child) == 1) look_at_process(looking, child, depth);
        fclose(file);
    }
    closedir(folder);
}

void CLinux_look_below(pid_t ancestor, const pid_t *busy_pids, int busy_count,
                       const pid_t *sleeping, int sleeping_count, struct CLinux_look *look) {
    memset(look, 0, sizeof *look);
    look->activity = 1469598103934665603u;
    struct looking looking = {busy_pids, busy_count, sleeping, sleeping_count, look};
    look_at_children(&looking, ancestor, 0);
    struct rusage ended;
    look->processor_microseconds = look->ticks * (1000000 / sysconf(_SC_CLK_TCK));
    if (ancestor == getpid() && getrusage(RUSAGE_CHILDREN, &ended) == 0) {
        look->processor_microseconds += (int64_t)(ended.ru_utime.tv_sec + ended.ru_stime.tv_sec) * 1000000
            + ended.ru_utime.tv_usec + ended.ru_stime.tv_usec;
    }
}
