#ifndef CCLOCK_H
#define CCLOCK_H

// libxinghe-clock.so, preloaded into the programs of a rehearsed script: the clocks that they read show
// the centre's time. It stands in the file that XINGHE_CLOCK names: microseconds of the wall's and of the
// monotonic clock, eight bytes each, which the supervisor moves on. Without that file nothing changes.
//
// Programs that a program of the script starts by execve(2), as shells do, have the centre's commands (XINGHE_PATH)
// in their PATH; what the C library starts by itself (execvp(3), posix_spawn(3)) has the PATH that it is given.
//
// The kernel's own clocks are read through the vDSO, past any filter of system calls; so a program that
// is linked statically sees the machine's time.

#endif
