// Graph500's search from its specification, as its users compile the reference for one core: the edges of a
// Kronecker graph in compressed rows, level by level from a queue.
//
// usage: graph SCALE EDGEFACTOR SEARCHES; prints edges of the component without loops and seconds, a line a search
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

static uint64_t state = 42;
static uint64_t next(void) {
    uint64_t z = state += 0x9E3779B97F4A7C15;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    return z ^ z >> 31;
}

int main(int argc, char **argv) {
    int scale = argc > 1 ? atoi(argv[1]) : 18, factor = argc > 2 ? atoi(argv[2]) : 16;
    int searches = argc > 3 ? atoi(argv[3]) : 8;
    long n = 1L << scale, m = n * factor;
    uint32_t *from = malloc(m * 4), *to = malloc(m * 4), *name = malloc(n * 4);
    for (long i = 0; i < n; i++) name[i] = (uint32_t)i;
    for (long i = n - 1; i > 0; i--) {
        long j = (long)(next() % (uint64_t)(i + 1));
        uint32_t t = name[i];
        name[i] = name[j], name[j] = t;
    }
    for (long e = 0; e < m; e++) {
        uint32_t u = 0, v = 0;
        for (int bit = 0; bit < scale; bit++) {
            double r = (double)(next() >> 11) * 0x1p-53;
            u = 2 * u + (r >= 0.76), v = 2 * v + ((r >= 0.57 && r < 0.76) || r >= 0.95);
        }
        from[e] = name[u], to[e] = name[v];
    }
    long *start = calloc(n + 1, sizeof(long));
    for (long e = 0; e < m; e++)
        if (from[e] != to[e]) start[from[e] + 1]++, start[to[e] + 1]++;
    for (long i = 0; i < n; i++) start[i + 1] += start[i];
    uint32_t *ends = malloc(start[n] * 4);
    long *place = malloc(n * sizeof(long));
    memcpy(place, start, n * sizeof(long));
    for (long e = 0; e < m; e++)
        if (from[e] != to[e]) ends[place[from[e]]++] = to[e], ends[place[to[e]]++] = from[e];
    int64_t *parent = malloc(n * 8);
    uint32_t *queue = malloc(n * 4);
    for (int s = 0; s < searches; s++) {
        uint32_t root;
        do root = (uint32_t)(next() % (uint64_t)n);
        while (start[root] == start[root + 1]);
        double t = now();
        memset(parent, -1, n * 8);
        long head = 0, tail = 1;
        parent[root] = root, queue[0] = root;
        while (head < tail) {
            uint32_t v = queue[head++];
            for (long i = start[v]; i < start[v + 1]; i++) {
                uint32_t w = ends[i];
                if (parent[w] < 0) parent[w] = v, queue[tail++] = w;
            }
        }
        t = now() - t;
        long twice = 0;
        for (long i = 0; i < tail; i++) twice += start[queue[i] + 1] - start[queue[i]];
        printf("%ld %.9g\n", twice / 2, t);
    }
    return 0;
}
