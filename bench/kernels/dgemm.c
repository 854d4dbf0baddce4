// Peer of `xinghe-kernel gemm`: OpenBLAS dgemm called from C, one thread.
// Prints the best flop/s.
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int main(int argc, char **argv) {
    int n = argc > 1 ? atoi(argv[1]) : 3072;
    int repeats = argc > 2 ? atoi(argv[2]) : 2;
    size_t count = (size_t)n * (size_t)n;
    double *a = malloc(count * 8), *b = malloc(count * 8), *c = calloc(count, 8);
    if (!a || !b || !c) return 1;
    for (size_t i = 0; i < count; i++) {
        a[i] = (double)(i * 2654435761u % 1000) / 1000 - 0.5;
        b[i] = (double)(i * 40503u % 1000) / 1000 - 0.5;
    }
    openblas_set_num_threads(1);
    double best = 1e30;
    for (int r = 0; r <= repeats; r++) {
        double t = now();
        cblas_dgemm(CblasColMajor, CblasNoTrans, CblasTrans, n, n, n, 1, a, n, b, n, 0, c, n);
        t = now() - t;
        if (r > 0 && t < best) best = t;
    }
    printf("%.6e\n", 2.0 * n * n * n / best);
    return c[count / 2] == 12345.678;
}
