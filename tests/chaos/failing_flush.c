/* A disk that lies no longer: the FLUSH_AFTER-th flush of a store's log fails with EIO, and each one after it.
   Loaded into the suite with LD_PRELOAD; see failing_flush.py. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_long flushes;

static int is_a_stores_log(int file)
{
    char link[64], name[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, name, sizeof name - 1);
    if (length < 0)
        return 0;
    name[length] = '\0';
    return strstr(name, ".db-wal") != NULL;
}

static int fails(int file)
{
    const char *after = getenv("FLUSH_AFTER");
    return after != NULL && is_a_stores_log(file) && ++flushes >= atol(after);
}

static int refused(void)
{
    errno = EIO;
    return -1;
}

int fsync(int file)
{
    static int (*real)(int);
    if (real == NULL)
        real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    return fails(file) ? refused() : real(file);
}

int fdatasync(int file)
{
    static int (*real)(int);
    if (real == NULL)
        real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    return fails(file) ? refused() : real(file);
}
