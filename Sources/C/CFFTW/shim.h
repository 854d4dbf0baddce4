#ifndef CFFTW_SHIM_H
#define CFFTW_SHIM_H

#include <fftw3.h>

// The planner's flags are casts in macros, which Swift does not import.
static inline unsigned CFFTW_MEASURE(void) { return FFTW_MEASURE; }

#endif
