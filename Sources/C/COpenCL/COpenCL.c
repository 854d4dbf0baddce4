#include "COpenCL.h"

#include <dlfcn.h>
#include <stdio.h>

const COpenCL_calls *COpenCL_open(const char *path, char *problem, size_t room) {
    static COpenCL_calls calls;
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        const char *why = dlerror();
        snprintf(problem, room, "%s", why ? why : path);
        return NULL;
    }
    // In the order of the struct's members.
    static const char *const names[] = {
        "clGetPlatformIDs", "clGetDeviceIDs", "clGetDeviceInfo", "clCreateContext", "clReleaseContext",
        "clCreateCommandQueue", "clReleaseCommandQueue", "clCreateBuffer", "clReleaseMemObject",
        "clEnqueueWriteBuffer", "clEnqueueReadBuffer", "clCreateProgramWithSource", "clBuildProgram",
        "clGetProgramBuildInfo", "clReleaseProgram", "clCreateKernel", "clReleaseKernel",
        "clSetKernelArg", "clEnqueueNDRangeKernel", "clFinish",
    };
    enum { COUNT = sizeof names / sizeof *names };
    _Static_assert(sizeof(COpenCL_calls) == COUNT * sizeof(void *), "a name for each member");
    void **members = (void **)&calls;
    for (int i = 0; i < COUNT; i++) {
        members[i] = dlsym(library, names[i]);
        if (!members[i]) {
            snprintf(problem, room, "%s has no %s", path, names[i]);
            return NULL;
        }
    }
    return &calls;
}
