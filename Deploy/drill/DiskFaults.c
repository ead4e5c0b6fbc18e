// A disk that misbehaves on demand, for one process: preloaded (LD_PRELOAD), it stands before the C library's calls.
// The file that TWINLINE_DISK_FAULTS names says what is wrong, and is read again at each call; lines of
//
//     sync-delay-ms 5000    every sync takes so long
//     sync-fails 1          every sync fails (EIO), and says nothing of what is on the disk
//     full 1                the file system says that nothing is left but a reserve
//     no-space 1            nothing grows any more (ENOSPC)
//     database-delay-ms 5   every write to the database or its write-ahead log takes so long
//     read-only 1           nothing can be opened for writing (EROFS)
//
// Without the file, or a line, nothing is wrong; but TWINLINE_SYNC_DELAY_MS, if it is set, is how long each sync takes
// where the file does not say.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

static long fault(const char *name) {
    const char *path = getenv("TWINLINE_DISK_FAULTS");
    if (!path) return 0;
    int saved = errno;
    FILE *file = fopen(path, "re");
    long found = 0, value;
    char line[128], key[64];
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "%63s %ld", key, &value) == 2 && strcmp(key, name) == 0) found = value;
    if (file) fclose(file);
    errno = saved;
    return found;
}

static void wait_for(long milliseconds) {
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    while (milliseconds > 0 && nanosleep(&time, &time) != 0 && errno == EINTR) {}
}

static int is_database(int descriptor) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return strstr(path, "tickets.sqlite") != NULL;
}

static int before_sync(void) {
    const char *usual = getenv("TWINLINE_SYNC_DELAY_MS");
    long delay = fault("sync-delay-ms");
    wait_for(delay == 0 && usual ? atol(usual) : delay);
    if (!fault("sync-fails")) return 0;
    errno = EIO;
    return -1;
}

int fdatasync(int descriptor) {
    static int (*real)(int);
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    return before_sync() ? -1 : real(descriptor);
}

int fsync(int descriptor) {
    static int (*real)(int);
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    return before_sync() ? -1 : real(descriptor);
}

static int grows(int descriptor, off64_t end) {
    struct stat status;
    return fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) && end > status.st_size;
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t offset) {
    static ssize_t (*real)(int, const void *, size_t, off64_t);
    if (!real) real = (ssize_t(*)(int, const void *, size_t, off64_t))dlsym(RTLD_NEXT, "pwrite64");
    long delay = fault("database-delay-ms");
    if (delay > 0 && is_database(descriptor)) wait_for(delay);
    if (grows(descriptor, offset + (off64_t)count) && fault("no-space")) {
        errno = ENOSPC;
        return -1;
    }
    return real(descriptor, bytes, count, offset);
}

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset) {
    return pwrite64(descriptor, bytes, count, offset);
}

int posix_fallocate(int descriptor, off_t offset, off_t count) {
    static int (*real)(int, off_t, off_t);
    if (!real) real = (int (*)(int, off_t, off_t))dlsym(RTLD_NEXT, "posix_fallocate");
    return grows(descriptor, offset + count) && fault("no-space") ? ENOSPC : real(descriptor, offset, count);
}

int statvfs(const char *path, struct statvfs *found) {
    static int (*real)(const char *, struct statvfs *);
    if (!real) real = (int (*)(const char *, struct statvfs *))dlsym(RTLD_NEXT, "statvfs");
    int result = real(path, found);
    if (result == 0 && fault("full")) found->f_bavail = 0;
    return result;
}

static int refused(int flags) {
    if (!(flags & (O_RDWR | O_WRONLY | O_CREAT)) || !fault("read-only")) return 0;
    errno = EROFS;
    return 1;
}

static mode_t mode_of(int flags, va_list rest) { return flags & O_CREAT ? va_arg(rest, mode_t) : 0; }

#define OPEN(name)                                                                         \
    int name(const char *path, int flags, ...) {                                           \
        static int (*real)(const char *, int, ...);                                        \
        if (!real) real = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, #name);         \
        va_list rest;                                                                      \
        va_start(rest, flags);                                                             \
        mode_t mode = mode_of(flags, rest);                                                \
        va_end(rest);                                                                      \
        return refused(flags) ? -1 : real(path, flags, mode);                              \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                                       \
    int name(int directory, const char *path, int flags, ...) {                            \
        static int (*real)(int, const char *, int, ...);                                   \
        if (!real) real = (int (*)(int, const char *, int, ...))dlsym(RTLD_NEXT, #name);    \
        va_list rest;                                                                      \
        va_start(rest, flags);                                                             \
        mode_t mode = mode_of(flags, rest);                                                \
        va_end(rest);                                                                      \
        return refused(flags) ? -1 : real(directory, path, flags, mode);                   \
    }
OPENAT(openat)
OPENAT(openat64)
