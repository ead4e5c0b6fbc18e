// A disk that may lose its power, for `twinline drill`: preloaded (LD_PRELOAD) into the processes of a host, it keeps
// what each write to the host's disk has overwritten, until a sync of that file has come back. Then the processes are
// killed, and whoever cut the power puts back what was never synced; what each file here holds says how.
//
//     TWINLINE_POWER_DISK   a file system of the host's own: all of it, and nothing else, loses what was not synced
//     TWINLINE_POWER_UNDO   a folder on another file system:
//
//     INODE     of each file with unsynced writes. 8 bytes: where the first record begins that is not synced, counted
//               from here; then records of offset, bytes written, length of the file before it, bytes kept (8 bytes
//               each, this machine's order), and these: what was there. A write past the end has overwritten fewer
//               bytes than it wrote.
//     names     a line for each change of a folder that no sync of that folder has confirmed, the oldest first:
//               made FOLDER PATH            | FOLDER is the folder's inode
//               moved FOLDER FROM TO SAVED  | SAVED is a link to what stood at TO, or -
//               removed FOLDER PATH SAVED
//               synced FOLDER               | all above it of this folder is on the disk
//
// SAVED lies in the folder .unsynced of the disk. No name of Twinline's or SQLite's holds a space or a line's end.
// While the file exists that TWINLINE_POWER_LIES names, the disk lies: a sync comes back without having done its work,
// as if it were acknowledged before it. For seeing that lost bytes are noticed.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/file.h>
#include <unistd.h>

#define REAL(type, name, ...) \
    static type (*real)(__VA_ARGS__); \
    if (!real) real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

static const char *undo;
static dev_t disk;
static char saved[3072];
static const char *lies;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

__attribute__((constructor)) static void begin(void) {
    struct stat status;
    const char *root = getenv("TWINLINE_POWER_DISK"), *folder = getenv("TWINLINE_POWER_UNDO");
    if (!root || !folder || stat(root, &status) != 0) return;
    snprintf(saved, sizeof saved, "%s/.unsynced", root);
    mkdir(saved, 0700);
    disk = status.st_dev;
    lies = getenv("TWINLINE_POWER_LIES");
    undo = folder;
}

static int open_really(const char *path, int flags, mode_t mode) {
    REAL(int, "open64", const char *, int, ...);
    return real(path, flags | O_CLOEXEC, mode);
}
static ssize_t write_really(int file, const void *bytes, size_t count, off64_t offset) {
    REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
    return real(file, bytes, count, offset);
}

// Whether a descriptor is a file on the disk.
static int is_kept(int file, struct stat *status) {
    return undo && fstat(file, status) == 0 && status->st_dev == disk && S_ISREG(status->st_mode);
}

// The undo files stay open: they are few.
#define SLOTS 256
static struct { ino_t inode; int file; uint64_t end; } open_undo[SLOTS];

static int undo_of(ino_t inode, int makes) {
    unsigned slot = inode % SLOTS;
    if (open_undo[slot].file > 0 && open_undo[slot].inode == inode) return (int)slot;
    char path[4096];
    snprintf(path, sizeof path, "%s/%lu", undo, (unsigned long)inode);
    int file = open_really(path, O_RDWR | (makes ? O_CREAT : 0), 0600);
    if (file < 0) return -1;
    if (open_undo[slot].file > 0) close(open_undo[slot].file);
    open_undo[slot].inode = inode;
    open_undo[slot].file = file;
    struct stat status;
    open_undo[slot].end = fstat(file, &status) == 0 ? (uint64_t)status.st_size : 0;
    if (open_undo[slot].end < 8) {
        uint64_t floor = 8;
        write_really(file, &floor, 8, 0);
        open_undo[slot].end = 8;
    }
    return (int)slot;
}

// Before `count` bytes at `offset` change, or before the file's length does (count 0). Called with the lock held.
static void keep(int file, const struct stat *status, off64_t offset, size_t count) {
    int slot = undo_of(status->st_ino, 1);
    if (slot < 0) return;
    uint64_t length = (uint64_t)status->st_size, written = count;
    if ((uint64_t)offset >= length) count = 0;
    else if ((uint64_t)offset + count > length) count = length - (uint64_t)offset;
    char *record = malloc(32 + count);
    if (!record) return;
    char path[64];
    // The descriptor may be open for writing only.
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    int reader = count > 0 ? open_really(path, O_RDONLY, 0) : -1;
    ssize_t found = reader < 0 ? 0 : pread64(reader, record + 32, count, offset);
    if (reader >= 0) close(reader);
    uint64_t header[4] = {(uint64_t)offset, written, length, found < 0 ? 0 : (uint64_t)found};
    memcpy(record, header, 32);
    size_t size = 32 + header[3];
    if (write_really(open_undo[slot].file, record, size, (off64_t)open_undo[slot].end) == (ssize_t)size)
        open_undo[slot].end += size;
    free(record);
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t offset) {
    struct stat status;
    if (!is_kept(file, &status)) return write_really(file, bytes, count, offset);
    pthread_mutex_lock(&lock);
    fstat(file, &status);
    keep(file, &status, offset, count);
    ssize_t result = write_really(file, bytes, count, offset);
    int error = errno;
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}
ssize_t pwrite(int file, const void *bytes, size_t count, off_t offset) { return pwrite64(file, bytes, count, offset); }

ssize_t write(int file, const void *bytes, size_t count) {
    REAL(ssize_t, "write", int, const void *, size_t);
    struct stat status;
    if (!is_kept(file, &status)) return real(file, bytes, count);
    pthread_mutex_lock(&lock);
    fstat(file, &status);
    int flags = fcntl(file, F_GETFL);
    keep(file, &status, flags & O_APPEND ? status.st_size : lseek64(file, 0, SEEK_CUR), count);
    ssize_t result = real(file, bytes, count);
    int error = errno;
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}

int ftruncate64(int file, off64_t length) {
    REAL(int, "ftruncate64", int, off64_t);
    struct stat status;
    if (!is_kept(file, &status)) return real(file, length);
    pthread_mutex_lock(&lock);
    fstat(file, &status);
    keep(file, &status, length, status.st_size > length ? (size_t)(status.st_size - length) : 0);
    int result = real(file, length), error = errno;
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}
int ftruncate(int file, off_t length) { return ftruncate64(file, length); }

int posix_fallocate64(int file, off64_t offset, off64_t count) {
    REAL(int, "posix_fallocate64", int, off64_t, off64_t);
    struct stat status;
    if (!is_kept(file, &status)) return real(file, offset, count);
    pthread_mutex_lock(&lock);
    fstat(file, &status);
    keep(file, &status, offset + count, 0);
    int result = real(file, offset, count);
    pthread_mutex_unlock(&lock);
    return result;
}
int posix_fallocate(int file, off_t offset, off_t count) { return posix_fallocate64(file, offset, count); }

static int is_lying(void) { return lies && access(lies, F_OK) == 0; }

// A line of `names`, whole.
static void note(const char *format, ...) {
    char path[4096], line[8192];
    va_list rest;
    va_start(rest, format);
    int length = vsnprintf(line, sizeof line, format, rest);
    va_end(rest);
    if (length < 0 || length >= (int)sizeof line) return;
    snprintf(path, sizeof path, "%s/names", undo);
    REAL(ssize_t, "write", int, const void *, size_t);
    int file = open_really(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (file < 0) return;
    if (real(file, line, (size_t)length) != length) perror("power: names");
    close(file);
}

static int sync_file(int file, int (*real)(int)) {
    struct stat status;
    if (!undo || fstat(file, &status) != 0 || status.st_dev != disk) return real(file);
    if (S_ISDIR(status.st_mode)) {
        int result = real(file);
        if (result == 0 && !is_lying()) note("synced %lu\n", (unsigned long)status.st_ino);
        return result;
    }
    pthread_mutex_lock(&lock);
    int slot = undo_of(status.st_ino, 0);
    uint64_t end = slot < 0 ? 0 : open_undo[slot].end;
    pthread_mutex_unlock(&lock);
    int result = real(file), error = errno;
    // What was written while it was on its way may have missed it.
    pthread_mutex_lock(&lock);
    slot = result == 0 && !is_lying() && end > 0 ? undo_of(status.st_ino, 0) : -1;
    if (slot >= 0 && open_undo[slot].end == end) {
        REAL(int, "ftruncate64", int, off64_t);
        uint64_t floor = 8;
        write_really(open_undo[slot].file, &floor, 8, 0);
        real(open_undo[slot].file, 8);
        open_undo[slot].end = 8;
    } else if (slot >= 0) {
        write_really(open_undo[slot].file, &end, 8, 0);
    }
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}
int fdatasync(int file) {
    REAL(int, "fdatasync", int);
    return sync_file(file, real);
}
int fsync(int file) {
    REAL(int, "fsync", int);
    return sync_file(file, real);
}

// Folders. A path's folder, its inode, and the path made absolute; false if it is not on the disk.
static int place(int at, const char *path, char *absolute, size_t size, unsigned long *folder) {
    if (!undo) return 0;
    char base[4096] = "";
    if (path[0] != '/') {
        char link[64];
        if (at == AT_FDCWD) snprintf(link, sizeof link, "/proc/self/cwd");
        else snprintf(link, sizeof link, "/proc/self/fd/%d", at);
        ssize_t length = readlink(link, base, sizeof base - 2);
        if (length < 0) return 0;
        base[length] = '/';
        base[length + 1] = 0;
    }
    if (snprintf(absolute, size, "%s%s", base, path) >= (int)size) return 0;
    char parent[4096];
    snprintf(parent, sizeof parent, "%s", absolute);
    char *slash = strrchr(parent, '/');
    if (!slash) return 0;
    *slash = 0;
    struct stat status;
    if (stat(parent, &status) != 0 || status.st_dev != disk) return 0;
    *folder = (unsigned long)status.st_ino;
    return 1;
}

// Another link to a file that is about to lose its name; "-" if there is none.
static void save(const char *path, char *link_path, size_t size) {
    static unsigned long count;
    snprintf(link_path, size, "%s/%d-%lu", saved, getpid(), __sync_fetch_and_add(&count, 1));
    if (link(path, link_path) != 0) snprintf(link_path, size, "-");
}

static int open_kept(int (*real)(int, const char *, int, ...), int at, const char *path, int flags, mode_t mode) {
    char absolute[4096];
    unsigned long folder;
    struct stat status;
    if (!(flags & (O_CREAT | O_TRUNC)) || !place(at, path, absolute, sizeof absolute, &folder))
        return real(at, path, flags, mode);
    int existed = lstat(absolute, &status) == 0;
    if (existed && flags & O_TRUNC && S_ISREG(status.st_mode) && status.st_size > 0) {
        int file = open_really(absolute, O_RDONLY, 0);
        pthread_mutex_lock(&lock);
        if (file >= 0) keep(file, &status, 0, (size_t)status.st_size);
        pthread_mutex_unlock(&lock);
        if (file >= 0) close(file);
    }
    int file = real(at, path, flags, mode);
    int error = errno;
    if (file >= 0 && !existed) note("made %lu %s\n", folder, absolute);
    errno = error;
    return file;
}

#define MODE(flags) \
    mode_t mode = 0; \
    if ((flags) & O_CREAT) { va_list rest; va_start(rest, flags); mode = va_arg(rest, mode_t); va_end(rest); }

int openat64(int at, const char *path, int flags, ...) {
    REAL(int, "openat64", int, const char *, int, ...);
    MODE(flags)
    return open_kept(real, at, path, flags, mode);
}
int openat(int at, const char *path, int flags, ...) {
    REAL(int, "openat", int, const char *, int, ...);
    MODE(flags)
    return open_kept(real, at, path, flags, mode);
}
int open64(const char *path, int flags, ...) {
    REAL(int, "openat64", int, const char *, int, ...);
    MODE(flags)
    return open_kept(real, AT_FDCWD, path, flags, mode);
}
int open(const char *path, int flags, ...) {
    REAL(int, "openat", int, const char *, int, ...);
    MODE(flags)
    return open_kept(real, AT_FDCWD, path, flags, mode);
}

static int remove_kept(int (*real)(int, const char *, int), int at, const char *path, int flags) {
    char absolute[4096], link_path[4096] = "-";
    unsigned long folder;
    int kept = !(flags & AT_REMOVEDIR) && place(at, path, absolute, sizeof absolute, &folder);
    if (kept) save(absolute, link_path, sizeof link_path);
    int result = real(at, path, flags), error = errno;
    if (kept && result == 0) note("removed %lu %s %s\n", folder, absolute, link_path);
    else if (kept && link_path[0] == '/') real(AT_FDCWD, link_path, 0);
    errno = error;
    return result;
}
int unlinkat(int at, const char *path, int flags) {
    REAL(int, "unlinkat", int, const char *, int);
    return remove_kept(real, at, path, flags);
}
int unlink(const char *path) {
    REAL(int, "unlinkat", int, const char *, int);
    return remove_kept(real, AT_FDCWD, path, 0);
}

int renameat(int from_at, const char *from, int to_at, const char *to) {
    REAL(int, "renameat", int, const char *, int, const char *);
    char source[4096], target[4096], link_path[4096] = "-";
    unsigned long folder, other;
    struct stat status;
    int kept = place(from_at, from, source, sizeof source, &other)
        && place(to_at, to, target, sizeof target, &folder) && lstat(source, &status) == 0 && S_ISREG(status.st_mode);
    if (kept) save(target, link_path, sizeof link_path);
    int result = real(from_at, from, to_at, to), error = errno;
    if (kept && result == 0) note("moved %lu %s %s %s\n", folder, source, target, link_path);
    errno = error;
    return result;
}
int rename(const char *from, const char *to) { return renameat(AT_FDCWD, from, AT_FDCWD, to); }
