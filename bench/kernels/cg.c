// Peer of `xinghe-kernel cg`: HPCG's 27-point problem in compressed rows, symmetric Gauss-Seidel
// over whole rows as HPCG's reference does it, one process.
// Prints: seconds iterations flop_per_s (2 a nonzero and sweep, as performed here) largest error.
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static long n;
static int64_t *start;
static int32_t *column;
static double *value, *diagonal;

static void multiply(const double *x, double *y) {
    for (long i = 0; i < n; i++) {
        double sum = 0;
        for (int64_t k = start[i]; k < start[i + 1]; k++) sum += value[k] * x[column[k]];
        y[i] = sum;
    }
}

static void sweep_row(long i, const double *r, double *z) {
    double sum = r[i];
    for (int64_t k = start[i]; k < start[i + 1]; k++) sum -= value[k] * z[column[k]];
    sum += diagonal[i] * z[i];
    z[i] = sum / diagonal[i];
}

static void sweep(const double *r, double *z) {
    memset(z, 0, (size_t)n * sizeof *z);
    for (long i = 0; i < n; i++) sweep_row(i, r, z);
    for (long i = n - 1; i >= 0; i--) sweep_row(i, r, z);
}

static double dot(const double *a, const double *b) {
    double sum = 0;
    for (long i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

int main(int argc, char **argv) {
    int e = argc > 1 ? atoi(argv[1]) : 104;
    n = (long)e * e * e;
    start = malloc((size_t)(n + 1) * sizeof *start);
    column = malloc((size_t)n * 27 * sizeof *column);
    value = malloc((size_t)n * 27 * sizeof *value);
    diagonal = malloc((size_t)n * sizeof *diagonal);
    double *vectors = calloc((size_t)n * 6, sizeof(double));
    if (!start || !column || !value || !diagonal || !vectors) return 1;
    double *b = vectors, *x = b + n, *r = x + n, *z = r + n, *p = z + n, *q = p + n;
    int64_t nonzeros = 0;
    long row = 0;
    for (int k = 0; k < e; k++)
        for (int j = 0; j < e; j++)
            for (int i = 0; i < e; i++, row++) {
                start[row] = nonzeros;
                for (int dk = -1; dk <= 1; dk++)
                    for (int dj = -1; dj <= 1; dj++)
                        for (int di = -1; di <= 1; di++) {
                            int I = i + di, J = j + dj, K = k + dk;
                            if (I < 0 || J < 0 || K < 0 || I >= e || J >= e || K >= e) continue;
                            long to = ((long)K * e + J) * e + I;
                            column[nonzeros] = (int32_t)to;
                            value[nonzeros++] = to == row ? 26 : -1;
                        }
                diagonal[row] = 26;
                b[row] = 26 - (double)(nonzeros - start[row] - 1);
            }
    start[n] = nonzeros;
    double seconds = 0, error = 0;
    int iteration = 0;
    for (int solve = 0; solve < 2; solve++) {  // the first to warm up
        memset(x, 0, (size_t)n * sizeof *x);
        double t0 = now();
        memcpy(r, b, (size_t)n * sizeof *r);
        double first = dot(r, r), rz = 1;
        iteration = 0;
        while (iteration < 1000) {
            iteration++;
            sweep(r, z);
            double before = rz;
            rz = dot(r, z);
            double beta = iteration == 1 ? 0 : rz / before;
            for (long i = 0; i < n; i++) p[i] = z[i] + beta * p[i];
            multiply(p, q);
            double alpha = rz / dot(p, q);
            for (long i = 0; i < n; i++) x[i] += alpha * p[i];
            for (long i = 0; i < n; i++) r[i] -= alpha * q[i];
            if (!(dot(r, r) > 1e-18 * first)) break;
        }
        seconds = now() - t0;
    }
    for (long i = 0; i < n; i++) error = fmax(error, fabs(x[i] - 1));
    double flop = (double)iteration * (6.0 * (double)nonzeros + 12.0 * (double)n);
    printf("%.6f %d %.6e %.3e\n", seconds, iteration, flop / seconds, error);
    return 0;
}
