// The kernels for cards, in OpenCL C 1.2 with double precision.
//
// A cut of the work into groups is chosen by the host for the device; where a group size is part of the
// code, it is a macro.
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
#ifndef GROUP
#define GROUP 64
#endif

// ---- stream

kernel void stream_copy(global const double *a, global double *c, ulong n) {
    ulong i = get_global_id(0);
    if (i < n) c[i] = a[i];
}

kernel void stream_scale(global const double *c, global double *b, double s, ulong n) {
    ulong i = get_global_id(0);
    if (i < n) b[i] = s * c[i];
}

kernel void stream_add(global const double *a, global const double *b, global double *c, ulong n) {
    ulong i = get_global_id(0);
    if (i < n) c[i] = a[i] + b[i];
}

kernel void stream_triad(global const double *b, global const double *c, global double *a, double s,
                         ulong n) {
    ulong i = get_global_id(0);
    if (i < n) a[i] = b[i] + s * c[i];
}

// ---- gemm: C = A B, by columns; A is m by k, `b` holds the transpose of B, n by k.
//
// A group makes a tile of TILE by TILE, a thread 4 by 4 elements of it, 16 apart, so that neighbours
// read and write neighbours.

#define TILE 64
#define DEPTH 16

kernel __attribute__((reqd_work_group_size(16, 16, 1)))
void gemm(global const double *a, global const double *b, global double *c, int m, int n, int k) {
    local double tile_a[DEPTH][TILE], tile_b[DEPTH][TILE];
    const int x = get_local_id(0), y = get_local_id(1);
    const int row = get_group_id(0) * TILE, column = get_group_id(1) * TILE;
    double sums[4][4] = {{0}};
    for (int first = 0; first < k; first += DEPTH) {
        for (int part = 0; part < 4; part++) {
            const int i = x + 16 * part, inner = first + y;
            const int r = row + i, s = column + i;
            tile_a[y][i] = r < m && inner < k ? a[(ulong)inner * m + r] : 0;
            tile_b[y][i] = s < n && inner < k ? b[(ulong)inner * n + s] : 0;
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        for (int inner = 0; inner < DEPTH; inner++) {
            double left[4], right[4];
            for (int i = 0; i < 4; i++) {
                left[i] = tile_a[inner][x + 16 * i];
                right[i] = tile_b[inner][y + 16 * i];
            }
            for (int j = 0; j < 4; j++)
                for (int i = 0; i < 4; i++) sums[j][i] = fma(left[i], right[j], sums[j][i]);
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    for (int j = 0; j < 4; j++)
        for (int i = 0; i < 4; i++) {
            const int r = row + x + 16 * i, s = column + y + 16 * j;
            if (r < m && s < n) c[(ulong)s * m + r] = sums[j][i];
        }
}

// ---- stencil: a star of 25 points on a periodic grid without margins; a thread walks along z with the
// nine values of its column in registers.

inline int around(int place, int extent) {
    return place < 0 ? place + extent : place >= extent ? place - extent : place;
}

kernel void stencil(global const double *now, global double *past, global const double *medium, int nx,
                    int ny, int nz, double w0, double w1, double w2, double w3, double w4) {
    const int x = get_global_id(0), y = get_global_id(1);
    if (x >= nx || y >= ny) return;
    const double w[5] = {w0, w1, w2, w3, w4};
    const ulong plane = (ulong)nx * ny, here = (ulong)y * nx + x;
    ulong west[4], east[4], south[4], north[4];
    for (int d = 1; d <= 4; d++) {
        west[d - 1] = (ulong)y * nx + around(x - d, nx);
        east[d - 1] = (ulong)y * nx + around(x + d, nx);
        south[d - 1] = (ulong)around(y - d, ny) * nx + x;
        north[d - 1] = (ulong)around(y + d, ny) * nx + x;
    }
    double column[9];
    for (int d = 0; d < 8; d++) column[d + 1] = now[plane * around(d - 4, nz) + here];
    for (int z = 0; z < nz; z++) {
        for (int d = 0; d < 8; d++) column[d] = column[d + 1];
        column[8] = now[plane * around(z + 4, nz) + here];
        double sum = w[0] * column[4];
        for (int d = 1; d <= 4; d++) {
            global const double *p = now + plane * z;
            sum += w[d] * (p[west[d - 1]] + p[east[d - 1]] + p[south[d - 1]] + p[north[d - 1]]
                           + column[4 - d] + column[4 + d]);
        }
        const ulong at = plane * z + here;
        past[at] = 2 * column[4] - past[at] + medium[at] * sum;
    }
}

// ---- cg: sparse rows of 13 couplings below and 13 above the diagonal, coupling by coupling, so that
// neighbouring threads read neighbouring words; missing ones are zeros that point to their own row.

kernel void cg_multiply(global const double *lower, global const uint *lower_columns,
                        global const double *upper, global const uint *upper_columns,
                        global const double *diagonal, global const double *x, global double *result,
                        ulong rows) {
    const ulong row = get_global_id(0);
    if (row >= rows) return;
    double sum = diagonal[row] * x[row];
    for (int k = 0; k < 13; k++) {
        const ulong at = k * rows + row;
        sum += lower[at] * x[lower_columns[at]] + upper[at] * x[upper_columns[at]];
    }
    result[row] = sum;
}

// One colour of a symmetric Gauss-Seidel sweep from zero: no two points whose coordinates agree in
// parity, each by itself, are neighbours, so eight colours take turns. Forward, `z` of later colours is
// still zero; backward, what came forward is corrected by the later colours alone, since the rest is
// what it was: M = (D + L) D^-1 (D + U) in this order.
inline ulong point_of_colour(int colour, int nx, int ny, int nz) {
    const int x = 2 * (int)get_global_id(0) + (colour & 1);
    const int y = 2 * (int)get_global_id(1) + (colour >> 1 & 1);
    const int z = 2 * (int)get_global_id(2) + (colour >> 2);
    return x < nx && y < ny && z < nz ? ((ulong)z * ny + y) * nx + x : ~0UL;
}

inline int colour_of(uint row, int nx, int ny) {
    const uint line = row / nx;
    return (row - line * nx & 1) | (line % ny & 1) << 1 | (line / ny & 1) << 2;
}

kernel void cg_sweep(global const double *lower, global const uint *lower_columns,
                     global const double *upper, global const uint *upper_columns,
                     global const double *inverse, global const double *r, global double *z, ulong rows,
                     int nx, int ny, int nz, int colour, int forward) {
    const ulong row = point_of_colour(colour, nx, ny, nz);
    if (row >= rows) return;
    double sum = 0;
    for (int k = 0; k < 13; k++) {
        const ulong at = k * rows + row;
        const uint p = lower_columns[at], q = upper_columns[at];
        const int before = colour_of(p, nx, ny), after = colour_of(q, nx, ny);
        if (forward ? before < colour : before > colour) sum += lower[at] * z[p];
        if (forward ? after < colour : after > colour) sum += upper[at] * z[q];
    }
    z[row] = forward ? (r[row] - sum) * inverse[row] : z[row] - sum * inverse[row];
}

// The sum of a group of `mine`; a group is a power of two.
inline void add_up(double mine, local double *sums, global double *partial) {
    const uint i = get_local_id(0);
    sums[i] = mine;
    for (uint width = GROUP / 2; width > 0; width /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (i < width) sums[i] += sums[i + width];
    }
    if (i == 0) partial[get_group_id(0)] = sums[0];
}

kernel void cg_dot(global const double *u, global const double *v, global double *partial, ulong n) {
    local double sums[GROUP];
    double mine = 0;
    for (ulong i = get_global_id(0); i < n; i += get_global_size(0)) mine += u[i] * v[i];
    add_up(mine, sums, partial);
}

kernel void cg_direction(global const double *z, double beta, global double *p, ulong n) {
    const ulong i = get_global_id(0);
    if (i < n) p[i] = z[i] + beta * p[i];
}

// x += alpha p, r -= alpha q, and the sums of r squared.
kernel void cg_advance(double alpha, global const double *p, global const double *q, global double *x,
                       global double *r, global double *partial, ulong n) {
    local double sums[GROUP];
    double mine = 0;
    for (ulong i = get_global_id(0); i < n; i += get_global_size(0)) {
        x[i] += alpha * p[i];
        const double rest = r[i] - alpha * q[i];
        r[i] = rest;
        mine += rest * rest;
    }
    add_up(mine, sums, partial);
}

kernel void cg_start(global const double *b, double level, global double *x, global double *r,
                     global double *p, ulong n) {
    const ulong i = get_global_id(0);
    if (i >= n) return;
    x[i] = 0;
    p[i] = 0;
    r[i] = level * b[i];
}
