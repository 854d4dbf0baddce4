/* The byte loop that Xinghe's reader of SWF is held against: every one of 18 fields of every row to
 * a number, and what a replay needs of it into an array of 64 bytes a job.
 * usage: swf_loop LOG.swf      prints the number of jobs and a sum over what was kept */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct job {
    int64_t id, submitted, run_time, time_limit;
    int32_t processors, line, user, group, queue, partition;
    int64_t spare;
};

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: %s LOG.swf\n", argv[0]);
        return 2;
    }
    int file = open(argv[1], O_RDONLY);
    struct stat status;
    if (file < 0 || fstat(file, &status) != 0) {
        perror(argv[1]);
        return 1;
    }
    size_t size = (size_t)status.st_size;
    const char *text = mmap(NULL, size, PROT_READ, MAP_PRIVATE, file, 0);
    if (text == MAP_FAILED) {
        perror("mmap");
        return 1;
    }
    struct job *jobs = malloc((size / 36 + 1) * sizeof *jobs);
    if (jobs == NULL) return 1;
    size_t count = 0, at = 0;
    int32_t line = 0;
    while (at < size) {
        line++;
        while (at < size && (text[at] == ' ' || text[at] == '\t' || text[at] == '\r')) at++;
        if (at < size && text[at] != ';' && text[at] != '\n') {
            int64_t field[18];
            int read = 0;
            while (read < 18) {
                while (at < size && (text[at] == ' ' || text[at] == '\t')) at++;
                if (at >= size) break;
                int negative = text[at] == '-';
                if (negative) at++;
                if (at >= size || text[at] < '0' || text[at] > '9') break;
                int64_t value = 0;
                while (at < size && text[at] >= '0' && text[at] <= '9')
                    value = value * 10 + (text[at++] - '0');
                field[read++] = negative ? -value : value;
            }
            if (read == 18 && field[3] >= 0)
                jobs[count++] = (struct job){
                    field[0], field[1] * 1000000, field[3] * 1000000, field[8] * 1000000,
                    (int32_t)(field[7] > 0 ? field[7] : field[4]), line, (int32_t)field[11],
                    (int32_t)field[12], (int32_t)field[14], (int32_t)field[15], 0};
        }
        while (at < size && text[at] != '\n') at++;
        at++;
    }
    int64_t sum = 0;
    for (size_t index = 0; index < count; index++)
        sum += jobs[index].run_time / 1000000 * jobs[index].processors;
    printf("%zu jobs, %lld processor-seconds\n", count, (long long)sum);
    return 0;
}
