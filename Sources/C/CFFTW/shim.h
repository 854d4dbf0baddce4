#ifndef CFFTW_SHIM_H
#define CFFTW_SHIM_H

#include <fftw3.h>

// The planner's flags are casts in macros, which Swift does not import.
static inline unsigned CFFTW_MEASURE(void) { return FFTW_MEASURE; }

// An array without a length, which Swift does not import.
static inline const char *CFFTW_version(void) { return fftw_version; }

#endif
