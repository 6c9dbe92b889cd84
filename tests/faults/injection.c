/* Faults in the calls of a process to its system: preloaded, and idle until `arm` is called.

   Then the calls of some groups are counted, and some of them meet a fault. Forks of the process are left alone.

   changes   of files and folders below `root`: create, write, flush, cut off, rename, link, remove, chmod, mkdir
   reads     of files below `root`: open, list, read; pipes and sockets are read short or interrupted, and do not fail
   outputs   writes to standard output and standard error */

#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum group { CHANGES = 1, READS = 2, OUTPUTS = 4 };
enum effect { NONE, KILL, CUT, FAIL, SHORTEN, INTERRUPT };

static struct {
    pid_t process;
    int groups, effect, error, log;
    long first, last, count;
    char root[PATH_MAX];
} armed;
static long clock_start, clock_jump, clock_readings;

/* Give the calls `first` to `last` of some groups an effect: kill the process before the call; kill it in the middle of
   it (CUT: after half of what is written, else after the call); let it fail with an error, where ENOSPC is only for
   calls that need space; shorten what it reads or writes; or interrupt every second call that can be. Every call is
   recorded in `log`. */
void arm(int groups, int effect, int error, long first, long last, int log, const char *root)
{
    armed.groups = groups, armed.effect = effect, armed.error = error, armed.log = log;
    armed.first = first, armed.last = last, armed.count = 0;
    strncpy(armed.root, root, sizeof armed.root - 1);
    armed.process = getpid();
}

/* Stop the clock at a time in seconds; every second reading of it is off by `jump`. Monotonic clocks go on. */
void set_clock(long seconds, long jump)
{
    clock_start = seconds, clock_jump = jump, clock_readings = 0;
}

enum meeting { UNTOUCHED, REFUSED, SHORTENED };
static int is_last_call;

#define REAL(name) \
    static __typeof__(name) *real; \
    if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

static int needs_space(const char *call)
{
    return strcmp(call, "unlink") && strcmp(call, "rmdir") && strcmp(call, "chmod") && strcmp(call, "rename");
}

static int can_be_interrupted(const char *call)
{
    return !strcmp(call, "create") || !strcmp(call, "open") || !strcmp(call, "read") || !strcmp(call, "write");
}

static enum meeting meet(const char *call, const char *path)
{
    char line[PATH_MAX + 32];
    int length = snprintf(line, sizeof line, "%s %s\n", call, path);
    if (syscall(SYS_write, armed.log, line, (long)length) != length) abort();
    long number = armed.count++;
    if (number < armed.first || number > armed.last) return UNTOUCHED;
    if (armed.effect == FAIL && armed.error == ENOSPC && !needs_space(call)) return UNTOUCHED;
    switch (armed.effect) {
    case KILL: syscall(SYS_kill, (long)getpid(), (long)SIGKILL); break;
    case CUT: is_last_call = 1; return SHORTENED;
    case FAIL: errno = armed.error; return REFUSED;
    case SHORTEN: return SHORTENED;
    case INTERRUPT:
        if (number % 2 || !can_be_interrupted(call)) return UNTOUCHED;
        errno = EINTR;
        return REFUSED;
    }
    return UNTOUCHED;
}

static long end_of_call(long result)
{
    if (is_last_call) syscall(SYS_kill, (long)getpid(), (long)SIGKILL);
    return result;
}

static int is_armed(enum group group)
{
    return armed.process && armed.groups & group && armed.process == getpid();
}

static int is_below_root(const char *path)
{
    size_t length = strlen(armed.root);
    return !strncmp(path, armed.root, length) && (path[length] == '/' || !path[length]);
}

static void path_of(int descriptor, char *path)
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    path[length > 0 ? length : 0] = 0;
}

/* Meet a call that names its file, as seen from a folder. */
static enum meeting at_path(enum group group, const char *call, int folder, const char *name)
{
    char path[2 * PATH_MAX] = "";
    if (!is_armed(group)) return UNTOUCHED;
    if (*name != '/') {
        if (folder == AT_FDCWD) { if (!getcwd(path, PATH_MAX)) return UNTOUCHED; }
        else path_of(folder, path);
        strcat(path, "/");
    }
    strncat(path, name, PATH_MAX - 1);
    return is_below_root(path) ? meet(call, path) : UNTOUCHED;
}

/* Meet a call that is about an open file. */
static enum meeting at_descriptor(enum group group, const char *call, int descriptor)
{
    char path[PATH_MAX];
    struct stat status;
    if (!is_armed(group) || fstat(descriptor, &status)) return UNTOUCHED;
    path_of(descriptor, path);
    if (group == READS && (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode)))
        return armed.effect == SHORTEN || armed.effect == INTERRUPT ? meet(call, path) : UNTOUCHED;
    if (group == OUTPUTS) return descriptor == 1 || descriptor == 2 ? meet(call, path) : UNTOUCHED;
    return S_ISREG(status.st_mode) && is_below_root(path) ? meet(call, path) : UNTOUCHED;
}

static size_t shorter(size_t size) { return size > 1 ? (size + 1) / 2 : size; }

static enum meeting at_open(int folder, const char *name, int flags)
{
    int changes = (flags & O_ACCMODE) != O_RDONLY || flags & (O_CREAT | O_TRUNC);
    return at_path(changes ? CHANGES : READS, changes ? "create" : "open", folder, name);
}

#define OPENING(function) \
    int function(const char *name, int flags, ...) \
    { \
        REAL(function); \
        va_list more; \
        va_start(more, flags); \
        mode_t mode = va_arg(more, mode_t); \
        va_end(more); \
        return at_open(AT_FDCWD, name, flags) == REFUSED ? -1 : (int)end_of_call(real(name, flags, mode)); \
    }
#define OPENING_AT(function) \
    int function(int folder, const char *name, int flags, ...) \
    { \
        REAL(function); \
        va_list more; \
        va_start(more, flags); \
        mode_t mode = va_arg(more, mode_t); \
        va_end(more); \
        return at_open(folder, name, flags) == REFUSED ? -1 : (int)end_of_call(real(folder, name, flags, mode)); \
    }
OPENING(open)
OPENING(open64)
OPENING_AT(openat)
OPENING_AT(openat64)

DIR *opendir(const char *name)
{
    REAL(opendir);
    return at_path(READS, "list", AT_FDCWD, name) == REFUSED ? NULL : real(name);
}

static enum meeting at_transfer(enum group group, const char *call, int descriptor, size_t *size)
{
    enum meeting met = at_descriptor(group, call, descriptor);
    if (met == SHORTENED) *size = shorter(*size);
    return met;
}

ssize_t write(int descriptor, const void *data, size_t size)
{
    REAL(write);
    if (at_transfer(OUTPUTS, "write", descriptor, &size) == REFUSED) return -1;
    if (at_transfer(CHANGES, "write", descriptor, &size) == REFUSED) return -1;
    return end_of_call(real(descriptor, data, size));
}

ssize_t read(int descriptor, void *data, size_t size)
{
    REAL(read);
    return at_transfer(READS, "read", descriptor, &size) == REFUSED ? -1 : end_of_call(real(descriptor, data, size));
}

#define POSITIONED(function, group, call, buffer, offset_type) \
    ssize_t function(int descriptor, buffer data, size_t size, offset_type at) \
    { \
        REAL(function); \
        return at_transfer(group, call, descriptor, &size) == REFUSED ? -1 \
                                                                     : end_of_call(real(descriptor, data, size, at)); \
    }
POSITIONED(pwrite, CHANGES, "write", const void *, off_t)
POSITIONED(pwrite64, CHANGES, "write", const void *, off64_t)
POSITIONED(pread, READS, "read", void *, off_t)
POSITIONED(pread64, READS, "read", void *, off64_t)

#define ABOUT_DESCRIPTOR(function, call, parameters, arguments) \
    int function parameters \
    { \
        REAL(function); \
        return at_descriptor(CHANGES, call, descriptor) == REFUSED ? -1 : (int)end_of_call(real arguments); \
    }
ABOUT_DESCRIPTOR(fsync, "fsync", (int descriptor), (descriptor))
ABOUT_DESCRIPTOR(fdatasync, "fsync", (int descriptor), (descriptor))
ABOUT_DESCRIPTOR(fchmod, "chmod", (int descriptor, mode_t mode), (descriptor, mode))
ABOUT_DESCRIPTOR(ftruncate, "truncate", (int descriptor, off_t size), (descriptor, size))
ABOUT_DESCRIPTOR(ftruncate64, "truncate", (int descriptor, off64_t size), (descriptor, size))
ABOUT_DESCRIPTOR(posix_fallocate, "allocate", (int descriptor, off_t at, off_t size), (descriptor, at, size))

#define ABOUT_PATH(function, call, folder, parameters, arguments) \
    int function parameters \
    { \
        REAL(function); \
        return at_path(CHANGES, call, folder, name) == REFUSED ? -1 : (int)end_of_call(real arguments); \
    }
ABOUT_PATH(unlink, "unlink", AT_FDCWD, (const char *name), (name))
ABOUT_PATH(unlinkat, "unlink", folder, (int folder, const char *name, int flags), (folder, name, flags))
ABOUT_PATH(rmdir, "rmdir", AT_FDCWD, (const char *name), (name))
ABOUT_PATH(mkdir, "mkdir", AT_FDCWD, (const char *name, mode_t mode), (name, mode))
ABOUT_PATH(mkdirat, "mkdir", folder, (int folder, const char *name, mode_t mode), (folder, name, mode))
ABOUT_PATH(chmod, "chmod", AT_FDCWD, (const char *name, mode_t mode), (name, mode))
ABOUT_PATH(fchmodat, "chmod", folder, (int folder, const char *name, mode_t mode, int flags),
           (folder, name, mode, flags))
ABOUT_PATH(rename, "rename", AT_FDCWD, (const char *old, const char *name), (old, name))
ABOUT_PATH(renameat, "rename", folder, (int from, const char *old, int folder, const char *name),
           (from, old, folder, name))
ABOUT_PATH(link, "link", AT_FDCWD, (const char *old, const char *name), (old, name))
ABOUT_PATH(linkat, "link", folder, (int from, const char *old, int folder, const char *name, int flags),
           (from, old, folder, name, flags))
ABOUT_PATH(symlink, "link", AT_FDCWD, (const char *old, const char *name), (old, name))

static long clock_now(void)
{
    return clock_start + (clock_readings++ % 2 ? clock_jump : 0);
}

int clock_gettime(clockid_t id, struct timespec *now)
{
    REAL(clock_gettime);
    if (id != CLOCK_REALTIME || !clock_start) return real(id, now);
    *now = (struct timespec){.tv_sec = clock_now()};
    return 0;
}

int gettimeofday(struct timeval *now, void *zone)
{
    REAL(gettimeofday);
    if (!clock_start) return real(now, zone);
    *now = (struct timeval){.tv_sec = clock_now()};
    return 0;
}

time_t time(time_t *stored)
{
    REAL(time);
    if (!clock_start) return real(stored);
    time_t now = clock_now();
    if (stored) *stored = now;
    return now;
}
