// Peer of `xinghe-kernel fft`: the transform of FFTW-MPI, FFTW_MEASURE, spectrum left transposed.
// Prints the best flop/s (5 N log2 N).
#include <fftw3-mpi.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    fftw_mpi_init();
    ptrdiff_t n = argc > 1 ? atol(argv[1]) : 192, n0, start0, n1, start1;
    int repeats = argc > 2 ? atoi(argv[2]) : 5, rank;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    ptrdiff_t count = fftw_mpi_local_size_3d_transposed(n, n, n, MPI_COMM_WORLD, &n0, &start0, &n1,
                                                        &start1);
    fftw_complex *in = fftw_alloc_complex((size_t)count), *out = fftw_alloc_complex((size_t)count);
    fftw_plan plan = fftw_mpi_plan_dft_3d(n, n, n, in, out, MPI_COMM_WORLD, FFTW_FORWARD,
                                          FFTW_MEASURE | FFTW_MPI_TRANSPOSED_OUT);
    for (ptrdiff_t i = 0; i < n0 * n * n; i++) {
        in[i][0] = (double)(i * 2654435761u % 1000) / 1000 - 0.5;
        in[i][1] = (double)(i * 40503u % 1000) / 1000 - 0.5;
    }
    double best = 1e30;
    for (int r = 0; r <= repeats; r++) {
        MPI_Barrier(MPI_COMM_WORLD);
        double t = MPI_Wtime();
        fftw_execute(plan);
        t = MPI_Wtime() - t;
        MPI_Allreduce(MPI_IN_PLACE, &t, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
        if (r > 0 && t < best) best = t;
    }
    double points = (double)n * (double)n * (double)n;
    if (rank == 0) printf("%.6e\n", 5 * points * log2(points) / best);
    MPI_Finalize();
    return 0;
}
