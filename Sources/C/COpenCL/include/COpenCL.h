#ifndef COPENCL_H
#define COPENCL_H

// What of OpenCL 1.2 (Khronos, "The OpenCL Specification", version 1.2) the kernels call, declared here,
// so that neither building nor installing wants headers or a library: libOpenCL.so.1 is opened when a
// card is asked for.

#include <stddef.h>
#include <stdint.h>

typedef struct _cl_platform_id *COpenCL_platform;
typedef struct _cl_device_id *COpenCL_device;
typedef struct _cl_context *COpenCL_context;
typedef struct _cl_command_queue *COpenCL_queue;
typedef struct _cl_mem *COpenCL_memory;
typedef struct _cl_program *COpenCL_program;
typedef struct _cl_kernel *COpenCL_kernel;

static const uint64_t COpenCL_any_type = 0xFFFFFFFF, COpenCL_type_cpu = 1 << 1,
                      COpenCL_type_gpu = 1 << 2, COpenCL_type_accelerator = 1 << 3;
static const uint64_t COpenCL_read_write = 1 << 0;
static const uint32_t COpenCL_device_type = 0x1000, COpenCL_device_units = 0x1002,
                      COpenCL_device_group_size = 0x1004, COpenCL_device_largest_buffer = 0x1010,
                      COpenCL_device_memory = 0x101F, COpenCL_device_name = 0x102B,
                      COpenCL_device_vendor = 0x102C, COpenCL_driver_version = 0x102D,
                      COpenCL_device_version = 0x102F, COpenCL_device_doubles = 0x1032;
static const uint32_t COpenCL_build_log = 0x1183;

// Parameters may be null where OpenCL says so; the functions themselves never are.
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wnullability-completeness"

typedef struct {
    int32_t (*_Nonnull platforms)(uint32_t, COpenCL_platform *, uint32_t *);
    int32_t (*_Nonnull devices)(COpenCL_platform, uint64_t, uint32_t, COpenCL_device *, uint32_t *);
    int32_t (*_Nonnull device_info)(COpenCL_device, uint32_t, size_t, void *, size_t *);
    COpenCL_context (*_Nonnull make_context)(const intptr_t *, uint32_t, const COpenCL_device *,
                                    void (*)(const char *, const void *, size_t, void *), void *,
                                    int32_t *);
    int32_t (*_Nonnull release_context)(COpenCL_context);
    COpenCL_queue (*_Nonnull make_queue)(COpenCL_context, COpenCL_device, uint64_t, int32_t *);
    int32_t (*_Nonnull release_queue)(COpenCL_queue);
    COpenCL_memory (*_Nonnull make_buffer)(COpenCL_context, uint64_t, size_t, void *, int32_t *);
    int32_t (*_Nonnull release_buffer)(COpenCL_memory);
    int32_t (*_Nonnull write)(COpenCL_queue, COpenCL_memory, uint32_t, size_t, size_t, const void *, uint32_t,
                     const void *, void *);
    int32_t (*_Nonnull read)(COpenCL_queue, COpenCL_memory, uint32_t, size_t, size_t, void *, uint32_t,
                    const void *, void *);
    COpenCL_program (*_Nonnull make_program)(COpenCL_context, uint32_t, const char **, const size_t *,
                                    int32_t *);
    int32_t (*_Nonnull build)(COpenCL_program, uint32_t, const COpenCL_device *, const char *,
                     void (*)(COpenCL_program, void *), void *);
    int32_t (*_Nonnull build_info)(COpenCL_program, COpenCL_device, uint32_t, size_t, void *, size_t *);
    int32_t (*_Nonnull release_program)(COpenCL_program);
    COpenCL_kernel (*_Nonnull make_kernel)(COpenCL_program, const char *, int32_t *);
    int32_t (*_Nonnull release_kernel)(COpenCL_kernel);
    int32_t (*_Nonnull set_argument)(COpenCL_kernel, uint32_t, size_t, const void *);
    int32_t (*_Nonnull start)(COpenCL_queue, COpenCL_kernel, uint32_t, const size_t *, const size_t *,
                     const size_t *, uint32_t, const void *, void *);
    int32_t (*_Nonnull finish)(COpenCL_queue);
} COpenCL_calls;

#pragma clang diagnostic pop

// Opens the library at `path` and finds its functions; NULL where it cannot, and why in `problem`. It is
// never closed: drivers keep threads of their own. One thread at a time.
const COpenCL_calls *_Nullable COpenCL_open(const char *_Nonnull path, char *_Nonnull problem,
                                            size_t room);

#endif
