// Stands in the place of libOpenCL.so.1 and does not do what one call asks for.
//
// FAULT_LAUNCH: the launch of a kernel that is left out, from 0. FAULT_READ: the copy from the card in
// which one double in the middle comes FAULT_EPS too large. FAULT_LOG: a file that the numbers of
// launches and copies are written to at the end.
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static long launches, reads;

static void *next(const char *name) {
    static void *library;
    if (!library) library = dlopen(getenv("REAL_OPENCL"), RTLD_NOW);
    void *found = library ? dlsym(library, name) : NULL;
    if (!found) abort();
    return found;
}

static long number(const char *name) {
    const char *text = getenv(name);
    return text ? atol(text) : -1;
}

__attribute__((destructor)) static void tell(void) {
    const char *path = getenv("FAULT_LOG");
    FILE *file = path ? fopen(path, "w") : NULL;
    if (!file) return;
    fprintf(file, "%ld %ld\n", launches, reads);
    fclose(file);
}

int clEnqueueNDRangeKernel(void *queue, void *kernel, unsigned axes, const size_t *offset,
                           const size_t *all, const size_t *group, unsigned n, const void *wait,
                           void *event) {
    if (launches++ == number("FAULT_LAUNCH")) return 0;
    int (*real)(void *, void *, unsigned, const size_t *, const size_t *, const size_t *, unsigned,
                const void *, void *) = next("clEnqueueNDRangeKernel");
    return real(queue, kernel, axes, offset, all, group, n, wait, event);
}

int clEnqueueReadBuffer(void *queue, void *buffer, unsigned blocks, size_t offset, size_t size,
                        void *to, unsigned n, const void *wait, void *event) {
    int (*real)(void *, void *, unsigned, size_t, size_t, void *, unsigned, const void *, void *) =
        next("clEnqueueReadBuffer");
    int code = real(queue, buffer, blocks, offset, size, to, n, wait, event);
    if (reads++ == number("FAULT_READ")) ((double *)to)[size / 16] *= 1 + atof(getenv("FAULT_EPS"));
    return code;
}

// The others pass: as many words as any of them takes, which on 64-bit machines go through whatever
// their types, since none is a floating-point number.
typedef intptr_t word;
#define PASS(name)                                                                                   \
    word name(word a, word b, word c, word d, word e, word f, word g, word h, word i) {              \
        word (*real)(word, word, word, word, word, word, word, word, word) = next(#name);            \
        return real(a, b, c, d, e, f, g, h, i);                                                      \
    }
PASS(clGetPlatformIDs)
PASS(clGetDeviceIDs)
PASS(clGetDeviceInfo)
PASS(clCreateContext)
PASS(clReleaseContext)
PASS(clCreateCommandQueue)
PASS(clReleaseCommandQueue)
PASS(clCreateBuffer)
PASS(clReleaseMemObject)
PASS(clEnqueueWriteBuffer)
PASS(clCreateProgramWithSource)
PASS(clBuildProgram)
PASS(clGetProgramBuildInfo)
PASS(clReleaseProgram)
PASS(clCreateKernel)
PASS(clReleaseKernel)
PASS(clSetKernelArg)
PASS(clFinish)
