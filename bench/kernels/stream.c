// Peer of `xinghe-kernel stream`: the four loops of STREAM in plain C, one process.
// Prints the best rate of each loop in byte/s: copy scale add triad.
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int main(int argc, char **argv) {
    long n = argc > 1 ? atol(argv[1]) : 20000000;
    int repeats = argc > 2 ? atoi(argv[2]) : 5;
    double *restrict a = aligned_alloc(64, ((size_t)n * 8 + 63) / 64 * 64);
    double *restrict b = aligned_alloc(64, ((size_t)n * 8 + 63) / 64 * 64);
    double *restrict c = aligned_alloc(64, ((size_t)n * 8 + 63) / 64 * 64);
    if (!a || !b || !c) return 1;
    for (long i = 0; i < n; i++) { a[i] = 1; b[i] = 2; c[i] = 0; }
    const double s = 0.41421356237309515;
    double best[4] = {1e30, 1e30, 1e30, 1e30};
    for (int r = 0; r <= repeats; r++) {
        double t[5];
        t[0] = now();
        for (long i = 0; i < n; i++) c[i] = a[i];
        t[1] = now();
        for (long i = 0; i < n; i++) b[i] = s * c[i];
        t[2] = now();
        for (long i = 0; i < n; i++) c[i] = a[i] + b[i];
        t[3] = now();
        for (long i = 0; i < n; i++) a[i] = b[i] + s * c[i];
        t[4] = now();
        for (int k = 0; k < 4 && r > 0; k++)
            if (t[k + 1] - t[k] < best[k]) best[k] = t[k + 1] - t[k];
    }
    if (a[n / 2] + b[n / 3] + c[n / 5] < 0) return 2;
    printf("%.6e %.6e %.6e %.6e\n", 16 * n / best[0], 16 * n / best[1], 24 * n / best[2],
           24 * n / best[3]);
    return 0;
}
