#ifndef CHWLOC_SHIM_H
#define CHWLOC_SHIM_H

#include <hwloc.h>

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

#endif
