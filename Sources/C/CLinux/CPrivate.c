#define _GNU_SOURCE 1

#include "CPrivate.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// MARK: Ending

int CLinux_end_with_input(const char *folder) {
    static const char clearing[] =
        "for i in 0 1 2 3 4 5 6 7 8 9; do rm -rf -- \"$0\" 2>/dev/null && exit; sleep 0.2; done";
    pid_t watched = getpid();
    pid_t watcher = fork();
    if (watcher != 0) return watcher < 0 ? -1 : 0;
    // Nothing that ends the one who is watched, or the terminal, ends this; and it holds nothing open
    // whose end others wait for.
    static const int ignored[] = {SIGHUP, SIGINT, SIGTERM, SIGPIPE};
    for (size_t index = 0; index < sizeof ignored / sizeof *ignored; index++)
        signal(ignored[index], SIG_IGN);
    setsid();
    syscall(SYS_close_range, 3, ~0u, 0);
    char byte;
    ssize_t count;
    do {
        count = read(STDIN_FILENO, &byte, 1);
    } while (count > 0 || (count < 0 && errno == EINTR));
    if (getppid() == watched) kill(watched, SIGKILL);
    execl("/bin/sh", "sh", "-c", clearing, folder, (char *)0);
    _exit(127);
}

// MARK: Covering

static int write_text(const char *path, const char *text) {
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) return -1;
    ssize_t length = (ssize_t)strlen(text);
    int result = write(file, text, (size_t)length) == length ? 0 : -1;
    close(file);
    return result;
}

static int enter_own_users(void) {
    char map[64];
    uid_t user = geteuid();
    gid_t group = getegid();
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return -1;
    // Without this the kernel lets nobody say which group is which.
    if (write_text("/proc/self/setgroups", "deny") != 0) return -1;
    snprintf(map, sizeof map, "%u %u 1", user, user);
    if (write_text("/proc/self/uid_map", map) != 0) return -1;
    snprintf(map, sizeof map, "%u %u 1", group, group);
    return write_text("/proc/self/gid_map", map);
}

static int thread_count(void) {
    int count = 0;
    DIR *folder = opendir("/proc/self/task");
    if (!folder) return 0;
    struct dirent *entry;
    while ((entry = readdir(folder))) count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

int CLinux_own_mounts(const char *room) {
    // Another thread would go on as before, and so would those that it starts.
    if (thread_count() != 1) {
        errno = EINVAL;
        return -1;
    }
    if (unshare(CLONE_NEWNS) != 0 && (errno != EPERM || enter_own_users() != 0)) return -1;
    if (mount(0, "/", 0, MS_REC | MS_PRIVATE, 0) != 0) return -1;
    return mount("tmpfs", room, "tmpfs", MS_NOSUID | MS_NODEV, "size=1g,mode=0755");
}

int CLinux_cover(const char *folder, const char *changes, const char *work) {
    char options[8192];
    struct stat status;
    int result = -1;
    int home = open(".", O_PATH | O_CLOEXEC);
    if (home < 0) return -1;
    if (mkdir(changes, 0700) != 0 || mkdir(work, 0700) != 0) goto done;
    // The folder is named from within: no letter of its name can be taken for a part of the options.
    if (chdir(folder) != 0 || stat(".", &status) != 0) goto done;
    // Who covers a folder that is another's does not own it there either.
    if (chown(changes, status.st_uid, status.st_gid) != 0 && errno != EPERM && errno != EINVAL)
        goto done;
    if (chmod(changes, status.st_mode & 07777) != 0) goto done;
    snprintf(options, sizeof options, "lowerdir=.,upperdir=%s,workdir=%s,userxattr", changes, work);
    result = mount("overlay", ".", "overlay", 0, options);
    if (result != 0) {
        snprintf(options, sizeof options, "lowerdir=.,upperdir=%s,workdir=%s", changes, work);
        result = mount("overlay", ".", "overlay", 0, options);
    }
done:;
    int reason = errno;
    if (fchdir(home) != 0) result = -1;
    close(home);
    errno = reason;
    return result;
}

int CLinux_open_place(const char *path) { return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC); }

int CLinux_show(int place, const char *path) {
    char source[64];
    snprintf(source, sizeof source, "/proc/self/fd/%d", place);
    return mount(source, path, 0, MS_BIND | MS_REC, 0);
}
