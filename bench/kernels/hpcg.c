// HPCG's method from its technical specification (SAND2013-8752), as its users compile the reference: rows of
// a sparse matrix as pointers, whole sweeps, one core.
//
// usage: hpcg SIDE SETS; prints seconds of the best set, flop of a set by HPCG's count, scaled residual
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct level {
    int n, rows;
    char *count;
    int **columns;
    double **values, **diagonal;
    int *finer;
    double *r, *x, *ax;
    long nonzeros;
    struct level *coarser;
} level;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

static double *vector(int n) { return calloc(n, sizeof(double)); }

static level *build(int n, int coarser) {
    level *l = calloc(1, sizeof *l);
    l->n = n, l->rows = n * n * n;
    l->count = malloc(l->rows);
    l->columns = malloc(l->rows * sizeof(int *));
    l->values = malloc(l->rows * sizeof(double *));
    l->diagonal = malloc(l->rows * sizeof(double *));
    int *columns = malloc(27L * l->rows * sizeof(int));
    double *values = malloc(27L * l->rows * sizeof(double));
    for (int z = 0, row = 0; z < n; z++)
        for (int y = 0; y < n; y++)
            for (int x = 0; x < n; x++, row++) {
                int c = 0;
                l->columns[row] = columns + 27L * row;
                l->values[row] = values + 27L * row;
                for (int d = 0; d < 27; d++) {
                    int u = x + d % 3 - 1, v = y + d / 3 % 3 - 1, w = z + d / 9 - 1;
                    if (u < 0 || u >= n || v < 0 || v >= n || w < 0 || w >= n) continue;
                    l->columns[row][c] = (w * n + v) * n + u;
                    l->values[row][c] = d == 13 ? 26 : -1;
                    if (d == 13) l->diagonal[row] = &l->values[row][c];
                    c++;
                }
                l->count[row] = c;
                l->nonzeros += c;
            }
    l->r = vector(l->rows), l->x = vector(l->rows), l->ax = vector(l->rows);
    if (!coarser) return l;
    l->coarser = build(n / 2, coarser - 1);
    l->finer = malloc(l->coarser->rows * sizeof(int));
    int m = n / 2;
    for (int i = 0; i < l->coarser->rows; i++)
        l->finer[i] = 2 * (i % m) + n * (2 * (i / m % m) + n * 2 * (i / m / m));
    return l;
}

static void multiply(const level *l, const double *x, double *y) {
    for (int i = 0; i < l->rows; i++) {
        double sum = 0;
        const double *values = l->values[i];
        const int *columns = l->columns[i];
        for (int j = 0; j < l->count[i]; j++) sum += values[j] * x[columns[j]];
        y[i] = sum;
    }
}

static void row_sweep(const level *l, int i, const double *r, double *x) {
    double sum = r[i], diagonal = *l->diagonal[i];
    const double *values = l->values[i];
    const int *columns = l->columns[i];
    for (int j = 0; j < l->count[i]; j++) sum -= values[j] * x[columns[j]];
    sum += x[i] * diagonal;
    x[i] = sum / diagonal;
}

static void smooth(const level *l, const double *r, double *x) {
    for (int i = 0; i < l->rows; i++) row_sweep(l, i, r, x);
    for (int i = l->rows - 1; i >= 0; i--) row_sweep(l, i, r, x);
}

static void cycle(level *l, const double *r, double *x) {
    memset(x, 0, l->rows * sizeof(double));
    smooth(l, r, x);
    level *c = l->coarser;
    if (!c) return;
    multiply(l, x, l->ax);
    for (int i = 0; i < c->rows; i++) c->r[i] = r[l->finer[i]] - l->ax[l->finer[i]];
    cycle(c, c->r, c->x);
    for (int i = 0; i < c->rows; i++) x[l->finer[i]] += c->x[i];
    smooth(l, r, x);
}

static double dot(int n, const double *a, const double *b) {
    double sum = 0;
    for (int i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

int main(int argc, char **argv) {
    int n = argc > 1 ? atoi(argv[1]) : 64, sets = argc > 2 ? atoi(argv[2]) : 1, iterations = 50;
    level *l = build(n, 3);
    int rows = l->rows;
    double *b = vector(rows), *x = vector(rows), *r = vector(rows), *z = vector(rows), *p = vector(rows),
           *q = vector(rows), best = INFINITY, scaled = 0;
    for (int i = 0; i < rows; i++) b[i] = 26 - (l->count[i] - 1);
    for (int set = 0; set < sets; set++) {
        double start = now(), product = 0;
        memset(x, 0, rows * sizeof(double));
        memcpy(p, x, rows * sizeof(double));
        multiply(l, p, q);
        for (int i = 0; i < rows; i++) r[i] = b[i] - q[i];
        double first = sqrt(dot(rows, r, r));
        for (int k = 0; k < iterations; k++) {
            cycle(l, r, z);
            double before = product;
            product = dot(rows, r, z);
            double beta = k ? product / before : 0;
            for (int i = 0; i < rows; i++) p[i] = z[i] + beta * p[i];
            multiply(l, p, q);
            double alpha = product / dot(rows, p, q);
            for (int i = 0; i < rows; i++) x[i] += alpha * p[i];
            for (int i = 0; i < rows; i++) r[i] -= alpha * q[i];
            scaled = sqrt(dot(rows, r, r)) / first;
        }
        double seconds = now() - start;
        if (seconds < best) best = seconds;
    }
    double flop = 2.0 * rows * (3.0 * iterations + 1) * 2 + (iterations + 1) * 2.0 * l->nonzeros;
    for (level *c = l; c; c = c->coarser)
        flop += iterations * (c->coarser ? 10.0 : 4.0) * c->nonzeros;
    printf("%.9g %.9g %.9g\n", best, flop, scaled);
    for (int i = 0; i < rows; i++)
        if (fabs(x[i] - 1) > 1e-3) return fprintf(stderr, "x[%d] = %g\n", i, x[i]), 1;
    return 0;
}
