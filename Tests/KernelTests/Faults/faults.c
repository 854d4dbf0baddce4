// Stands before BLAS, FFTW and MPI and spoils what one of their functions gives.
//
// FAULT_CALL names the function, FAULT_KIND what happens to it: "drop", nothing comes; "late", what
// the call before gave comes once more; "alter", one element in the middle is FAULT_EPS too large, or an
// integer one off. FAULT_FROM is the first call that it happens to, from 0, FAULT_FOR how many it
// happens to. FAULT_LEAST: calls of fewer elements do not count. FAULT_LOG: a file that rank 0 writes
// the number of calls of each function to.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DGEMM, SGEMM, DTRSM, DTRSV, DGEMV, FFTW, RECV, IRECV, ALLREDUCE, IALLREDUCE, BCAST, ALLTOALL,
       ALLTOALLV, ALLGATHER, FUNCTIONS };
static const char *const names[] = {
    "cblas_dgemm", "cblas_sgemm", "cblas_dtrsm", "cblas_dtrsv", "cblas_dgemv", "fftw_execute",
    "MPI_Recv", "MPI_Irecv", "MPI_Allreduce", "MPI_Iallreduce", "MPI_Bcast", "MPI_Alltoall",
    "MPI_Alltoallv", "MPI_Allgather"};
static long calls[FUNCTIONS];

enum { NOTHING, DROP, LATE, ALTER };
enum { BYTES, DOUBLES, FLOATS };

static long number(const char *name, long missing) {
    const char *text = getenv(name);
    return text ? atol(text) : missing;
}

static int is(const char *name, const char *word) {
    const char *text = getenv(name);
    return text && !strcmp(text, word);
}

// What happens to this call. A function whose results are to come late is watched from its first call.
static int kind_of(int function, long elements, long *call) {
    *call = -1;
    if (elements < number("FAULT_LEAST", 1)) return NOTHING;
    *call = calls[function]++;
    if (!is("FAULT_CALL", names[function])) return NOTHING;
    if (is("FAULT_KIND", "late")) return LATE;
    long from = number("FAULT_FROM", 0);
    if (*call < from || *call >= from + number("FAULT_FOR", 1)) return NOTHING;
    return is("FAULT_KIND", "drop") ? DROP : ALTER;
}

static void alter(char *element, int type) {
    double factor = 1 + atof(getenv("FAULT_EPS"));
    if (type == DOUBLES) *(double *)element *= factor;
    else if (type == FLOATS) *(float *)element *= (float)factor;
    else *element ^= 1;
}

// Spoils `rows` lines of `width` bytes, `stride` apart, that a call has just written.
static void spoil(int kind, long call, char *out, long rows, long width, long stride, long size,
                  int type) {
    static char *last;
    static long last_rows, last_width;
    if (rows <= 0 || width <= 0) return;
    if (kind == ALTER) alter(out + rows / 2 * stride + width / size / 2 * size, type);
    if (kind != LATE) return;
    char *fresh = malloc((size_t)(rows * width));
    for (long r = 0; r < rows; r++) memcpy(fresh + r * width, out + r * stride, (size_t)width);
    long from = number("FAULT_FROM", 0);
    if (call >= from && call < from + number("FAULT_FOR", 1) && last && last_rows == rows
        && last_width == width)
        for (long r = 0; r < rows; r++) memcpy(out + r * stride, last + r * width, (size_t)width);
    free(last);
    last = fresh, last_rows = rows, last_width = width;
}

static void *next(const char *name) { return dlsym(RTLD_NEXT, name); }

// A matrix of m by n in either order.
static void spoil_matrix(int kind, long call, int order, void *c, int m, int n, int ldc, long size,
                         int type) {
    long lines = order == 102 ? n : m, width = order == 102 ? m : n;
    spoil(kind, call, c, lines, width * size, ldc * size, size, type);
}

void cblas_dgemm(int o, int ta, int tb, int m, int n, int k, double alpha, const double *a, int lda,
                 const double *b, int ldb, double beta, double *c, int ldc) {
    static void (*real)(int, int, int, int, int, int, double, const double *, int, const double *, int,
                        double, double *, int);
    if (!real) real = next("cblas_dgemm");
    long call;
    int kind = kind_of(DGEMM, (long)m * n, &call);
    if (kind == DROP) return;
    real(o, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
    spoil_matrix(kind, call, o, c, m, n, ldc, 8, DOUBLES);
}

void cblas_sgemm(int o, int ta, int tb, int m, int n, int k, float alpha, const float *a, int lda,
                 const float *b, int ldb, float beta, float *c, int ldc) {
    static void (*real)(int, int, int, int, int, int, float, const float *, int, const float *, int,
                        float, float *, int);
    if (!real) real = next("cblas_sgemm");
    long call;
    int kind = kind_of(SGEMM, (long)m * n, &call);
    if (kind == DROP) return;
    real(o, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
    spoil_matrix(kind, call, o, c, m, n, ldc, 4, FLOATS);
}

void cblas_dtrsm(int o, int side, int uplo, int ta, int diag, int m, int n, double alpha,
                 const double *a, int lda, double *b, int ldb) {
    static void (*real)(int, int, int, int, int, int, int, double, const double *, int, double *, int);
    if (!real) real = next("cblas_dtrsm");
    long call;
    int kind = kind_of(DTRSM, (long)m * n, &call);
    if (kind == DROP) return;
    real(o, side, uplo, ta, diag, m, n, alpha, a, lda, b, ldb);
    spoil_matrix(kind, call, o, b, m, n, ldb, 8, DOUBLES);
}

void cblas_dtrsv(int o, int uplo, int ta, int diag, int n, const double *a, int lda, double *x, int s) {
    static void (*real)(int, int, int, int, int, const double *, int, double *, int);
    if (!real) real = next("cblas_dtrsv");
    long call;
    int kind = kind_of(DTRSV, n, &call);
    if (kind == DROP) return;
    real(o, uplo, ta, diag, n, a, lda, x, s);
    spoil(kind, call, (char *)x, 1, 8L * n, 0, 8, DOUBLES);
}

void cblas_dgemv(int o, int ta, int m, int n, double alpha, const double *a, int lda, const double *x,
                 int sx, double beta, double *y, int sy) {
    static void (*real)(int, int, int, int, double, const double *, int, const double *, int, double,
                        double *, int);
    if (!real) real = next("cblas_dgemv");
    long call;
    int kind = kind_of(DGEMV, ta == 111 ? m : n, &call);
    if (kind == DROP) return;
    real(o, ta, m, n, alpha, a, lda, x, sx, beta, y, sy);
    spoil(kind, call, (char *)y, 1, 8L * (ta == 111 ? m : n), 0, 8, DOUBLES);
}

// Where plans put their results, from when they were made.
typedef struct { long n, is, os; } dimension;
static struct { void *plan; char *out; long bytes; } plans[16];
static int planned;

void *fftw_plan_guru64_dft(int rank, const dimension *dims, int many, const dimension *howmany,
                           void *in, void *out, int sign, unsigned flags) {
    void *(*real)(int, const dimension *, int, const dimension *, void *, void *, int, unsigned) =
        next("fftw_plan_guru64_dft");
    void *plan = real(rank, dims, many, howmany, in, out, sign, flags);
    long points = 1;
    for (int i = 0; i < rank; i++) points *= dims[i].n;
    for (int i = 0; i < many; i++) points *= howmany[i].n;
    if (planned < 16) {
        plans[planned].plan = plan;
        plans[planned].out = out;
        plans[planned++].bytes = 16 * points;
    }
    return plan;
}

void fftw_execute(void *plan) {
    static void (*real)(void *);
    if (!real) real = next("fftw_execute");
    long call;
    int kind = kind_of(FFTW, 2, &call);
    if (kind == DROP) return;
    real(plan);
    for (int i = 0; i < planned; i++)
        if (plans[i].plan == plan) spoil(kind, call, plans[i].out, 1, plans[i].bytes, 0, 8, DOUBLES);
}

// MPI

static int type_of(MPI_Datatype type) {
    return type == MPI_DOUBLE ? DOUBLES : type == MPI_FLOAT ? FLOATS : BYTES;
}

static long size_of(MPI_Datatype type) {
    int size;
    PMPI_Type_size(type, &size);
    return size;
}

static void spoil_message(int kind, long call, void *out, long count, MPI_Datatype type) {
    spoil(kind, call, out, 1, count * size_of(type), 0, size_of(type), type_of(type));
}

// Memory that takes what is dropped; never freed, since a transfer may be under way.
static void *instead(long count, MPI_Datatype type) { return calloc((size_t)count + 1, (size_t)size_of(type)); }

int MPI_Recv(void *buf, int n, MPI_Datatype t, int from, int tag, MPI_Comm c, MPI_Status *s) {
    long call;
    int kind = kind_of(RECV, n, &call);
    int code = PMPI_Recv(kind == DROP ? instead(n, t) : buf, n, t, from, tag, c, s);
    if (kind != DROP) spoil_message(kind, call, buf, n, t);
    return code;
}

// Transfers that have been started; they are spoilt when they have been waited for.
static struct { int kind; long call, count; void *out; MPI_Datatype type; } pending[4096];
static int waiting;

static void remember(int kind, long call, void *out, long count, MPI_Datatype type) {
    if (kind == NOTHING || kind == DROP || waiting == 4096) return;
    pending[waiting].kind = kind, pending[waiting].call = call, pending[waiting].count = count;
    pending[waiting].out = out, pending[waiting++].type = type;
}

int MPI_Irecv(void *buf, int n, MPI_Datatype t, int from, int tag, MPI_Comm c, MPI_Request *r) {
    long call;
    int kind = kind_of(IRECV, n, &call);
    remember(kind, call, buf, n, t);
    return PMPI_Irecv(kind == DROP ? instead(n, t) : buf, n, t, from, tag, c, r);
}

int MPI_Waitall(int n, MPI_Request requests[], MPI_Status statuses[]) {
    int code = PMPI_Waitall(n, requests, statuses);
    for (int i = 0; i < waiting; i++)
        spoil_message(pending[i].kind, pending[i].call, pending[i].out, pending[i].count,
                      pending[i].type);
    waiting = 0;
    return code;
}

int MPI_Allreduce(const void *in, void *out, int n, MPI_Datatype t, MPI_Op op, MPI_Comm c) {
    long call;
    int kind = kind_of(ALLREDUCE, n, &call);
    if (kind == DROP) {
        // Everybody takes part, and this rank learns nothing: its own values stay.
        void *copy = instead(n, t);
        memcpy(copy, in == MPI_IN_PLACE ? out : in, (size_t)(n * size_of(t)));
        return PMPI_Allreduce(MPI_IN_PLACE, copy, n, t, op, c);
    }
    int code = PMPI_Allreduce(in, out, n, t, op, c);
    spoil_message(kind, call, out, n, t);
    return code;
}

int MPI_Iallreduce(const void *in, void *out, int n, MPI_Datatype t, MPI_Op op, MPI_Comm c,
                   MPI_Request *r) {
    long call;
    int kind = kind_of(IALLREDUCE, n, &call);
    if (kind == DROP) {
        void *copy = instead(n, t);
        memcpy(copy, in == MPI_IN_PLACE ? out : in, (size_t)(n * size_of(t)));
        return PMPI_Iallreduce(MPI_IN_PLACE, copy, n, t, op, c, r);
    }
    remember(kind, call, out, n, t);
    return PMPI_Iallreduce(in, out, n, t, op, c, r);
}

int MPI_Bcast(void *buf, int n, MPI_Datatype t, int root, MPI_Comm c) {
    long call;
    int rank, kind = kind_of(BCAST, n, &call);
    PMPI_Comm_rank(c, &rank);
    if (rank == root) return PMPI_Bcast(buf, n, t, root, c);
    int code = PMPI_Bcast(kind == DROP ? instead(n, t) : buf, n, t, root, c);
    if (kind != DROP) spoil_message(kind, call, buf, n, t);
    return code;
}

int MPI_Alltoall(const void *in, int n, MPI_Datatype t, void *out, int m, MPI_Datatype u, MPI_Comm c) {
    long call;
    int size, kind = kind_of(ALLTOALL, m, &call);
    PMPI_Comm_size(c, &size);
    long all = (long)m * size;
    int code = PMPI_Alltoall(in, n, t, kind == DROP ? instead(all, u) : out, m, u, c);
    if (kind != DROP) spoil_message(kind, call, out, all, u);
    return code;
}

int MPI_Alltoallv(const void *in, const int n[], const int at[], MPI_Datatype t, void *out,
                  const int m[], const int to[], MPI_Datatype u, MPI_Comm c) {
    int size;
    PMPI_Comm_size(c, &size);
    long call, all = 0;
    for (int i = 0; i < size; i++) all += m[i];
    int kind = kind_of(ALLTOALLV, all, &call);
    int code = PMPI_Alltoallv(in, n, at, t, kind == DROP ? instead(all, u) : out, m, to, u, c);
    if (kind != DROP) spoil_message(kind, call, out, all, u);
    return code;
}

int MPI_Allgather(const void *in, int n, MPI_Datatype t, void *out, int m, MPI_Datatype u, MPI_Comm c) {
    long call;
    int size, kind = kind_of(ALLGATHER, m, &call);
    PMPI_Comm_size(c, &size);
    long all = (long)m * size;
    int code = PMPI_Allgather(in, n, t, kind == DROP ? instead(all, u) : out, m, u, c);
    if (kind != DROP) spoil_message(kind, call, out, all, u);
    return code;
}

__attribute__((destructor)) static void log_calls(void) {
    // mpirun is loaded with this library, too.
    if (strcmp(program_invocation_short_name, "xinghe-kernel")) return;
    const char *path = getenv("FAULT_LOG"), *rank = getenv("OMPI_COMM_WORLD_RANK");
    FILE *file = path && (!rank || !strcmp(rank, "0")) ? fopen(path, "w") : 0;
    if (!file) return;
    for (int i = 0; i < FUNCTIONS; i++) fprintf(file, "%s %ld\n", names[i], calls[i]);
    fclose(file);
}
