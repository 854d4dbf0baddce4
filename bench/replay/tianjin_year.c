// A year of Tianjin's load as a log in the Standard Workload Format 2.2, from one seed.
//
//     tianjin-year [--seed N] [--jobs N] [--days N] OUT.swf
//
// What is modelled, and where each number comes from ("assumed" where nobody published one):
//
// machine     the 7,168 nodes of Tianhe-1A and the 6,144 of the second platform as 13,312 equal
//             nodes, given whole: a processor of the log is a node
// rate        20,000 jobs a day (the centre's "more than 20,000 online tasks a day")
// classes     T1 gene, sweep, evaluation; T2 CAE, molecular dynamics, materials; T3 weather, seismic;
//             T4 capability. The AI classes run on the centre's cards, not on these nodes; their
//             7.7 % of the jobs are counted to T1, the many small ones, so that the rate holds.
//             A T1 job asks for a quarter of a node and holds a whole one, as on Tianhe.
// run times   log-normal; medians and sigmas assumed so that the load is about two thirds
// days        three peaks a day are published (Feng et al., ACA 2018: Tianhe-1A, 2016-2017); their
//             hours (10, 15 and 21) and the weekend's factor 0.6 are assumed
// users       4,000-10,000 tenants, Zipf 1.0-1.2: here 6,000 and 1.1. Two thirds of the jobs come
//             from Beijing, Tianjin and Hebei (group 1), the others from 27 provinces (groups 2-28)
// sessions    within 8 hours 86 % of a user's jobs have the size of the one before, nearly 40 %
//             nearly its run time (same study)
// estimates   Tsafrir, Etsion, Feitelson, "Modeling User Runtime Estimates", JSSPP 2005: 20 values
//             hold 89 % of the jobs, the maximum is the most popular, and no run is longer than its
//             estimate; the maximum of 48 hours and which round values are popular are assumed
// states      completed, cancelled, failed as .86, .04, .10 (CPU jobs of Seren and Kalos, 2023)
//
// One seed gives one file on any machine: every draw is an integer of SplitMix64, and floating
// point only fills tables that are rounded to integers before the first draw.
//
// The acceptance checks are printed at the end; a missed one ends with exit status 1.

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NODES = 13312,
    USERS = 6000,
    PROVINCES = 27,
    CLASSES = 4,
    DAY = 86400,
    SESSION = 8 * 3600,
    LONGEST = 48 * 3600,
    TABLE = 4096,
    POPULAR = 20,
};

// 2026-01-01 00:00 in Tianjin (UTC+8), a Thursday.
static const int64_t UNIX_START = 1767196800;
static const int FIRST_WEEKDAY = 3;  // Monday is 0

static void fail(const char *text) {
    fprintf(stderr, "tianjin-year: %s\n", text);
    exit(1);
}

static void *room(size_t count, size_t size) {
    void *memory = calloc(count, size);
    if (!memory) fail("out of memory");
    return memory;
}

// --- Chance

static uint64_t avalanche(uint64_t word) {
    word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9u;
    word = (word ^ (word >> 27)) * 0x94d049bb133111ebu;
    return word ^ (word >> 31);
}

// SplitMix64 (Steele, Lea, Flood 2014), a stream for each purpose.
typedef struct {
    uint64_t state;
} Stream;

static Stream stream(uint64_t seed, uint64_t purpose) {
    return (Stream){avalanche(seed ^ avalanche(purpose))};
}

static uint64_t draw(Stream *stream) {
    stream->state += 0x9e3779b97f4a7c15u;
    return avalanche(stream->state);
}

// Below `bound`, without bias that anyone could measure (bound < 2^32).
static uint32_t below(Stream *stream, uint32_t bound) {
    return (uint32_t)(((draw(stream) >> 32) * bound) >> 32);
}

static int happens(Stream *stream, uint32_t of_ten_thousand) {
    return below(stream, 10000) < of_ten_thousand;
}

// The position that a draw falls on in running sums of weights.
static int pick(Stream *stream, const uint32_t *sums, int count) {
    uint32_t place = below(stream, sums[count - 1]);
    int low = 0, high = count - 1;
    while (low < high) {
        int middle = (low + high) / 2;
        if (sums[middle] <= place) low = middle + 1; else high = middle;
    }
    return low;
}

// --- Classes

typedef struct {
    const char *name;
    uint32_t share;  // of 1000
    uint32_t sizes[5], size_sums[5];
    int size_count;
    double median, sigma;  // s, of the logarithm
    int64_t quantiles[TABLE + 1];  // ms
} Class;

static Class classes[CLASSES] = {
    {"T1 gene, sweep, evaluation", 769, {1}, {1}, 1, 300, 1.5, {0}},
    {"T2 CAE, MD, materials", 200, {1, 2, 4, 8, 16}, {290, 550, 800, 925, 1000}, 5, 2400, 1.3, {0}},
    {"T3 weather, seismic", 30, {32, 64, 128, 256}, {300, 600, 880, 1000}, 4, 7200, 0.8, {0}},
    {"T4 capability", 1, {1024}, {1}, 1, 3600, 0.8, {0}},
};

// Acklam's rational approximation of the normal quantile, relative error below 1.2e-9.
static double normal_quantile(double p) {
    static const double a[] = {-3.969683028665376e+01, 2.209460984245205e+02, -2.759285104469687e+02,
                               1.383577518672690e+02, -3.066479806614716e+01, 2.506628277459239e+00};
    static const double b[] = {-5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02,
                               6.680131188771972e+01, -1.328068155288572e+01};
    static const double c[] = {-7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00,
                               -2.549732539343734e+00, 4.374664141464968e+00, 2.938163982698783e+00};
    static const double d[] = {7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00,
                               3.754408661907416e+00};
    if (p > 0.5) return -normal_quantile(1 - p);
    if (p < 0.02425) {
        double q = sqrt(-2 * log(p));
        return (((((c[0] * q + c[1]) * q + c[2]) * q + c[3]) * q + c[4]) * q + c[5])
            / ((((d[0] * q + d[1]) * q + d[2]) * q + d[3]) * q + 1);
    }
    double q = p - 0.5, r = q * q;
    return (((((a[0] * r + a[1]) * r + a[2]) * r + a[3]) * r + a[4]) * r + a[5]) * q
        / (((((b[0] * r + b[1]) * r + b[2]) * r + b[3]) * r + b[4]) * r + 1);
}

static void fill_quantiles(void) {
    for (int class = 0; class < CLASSES; class++) {
        for (int i = 0; i <= TABLE; i++) {
            double p = (i + 0.25) / (TABLE + 0.5);
            double time = classes[class].median * exp(classes[class].sigma * normal_quantile(p));
            classes[class].quantiles[i] = llround(1000 * time);
        }
    }
}

static int32_t whole_seconds(int64_t milliseconds) {
    int64_t seconds = (milliseconds + 500) / 1000;
    return seconds < 1 ? 1 : seconds > LONGEST ? LONGEST : (int32_t)seconds;
}

static int32_t fresh_run(Stream *stream, const Class *class) {
    uint64_t word = draw(stream);
    int64_t place = (int64_t)(word >> 52), rest = (int64_t)((word >> 36) & 0xffff);
    int64_t low = class->quantiles[place], high = class->quantiles[place + 1];
    return whole_seconds(low + (high - low) * rest / 65536);
}

// --- Arrivals

// Submissions of each second; three peaks a day, quiet nights, slow weekends.
static uint16_t *arrivals(uint64_t seed, int jobs, int days) {
    static const struct { double minute, width, height; } peaks[] = {
        {600, 70, 1.0}, {900, 80, 1.0}, {1260, 70, 0.7},
    };
    static uint32_t minutes[1440];
    uint32_t sum = 0;
    for (int minute = 0; minute < 1440; minute++) {
        // Quietest at five in the morning.
        double rate = 0.18 * (1 - 0.5 * cos((minute - 300) * 6.283185307179586 / 1440));
        for (int peak = 0; peak < 3; peak++) {
            double distance = (minute - peaks[peak].minute) / peaks[peak].width;
            rate += peaks[peak].height * exp(-distance * distance / 2);
        }
        sum += (uint32_t)lround(100000 * rate);
        minutes[minute] = sum;
    }
    uint32_t *day_sums = room((size_t)days, sizeof *day_sums);
    sum = 0;
    for (int day = 0; day < days; day++) {
        sum += (day + FIRST_WEEKDAY) % 7 >= 5 ? 6 : 10;
        day_sums[day] = sum;
    }
    uint16_t *counts = room((size_t)days * DAY, sizeof *counts);
    Stream chance = stream(seed, 1);
    for (int job = 0; job < jobs; job++) {
        int day = pick(&chance, day_sums, days);
        int second = pick(&chance, minutes, 1440) * 60 + (int)below(&chance, 60);
        counts[(int64_t)day * DAY + second]++;
    }
    free(day_sums);
    return counts;
}

// --- Users

typedef struct {
    uint8_t group;
    uint8_t class;
    uint16_t size;
    int32_t run;
    int32_t submitted;  // -1 before the first job
} User;

// Zipf's law with exponent 1.1; a region gets users as long as its share of the jobs is not full.
static User *users(uint64_t seed, uint32_t *sums) {
    User *list = room(USERS, sizeof *list);
    Stream chance = stream(seed, 2);
    double total = 0;
    uint32_t sum = 0, weight[USERS];
    for (int user = 0; user < USERS; user++) total += pow(user + 1, -1.1);
    for (int user = 0; user < USERS; user++) {
        weight[user] = (uint32_t)lround(2e9 * pow(user + 1, -1.1) / total);
        sums[user] = sum += weight[user];
    }
    int64_t near = 0, seen = 0;
    for (int user = 0; user < USERS; user++) {
        // Nearest to two thirds after this user, so heavy users do not upset the share.
        int64_t after = seen + weight[user];
        int is_near = llabs(3 * (near + weight[user]) - 2 * after) <= llabs(3 * near - 2 * after);
        if (is_near) near += weight[user];
        seen = after;
        list[user].group = (uint8_t)(is_near ? 1 : 2 + below(&chance, PROVINCES));
        list[user].submitted = -1;
    }
    return list;
}

// --- Estimates

// Tsafrir's head: share of the jobs that the value of a rank holds, in millionths; the first gets
// what the others leave of 89 %.
static void head_shares(int64_t *shares) {
    int64_t others = 0;
    for (int rank = 2; rank <= POPULAR; rank++) {
        shares[rank - 1] = llround(1e4 * (14.0491 * exp(-0.177531 * rank) + 0.462513));
        others += shares[rank - 1];
    }
    shares[0] = 890000 - others;
}

// The values users write most, by popularity. Unit: min.
static const int32_t head_minutes[POPULAR] = {
    LONGEST / 60, 60, 240, 120, 1440, 720, 30, 480, 20, 360,
    10, 180, 2160, 600, 15, 1080, 90, 40, 5, 300,
};

// How many jobs ask for each number of minutes; counts add up to `jobs`.
static int64_t *estimate_counts(uint64_t seed, int jobs, int *distinct) {
    int64_t *counts = room(LONGEST / 60 + 1, sizeof *counts), shares[POPULAR], given = 0;
    head_shares(shares);
    for (int rank = 0; rank < POPULAR; rank++) {
        counts[head_minutes[rank]] = jobs * shares[rank] / 1000000;
        given += counts[head_minutes[rank]];
    }
    // The tail: values along Tsafrir's curve, in an order drawn at random.
    double wanted = 0.653566 * pow(jobs, 0.547761);
    double a = 1 + 12.1039 * pow(wanted, -0.6026);
    int32_t *tail = room((size_t)wanted + 1, sizeof *tail);
    int tail_count = 0;
    char seen[LONGEST / 60 + 1] = {0};
    for (int rank = 0; rank < POPULAR; rank++) seen[head_minutes[rank]] = 1;
    for (int value = 1; value <= (int)wanted; value++) {
        double x = value / wanted;
        int32_t minutes = (int32_t)lround((a - 1) * x / (a - x) * (LONGEST / 60.0));
        if (minutes < 1 || seen[minutes]) continue;
        seen[minutes] = 1;
        tail[tail_count++] = minutes;
    }
    Stream chance = stream(seed, 3);
    for (int last = tail_count - 1; last > 0; last--) {
        int other = (int)below(&chance, (uint32_t)last + 1);
        int32_t kept = tail[last];
        tail[last] = tail[other];
        tail[other] = kept;
    }
    double weight = 0;
    for (int rank = 0; rank < tail_count; rank++) weight += pow(rank + 21, -2.267);
    int64_t rest = jobs - given;
    for (int rank = 0; rank < tail_count; rank++) {
        int64_t count = (int64_t)((double)rest * pow(rank + 21, -2.267) / weight);
        counts[tail[rank]] += count;
        given += count;
    }
    counts[head_minutes[0]] += jobs - given;
    *distinct = 0;
    for (int minutes = 0; minutes <= LONGEST / 60; minutes++) *distinct += counts[minutes] > 0;
    free(tail);
    return counts;
}

// Gives each job an estimate: from the longest run down, one at random of those left that are long
// enough. Every estimate is given exactly once.
static uint16_t *estimates(uint64_t seed, const int32_t *run, int jobs, int *distinct) {
    int64_t *counts = estimate_counts(seed, jobs, distinct);
    enum { LEVELS = 12, LEAVES = 1 << LEVELS };
    int64_t *tree = room(2 * LEAVES, sizeof *tree);
    for (int minutes = 0; minutes <= LONGEST / 60; minutes++) tree[LEAVES + minutes] = counts[minutes];
    for (int node = LEAVES - 1; node > 0; node--) tree[node] = tree[2 * node] + tree[2 * node + 1];
    int *first = room(LONGEST + 2, sizeof *first), *order = room((size_t)jobs, sizeof *order);
    for (int job = 0; job < jobs; job++) first[LONGEST - run[job] + 1]++;
    for (int time = 0; time <= LONGEST; time++) first[time + 1] += first[time];
    for (int job = 0; job < jobs; job++) order[first[LONGEST - run[job]]++] = job;
    uint16_t *minutes = room((size_t)jobs, sizeof *minutes);
    Stream chance = stream(seed, 4);
    int64_t left = jobs;
    for (int position = 0; position < jobs; position++) {
        int job = order[position], shortest = (run[job] + 59) / 60;
        int64_t too_short = 0;
        for (int node = LEAVES + shortest; node > 1; node /= 2) {
            if (node & 1) too_short += tree[node - 1];
        }
        if (left <= too_short) fail("more long runs than long estimates");
        int64_t place = too_short + below(&chance, (uint32_t)(left - too_short));
        int node = 1;
        while (node < LEAVES) {
            tree[node]--;
            node *= 2;
            if (place >= tree[node]) place -= tree[node++];
        }
        tree[node]--;
        left--;
        minutes[job] = (uint16_t)(node - LEAVES);
    }
    free(counts), free(tree), free(first), free(order);
    return minutes;
}

// --- The year

typedef struct {
    int jobs, days;
    int32_t *submitted, *run;
    uint16_t *size, *user, *minutes;
    uint8_t *class, *group, *status;
} Year;

// The next job of a user who goes on: same size with .56 and then same run time with .685; sizes and
// run times that happen to be drawn again make that the .86 and the .40 of the study.
enum { KEEPS_SIZE = 5600, KEEPS_RUN = 6850 };

static Year generate(uint64_t seed, int jobs, int days) {
    Year year = {.jobs = jobs, .days = days};
    size_t n = (size_t)jobs;
    year.submitted = room(n, 4), year.run = room(n, 4);
    year.size = room(n, 2), year.user = room(n, 2);
    year.class = room(n, 1), year.group = room(n, 1), year.status = room(n, 1);
    uint16_t *counts = arrivals(seed, jobs, days);
    static uint32_t user_sums[USERS], class_sums[CLASSES];
    User *list = users(seed, user_sums);
    uint32_t sum = 0;
    for (int class = 0; class < CLASSES; class++) class_sums[class] = sum += classes[class].share;
    Stream who = stream(seed, 5), what = stream(seed, 6), how = stream(seed, 7);
    int job = 0;
    for (int64_t second = 0; second < (int64_t)days * DAY; second++) {
        for (int count = counts[second]; count > 0; count--, job++) {
            int number = pick(&who, user_sums, USERS);
            User *user = &list[number];
            int goes_on = user->submitted >= 0 && second - user->submitted <= SESSION;
            if (!goes_on || !happens(&what, KEEPS_SIZE)) {
                user->class = (uint8_t)pick(&what, class_sums, CLASSES);
                const Class *class = &classes[user->class];
                user->size = (uint16_t)class->sizes[pick(&what, class->size_sums, class->size_count)];
                user->run = fresh_run(&what, class);
            } else if (happens(&what, KEEPS_RUN)) {
                // Within 10 % of the last run time.
                user->run = whole_seconds((int64_t)user->run * (900 + below(&what, 201)));
            } else {
                user->run = fresh_run(&what, &classes[user->class]);
            }
            user->submitted = (int32_t)second;
            year.submitted[job] = (int32_t)second;
            year.run[job] = user->run;
            year.size[job] = user->size;
            year.user[job] = (uint16_t)(number + 1);
            year.class[job] = user->class;
            year.group[job] = user->group;
            uint32_t fate = below(&how, 100);
            year.status[job] = fate < 86 ? 1 : fate < 90 ? 5 : 0;
        }
    }
    free(counts), free(list);
    return year;
}

// --- Checks

static int missed = 0;

static void check(const char *what, int is_met, const char *format, double value) {
    char text[64];
    snprintf(text, sizeof text, format, value);
    printf("  %-44s %14s   %s\n", what, text, is_met ? "met" : "MISSED");
    if (!is_met) missed = 1;
}

static void accept(const Year *year, int distinct) {
    int64_t near = 0, pairs = 0, same_size = 0, same_run = 0, hourly[24] = {0};
    double node_hours = 0, of_class[CLASSES] = {0};
    int64_t class_jobs[CLASSES] = {0};
    static int last[USERS + 1], popularity[LONGEST / 60 + 1];
    for (int user = 0; user <= USERS; user++) last[user] = -1;
    for (int job = 0; job < year->jobs; job++) {
        near += year->group[job] == 1;
        hourly[year->submitted[job] % DAY / 3600]++;
        popularity[year->minutes[job]]++;
        double held = (double)year->size[job] * year->run[job] / 3600;
        node_hours += held;
        of_class[year->class[job]] += held;
        class_jobs[year->class[job]]++;
        int before = last[year->user[job]];
        if (before >= 0 && year->submitted[job] - year->submitted[before] <= SESSION) {
            pairs++;
            same_size += year->size[job] == year->size[before];
            int64_t difference = llabs((int64_t)year->run[job] - year->run[before]);
            same_run += 20 * difference <= 2 * (int64_t)year->run[before] + 10;
        }
        last[year->user[job]] = job;
    }
    int peaks = 0, best = 0;
    for (int hour = 0; hour < 24; hour++) {
        peaks += hourly[hour] > hourly[(hour + 23) % 24] && hourly[hour] > hourly[(hour + 1) % 24];
    }
    for (int minutes = 0; minutes <= LONGEST / 60; minutes++) {
        if (popularity[minutes] > popularity[best]) best = minutes;
    }
    printf("  %-28s %12s %12s %16s\n", "class", "jobs", "jobs a day", "node-h a day");
    for (int class = 0; class < CLASSES; class++) {
        printf("  %-28s %12lld %12.0f %16.0f\n", classes[class].name, (long long)class_jobs[class],
               (double)class_jobs[class] / year->days, of_class[class] / year->days);
    }
    printf("  by hour of the day:");
    for (int hour = 0; hour < 24; hour++) printf(" %.1f", 100.0 * (double)hourly[hour] / year->jobs);
    printf(" %%\n  different estimates: %d\n", distinct);
    double rate = (double)year->jobs / year->days, share = (double)near / year->jobs;
    double load = node_hours / ((double)NODES * 24 * year->days);
    double size = (double)same_size / (double)pairs, run = (double)same_run / (double)pairs;
    check("jobs a day: at least 20,000", rate >= 20000, "%.0f", rate);
    check("from Beijing, Tianjin, Hebei: .667 +- .01", fabs(share - 0.667) <= 0.01, "%.4f", share);
    check("same size within 8 h: .86 +- .02", fabs(size - 0.86) <= 0.02, "%.4f", size);
    check("nearly same run time: .40 +- .03", fabs(run - 0.40) <= 0.03, "%.4f", run);
    check("local maxima of the hourly histogram: 3", peaks == 3, "%.0f", peaks);
    check("load of the machine: .60 to .75", load >= 0.60 && load <= 0.75, "%.4f", load);
    check("most popular estimate: the maximum, 48 h", best == LONGEST / 60, "%.0f h", best / 60.0);
}

// --- Output

static char *append(char *end, int64_t number) {
    char digits[20];
    int count = 0;
    if (number < 0) *end++ = '-', number = -number;
    do digits[count++] = (char)('0' + number % 10); while (number /= 10);
    while (count) *end++ = digits[--count];
    *end++ = ' ';
    return end;
}

static void write_log(const Year *year, uint64_t seed, const char *path) {
    FILE *file = fopen(path, "w");
    if (!file) {
        fprintf(stderr, "tianjin-year: %s: %s\n", path, strerror(errno));
        exit(1);
    }
    setvbuf(file, NULL, _IOFBF, 1 << 20);
    fprintf(file,
            "; Version: 2.2\n; Computer: Tianhe nodes of Tianjin, made up\n"
            "; Installation: National Supercomputer Center in Tianjin, modelled\n"
            "; Note: not a recorded log; bench/replay/tianjin_year.c made it with seed %llu\n"
            "; Note: a processor is a whole node; group 1 is Beijing, Tianjin, Hebei\n"
            "; Note: queue 1-4 is the class of the job, T1-T4\n"
            "; UnixStartTime: %lld\n; TimeZoneString: Asia/Shanghai\n; MaxJobs: %d\n; MaxRecords: %d\n"
            "; MaxNodes: %d\n; MaxProcs: %d\n; MaxRuntime: %d\n; MaxQueues: %d\n",
            (unsigned long long)seed, (long long)UNIX_START, year->jobs, year->jobs, NODES, NODES,
            LONGEST, CLASSES);
    for (int job = 0; job < year->jobs; job++) {
        char line[256], *end = line;
        const int64_t fields[18] = {
            job + 1, year->submitted[job], -1, year->run[job], year->size[job], -1, -1,
            year->size[job], year->minutes[job] * 60, -1, year->status[job], year->user[job],
            year->group[job], -1, year->class[job] + 1, 1, -1, -1,
        };
        for (int field = 0; field < 18; field++) end = append(end, fields[field]);
        end[-1] = '\n';
        fwrite(line, 1, (size_t)(end - line), file);
    }
    if (fclose(file) != 0) {
        fprintf(stderr, "tianjin-year: %s: %s\n", path, strerror(errno));
        exit(1);
    }
}

static int64_t number_after(int *position, int count, char **words, int64_t most) {
    char *rest = NULL;
    const char *name = words[*position];
    errno = 0;
    long long value = ++*position < count ? strtoll(words[*position], &rest, 10) : -1;
    if (errno || !rest || *rest || value < 1 || value > most) {
        fprintf(stderr, "tianjin-year: %s needs a number from 1 to %lld\n", name, (long long)most);
        exit(2);
    }
    return value;
}

int main(int count, char **words) {
    int64_t seed = 1, days = 365, jobs = 0;
    const char *path = NULL;
    for (int position = 1; position < count; position++) {
        if (!strcmp(words[position], "--seed")) seed = number_after(&position, count, words, INT64_MAX);
        else if (!strcmp(words[position], "--days")) days = number_after(&position, count, words, 3650);
        else if (!strcmp(words[position], "--jobs")) jobs = number_after(&position, count, words, 1 << 30);
        else if (words[position][0] == '-' || path) {
            fprintf(stderr, "usage: tianjin-year [--seed N] [--days N] [--jobs N] OUT.swf\n");
            return 2;
        } else path = words[position];
    }
    if (!path) fail("say where to write the log: tianjin-year OUT.swf");
    if (jobs == 0) jobs = 20000 * days;
    if (jobs < 1000) fail("--jobs: a year of fewer than 1,000 jobs has no statistics");
    fill_quantiles();
    Year year = generate((uint64_t)seed, (int)jobs, (int)days);
    int distinct = 0;
    year.minutes = estimates((uint64_t)seed, year.run, (int)jobs, &distinct);
    write_log(&year, (uint64_t)seed, path);
    printf("%lld jobs in %lld days on %d nodes, seed %lld: %s\n", (long long)jobs, (long long)days,
           NODES, (long long)seed, path);
    accept(&year, distinct);
    return missed;
}
