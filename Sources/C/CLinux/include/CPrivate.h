#ifndef CPRIVATE_H
#define CPRIVATE_H

// What a daemon needs that belongs to one other process: to end with it, and to leave nothing behind. All
// functions give 0, or -1 with the reason in errno, unless they say otherwise.

/// Starts a process that waits until nobody holds the other end of standard input; then it ends this process
/// and removes `folder`.
int CLinux_end_with_input(const char *folder);

/// From here on mounts are this process' own, and that of those that it starts; only while it has one thread.
/// Who may not mount gets users of their own too, in which they are who they were.
/// `room` becomes a place in memory, of a gibibyte.
int CLinux_own_mounts(const char *room);

/// What is written below `folder` from here on goes to `changes`, a folder that is made; `work` is another.
int CLinux_cover(const char *folder, const char *changes, const char *work);

/// Takes hold of a folder; a descriptor, or -1.
int CLinux_open_place(const char *path);

/// Shows a folder that was taken hold of at `path`, whatever covers it.
int CLinux_show(int place, const char *path);

#endif
