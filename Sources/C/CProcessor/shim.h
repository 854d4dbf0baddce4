#ifndef XINGHE_PROCESSOR_H
#define XINGHE_PROCESSOR_H

// Whether code that sees this header is compiled for a processor with fused multiply-add. A constant
// for the optimiser; Swift has no condition of compilation for it.
static inline _Bool xinghe_fuses_products(void) {
#ifdef __FMA__
    return 1;
#else
    return 0;
#endif
}

// Asks for the cache line at `address`, which will be read soon. Never faults, whatever the address.
static inline void xinghe_prefetch(const void *address) { __builtin_prefetch(address, 0, 3); }

// The same for what is read later: into the second-level cache.
static inline void xinghe_prefetch_later(const void *address) { __builtin_prefetch(address, 0, 2); }

#endif
