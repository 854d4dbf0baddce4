#ifndef XINGHE_PROCESSOR_H
#define XINGHE_PROCESSOR_H

#if defined(__x86_64__)
#include <cpuid.h>
#endif

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

// What compiled the C that is inlined into Swift: clang comes with the Swift compiler.
static inline const char *xinghe_c_compiler(void) { return __VERSION__; }

// Seconds are `additions` ÷ the clock: each addition waits for the one before and takes a cycle on
// every processor that Linux runs on in a computing centre.
static inline void xinghe_dependent_additions(unsigned long additions) {
    unsigned long sum = 1;
    for (unsigned long i = 0; i < additions; i += 8) {
#if defined(__x86_64__)
        __asm__ volatile("add %0, %0; add %0, %0; add %0, %0; add %0, %0;"
                         "add %0, %0; add %0, %0; add %0, %0; add %0, %0" : "+r"(sum) : : "cc");
#elif defined(__aarch64__)
        __asm__ volatile("add %0, %0, %0; add %0, %0, %0; add %0, %0, %0; add %0, %0, %0;"
                         "add %0, %0, %0; add %0, %0, %0; add %0, %0, %0; add %0, %0, %0"
                         : "+r"(sum));
#else
        for (int k = 0; k < 8; k++) __asm__ volatile("" : "+r"(sum)), sum += sum;
#endif
    }
}

// The vectors that processor and operating system offer: 0 128 bit, 1 AVX, 2 AVX2 with fused
// multiply-add, 3 AVX-512 (F, CD, BW, DQ, VL); -1 on processors of another architecture. By CPUID
// and XGETBV (Intel SDM vol. 2A and 1, 13.3; AMD APM vol. 3).
static inline int xinghe_vector_level(void) {
#if defined(__x86_64__)
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d)) return 0;
    const int saves = (c >> 27) & 1, avx = (c >> 28) & 1, fma = (c >> 12) & 1;
    if (!saves || !avx) return 0;
    unsigned low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    if ((low & 6) != 6) return 0;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !((b >> 5) & 1) || !fma) return 1;
    const unsigned wanted = 1u << 16 | 1u << 17 | 1u << 28 | 1u << 30 | 1u << 31;
    return (b & wanted) == wanted && (low & 0xe6) == 0xe6 ? 3 : 2;
#else
    return -1;
#endif
}

// Whether the processor calls itself GenuineIntel.
static inline _Bool xinghe_is_intel(void) {
#if defined(__x86_64__)
    unsigned a, b, c, d;
    return __get_cpuid(0, &a, &b, &c, &d) && b == 0x756e6547;
#else
    return 0;
#endif
}

#endif
