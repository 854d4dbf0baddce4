#ifndef CNUMA_SHIM_H
#define CNUMA_SHIM_H

#include <numa.h>
#include <numaif.h>

// numa_all_nodes_ptr is a mutable C global, which Swift 6 refuses as not safe under concurrency.
// libnuma sets it once, when the library is loaded, and never changes it after.
static inline int CNuma_may_allocate_on(int node) {
    return numa_bitmask_isbitset(numa_all_nodes_ptr, (unsigned)node);
}

// Asking with no target nodes makes move_pages tell where each page is, and move none.
static inline long CNuma_page_nodes(unsigned long count, void **pages, int *nodes) {
    return move_pages(0, count, pages, 0, nodes, 0);
}

#endif
