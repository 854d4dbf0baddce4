#ifndef CHWLOC_SHIM_H
#define CHWLOC_SHIM_H

#include <errno.h>
#include <fcntl.h>
#include <hwloc.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

// Attributes of an object sit in a union behind a pointer, which Swift's importer shows as nested
// optional pointers and tuples. Each helper asks the type first, so that no other member is read.

static inline unsigned long long CHwloc_local_memory(hwloc_obj_t object) {
    return object->type == HWLOC_OBJ_NUMANODE ? object->attr->numanode.local_memory : 0;
}

static inline unsigned long long CHwloc_cache_size(hwloc_obj_t object) {
    return hwloc_obj_type_is_cache(object->type) || object->type == HWLOC_OBJ_MEMCACHE
        ? object->attr->cache.size : 0;
}

static inline unsigned CHwloc_cache_level(hwloc_obj_t object) {
    return hwloc_obj_type_is_cache(object->type) ? object->attr->cache.depth : 0;
}

/// 0 unified, 1 data, 2 instruction.
static inline int CHwloc_cache_content(hwloc_obj_t object) {
    if (!hwloc_obj_type_is_cache(object->type)) return 0;
    if (object->attr->cache.type == HWLOC_OBJ_CACHE_DATA) return 1;
    return object->attr->cache.type == HWLOC_OBJ_CACHE_INSTRUCTION ? 2 : 0;
}

static inline int CHwloc_os_device_type(hwloc_obj_t object) {
    return object->type == HWLOC_OBJ_OS_DEVICE ? (int)object->attr->osdev.type : -1;
}

static inline int CHwloc_is_host_bridge(hwloc_obj_t object) {
    return object->type == HWLOC_OBJ_BRIDGE
        && object->attr->bridge.upstream_type == HWLOC_OBJ_BRIDGE_HOST;
}

/// The device behind a PCI object, or the upstream side of a PCI-to-PCI bridge; NULL otherwise.
static inline const struct hwloc_pcidev_attr_s *CHwloc_pci(hwloc_obj_t object) {
    if (object->type == HWLOC_OBJ_PCI_DEVICE) return &object->attr->pcidev;
    if (object->type == HWLOC_OBJ_BRIDGE
        && object->attr->bridge.upstream_type == HWLOC_OBJ_BRIDGE_PCI)
        return &object->attr->bridge.upstream.pci;
    return 0;
}

// HWLOC_UNKNOWN_INDEX is a cast in a macro, which Swift does not import.
static inline int CHwloc_has_os_index(hwloc_obj_t object) {
    return object->os_index != HWLOC_UNKNOWN_INDEX;
}

// A topology that keeps instruction caches and the devices that jobs may care for; not 0 on failure.
static inline int CHwloc_prepare(hwloc_topology_t *topology) {
    if (hwloc_topology_init(topology) != 0) return -1;
    hwloc_topology_set_icache_types_filter(*topology, HWLOC_TYPE_FILTER_KEEP_ALL);
    hwloc_topology_set_io_types_filter(*topology, HWLOC_TYPE_FILTER_KEEP_IMPORTANT);
    hwloc_topology_set_type_filter(*topology, HWLOC_OBJ_MISC, HWLOC_TYPE_FILTER_KEEP_ALL);
    return 0;
}

// Whether hwloc lives through a document. hwloc 2 trusts XML: it follows a set that is missing, and
// asserts what a hostile document need not keep. So a child process, which may die, reads it first.
// Where there can be no child, nobody knows, and the answer is yes.
static inline int CHwloc_survives_xml(const char *text, int length) {
    pid_t child = fork();
    if (child < 0) return 1;
    if (child == 0) {
        // The parent's handlers would write reports, or have the child live on.
        const int deadly[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGALRM};
        for (unsigned i = 0; i < sizeof deadly / sizeof *deadly; i++) signal(deadly[i], SIG_DFL);
        sigset_t all;
        sigfillset(&all);
        sigprocmask(SIG_UNBLOCK, &all, 0);
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        int null = open("/dev/null", O_WRONLY);
        if (null >= 0) dup2(null, 1), dup2(null, 2);
        alarm(20);
        hwloc_topology_t topology;
        if (CHwloc_prepare(&topology) == 0
            && hwloc_topology_set_xmlbuffer(topology, text, length) == 0
            && hwloc_topology_load(topology) == 0) {
            hwloc_topology_check(topology);
            char *written;
            int size;
            if (hwloc_topology_export_xmlbuffer(topology, &written, &size, 0) == 0)
                hwloc_free_xmlbuffer(topology, written);
        }
        _exit(0);
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return 1;
    return WIFEXITED(status);
}

#endif
