// A clock that is wrong, for one process: preloaded (LD_PRELOAD), it stands before the C library's calls.
// The file that TWINLINE_CLOCK names holds six 8-byte integers in this machine's order, and is read at each call:
//
//     0  odd while it is being written
//     1  nanoseconds to add to the time of day
//     2  how much faster the monotonic clocks run, in parts of a million
//     3  since when, and
//     4  from what they have run so: nanoseconds of the true CLOCK_MONOTONIC, and what to add to it there
//     5  reserved
//
// Timers of the kernel (epoll, timerfd, nanosleep) run on unchanged.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t *wrong;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("TWINLINE_CLOCK");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *found = mmap(NULL, 48, PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (found != MAP_FAILED) wrong = found;
}

static int64_t to_add(clockid_t clock, int64_t now) {
    int64_t version, offset, rate, since, from;
    do {
        version = __atomic_load_n(&wrong[0], __ATOMIC_ACQUIRE);
        offset = wrong[1];
        rate = wrong[2];
        since = wrong[3];
        from = wrong[4];
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
    } while (version & 1 || version != wrong[0]);
    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE: return offset;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME: return from + (now - since) / 1000000 * rate + (now - since) % 1000000 * rate / 1000000;
    default: return 0;
    }
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, time);
    if (result != 0 || !wrong) return result;
    int64_t now = (int64_t)time->tv_sec * 1000000000 + time->tv_nsec;
    now += to_add(clock, now);
    time->tv_sec = now / 1000000000;
    time->tv_nsec = now % 1000000000;
    return 0;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
    struct timespec now;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
    time->tv_sec = now.tv_sec;
    time->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *found) {
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
    if (found) *found = now.tv_sec;
    return now.tv_sec;
}
