// Peer of `xinghe-kernel comm`: ping-pong between two ranks in C, same sizes, calls and barrier, by the
// method of the OSU benchmarks: a message leaves from one buffer and arrives in another, each time the
// same two. One buffer for both would have each message fetched from the other core's cache.
// Prints one line for each size: bytes, seconds of half a round trip.
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    long largest = argc > 1 ? atol(argv[1]) / 8 : 131072;
    int rank, size;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (size != 2) MPI_Abort(MPI_COMM_WORLD, 1);
    size_t bytes = ((size_t)largest * 8 + 4095) / 4096 * 4096;
    double *sent = aligned_alloc(4096, bytes), *received = aligned_alloc(4096, bytes);
    if (!sent || !received) MPI_Abort(MPI_COMM_WORLD, 1);
    for (long i = 0; i < largest; i++) sent[i] = 1, received[i] = 0;
    int repeats = argc > 2 ? atoi(argv[2]) : 1;
    for (long count = 1; count <= largest; count = count == largest ? largest + 1
             : count * 4 < largest ? count * 4 : largest) {
        long calls = (1 << 20) / count;
        if (calls > 1000) calls = 1000;
        if (calls < 8) calls = 8;
        double best = 1e30;
        for (int r = 0; r <= repeats; r++) {
            MPI_Barrier(MPI_COMM_WORLD);
            double t = MPI_Wtime();
            for (long k = 0; k < calls; k++) {
                if (rank == 0) {
                    MPI_Send(sent, (int)count, MPI_DOUBLE, 1, 7, MPI_COMM_WORLD);
                    MPI_Recv(received, (int)count, MPI_DOUBLE, 1, 7, MPI_COMM_WORLD,
                             MPI_STATUS_IGNORE);
                } else {
                    MPI_Recv(received, (int)count, MPI_DOUBLE, 0, 7, MPI_COMM_WORLD,
                             MPI_STATUS_IGNORE);
                    MPI_Send(sent, (int)count, MPI_DOUBLE, 0, 7, MPI_COMM_WORLD);
                }
            }
            t = (MPI_Wtime() - t) / (double)calls / 2;
            MPI_Allreduce(MPI_IN_PLACE, &t, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
            if (t < best) best = t;
        }
        if (rank == 0) printf("%ld %.6e\n", count * 8, best);
    }
    MPI_Finalize();
    return 0;
}
