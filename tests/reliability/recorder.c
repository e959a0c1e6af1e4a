/* Records what a process asks of one database's files, in order: writes, syncs, cuts, removals.
 *
 * Loaded with LD_PRELOAD. CONCORD_RECORD names the database file, CONCORD_RECORD_LOG the log.
 * SQLite is linked into its module, but asks the C library for every write: here it is heard.
 * The writer's journal (NAME.journal) is recorded too, so acknowledgements stand among the writes.
 * With CONCORD_RECORD_FULL naming a file that exists, every write to the database says "disk full".
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { WRITE = 1, SYNC = 2, CUT = 3, REMOVE = 4 };
enum { MOST = 65536 };

struct head { uint32_t act, file; uint64_t offset, length; };

static const char *ENDINGS[] = {"", "-wal", "-journal", ".journal"};
static unsigned char file_of[MOST]; /* 0: not ours, else 1 + index of the ending */
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static int log_fd = -1;

static int ours(const char *path) {
    const char *name = getenv("CONCORD_RECORD");
    size_t length = name ? strlen(name) : 0;
    if (!length || !path || strncmp(path, name, length)) return 0;
    for (unsigned i = 0; i < sizeof ENDINGS / sizeof *ENDINGS; i++)
        if (!strcmp(path + length, ENDINGS[i])) return 1 + (int)i;
    return 0;
}

static int known(int fd) { return fd >= 0 && fd < MOST ? file_of[fd] : 0; }

static void note(uint32_t act, int file, uint64_t offset, const void *data, uint64_t length) {
    struct head head = {act, (uint32_t)file - 1, offset, length};
    struct iovec parts[2] = {{&head, sizeof head}, {(void *)data, act == WRITE ? length : 0}};
    if (log_fd < 0) {
        const char *name = getenv("CONCORD_RECORD_LOG");
        log_fd = (int)syscall(SYS_openat, AT_FDCWD, name, O_WRONLY | O_CREAT | O_APPEND, 0600);
    }
    syscall(SYS_writev, log_fd, parts, 2);
}

static int opened(int fd, const char *path) {
    if (fd >= 0 && fd < MOST) file_of[fd] = (unsigned char)ours(path);
    return fd;
}

#define MODE(flags, mode)                                                     \
    mode_t mode = 0;                                                          \
    if ((flags) & (O_CREAT | O_TMPFILE)) {                                    \
        va_list more; va_start(more, flags); mode = va_arg(more, mode_t); va_end(more); }

int open(const char *path, int flags, ...) {
    MODE(flags, mode)
    return opened((int)syscall(SYS_openat, AT_FDCWD, path, flags, mode), path);
}
int open64(const char *path, int flags, ...) {
    MODE(flags, mode)
    return opened((int)syscall(SYS_openat, AT_FDCWD, path, flags | O_LARGEFILE, mode), path);
}
int openat(int at, const char *path, int flags, ...) {
    MODE(flags, mode)
    return opened((int)syscall(SYS_openat, at, path, flags, mode), path);
}
int openat64(int at, const char *path, int flags, ...) {
    MODE(flags, mode)
    return opened((int)syscall(SYS_openat, at, path, flags | O_LARGEFILE, mode), path);
}
int close(int fd) {
    if (fd >= 0 && fd < MOST) file_of[fd] = 0;
    return (int)syscall(SYS_close, fd);
}

static int is_full(int file) {
    const char *sign = getenv("CONCORD_RECORD_FULL");
    return sign && file != 4 && syscall(SYS_faccessat, AT_FDCWD, sign, F_OK) == 0;
}

static ssize_t put(int fd, const void *data, size_t length, off64_t offset, int placed) {
    int file = known(fd);
    if (file && is_full(file)) { errno = ENOSPC; return -1; }
    if (!file || !getenv("CONCORD_RECORD_LOG"))
        return placed ? syscall(SYS_pwrite64, fd, data, length, offset)
                      : syscall(SYS_write, fd, data, length);
    pthread_mutex_lock(&turn);
    if (!placed) offset = file == 4 ? -1 : (off64_t)syscall(SYS_lseek, fd, 0, SEEK_CUR);
    ssize_t done = placed ? syscall(SYS_pwrite64, fd, data, length, offset)
                          : syscall(SYS_write, fd, data, length);
    int error = errno;
    if (done > 0) note(WRITE, file, (uint64_t)offset, data, (uint64_t)done);
    pthread_mutex_unlock(&turn);
    errno = error;
    return done;
}
ssize_t write(int fd, const void *data, size_t length) { return put(fd, data, length, 0, 0); }
ssize_t pwrite(int fd, const void *data, size_t length, off_t at) { return put(fd, data, length, at, 1); }
ssize_t pwrite64(int fd, const void *data, size_t length, off64_t at) { return put(fd, data, length, at, 1); }

static int acted(uint32_t act, int fd, uint64_t length, long call) {
    int file = known(fd);
    if (!file || !getenv("CONCORD_RECORD_LOG"))
        return (int)(act == CUT ? syscall(call, fd, length) : syscall(call, fd));
    pthread_mutex_lock(&turn);
    int done = (int)(act == CUT ? syscall(call, fd, length) : syscall(call, fd));
    int error = errno;
    if (done == 0) note(act, file, 0, NULL, length);
    pthread_mutex_unlock(&turn);
    errno = error;
    return done;
}
int fsync(int fd) { return acted(SYNC, fd, 0, SYS_fsync); }
int fdatasync(int fd) { return acted(SYNC, fd, 0, SYS_fdatasync); }
int ftruncate(int fd, off_t length) { return acted(CUT, fd, (uint64_t)length, SYS_ftruncate); }
int ftruncate64(int fd, off64_t length) { return acted(CUT, fd, (uint64_t)length, SYS_ftruncate); }

int unlink(const char *path) {
    int file = ours(path);
    pthread_mutex_lock(&turn);
    int done = (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    int error = errno;
    if (file && done == 0 && getenv("CONCORD_RECORD_LOG")) note(REMOVE, file, 0, NULL, 0);
    pthread_mutex_unlock(&turn);
    errno = error;
    return done;
}
