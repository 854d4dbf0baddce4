#ifndef XINGHE_CPREFETCH_H
#define XINGHE_CPREFETCH_H

/* Swift has no word for "this will be read soon". The stencil needs it: it reads twelve planes at
   once, more streams than the hardware's prefetchers follow, and without hints its computing and
   its waiting for memory add up instead of overlapping. */

/* Asks for the cache line at `address`. Never faults, whatever the address. */
static inline void xinghe_prefetch(const void *address) { __builtin_prefetch(address, 0, 3); }

#endif
