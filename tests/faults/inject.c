/* Makes one call fail in a program started with LD_PRELOAD: the n-th allocation, or the n-th call
 * of libpq. A test chooses the call through a file that both have mapped (FAULTS_FILE). */
#define _GNU_SOURCE
#include "tests/faults/inject.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* glibc's names of its allocator when the usual names are taken. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *place, size_t size);

static fault_plan unplanned;
static fault_plan *plan = &unplanned;

__attribute__((constructor)) static void map_plan(void) {
    const char *path = getenv("FAULTS_FILE");
    int file = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
    if (file < 0) {
        return;
    }
    void *mapped = mmap(NULL, sizeof *plan, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (mapped != MAP_FAILED) {
        plan = mapped;
    }
}

/* Returns whether this call must fail. */
static bool is_chosen(int32_t kind) {
    int32_t planned = atomic_load_explicit(&plan->kind, memory_order_relaxed);
    bool counted = kind == FAULT_MEMORY ? planned == FAULT_MEMORY : planned > FAULT_MEMORY;
    if (!counted) {
        return false;
    }
    int64_t number = atomic_fetch_add(&plan->seen, 1) + 1;
    bool chosen = number >= atomic_load(&plan->first) && number <= atomic_load(&plan->last);
    if (chosen) {
        atomic_fetch_add(&plan->failed, 1);
    }
    return chosen;
}

static void *no_memory(void) {
    errno = ENOMEM;
    return NULL;
}

void *malloc(size_t size) {
    return is_chosen(FAULT_MEMORY) ? no_memory() : __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    return is_chosen(FAULT_MEMORY) ? no_memory() : __libc_calloc(count, size);
}

void *realloc(void *place, size_t size) {
    return is_chosen(FAULT_MEMORY) ? no_memory() : __libc_realloc(place, size);
}

/* Returns whether the call must fail by itself. If the plan says so, the connection breaks instead,
 * just before the call, which then fails in its own way. */
static bool is_refused(PGconn *link) {
    if (!is_chosen(FAULT_REFUSED)) {
        return false;
    }
    if (atomic_load(&plan->kind) == FAULT_CUT) {
        shutdown(PQsocket(link), SHUT_RDWR);
        return false;
    }
    return true;
}

#define REAL(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

int PQenterPipelineMode(PGconn *link) {
    return is_refused(link) ? 0 : REAL(PQenterPipelineMode)(link);
}

int PQexitPipelineMode(PGconn *link) {
    return is_refused(link) ? 0 : REAL(PQexitPipelineMode)(link);
}

int PQpipelineSync(PGconn *link) {
    return is_refused(link) ? 0 : REAL(PQpipelineSync)(link);
}

int PQconsumeInput(PGconn *link) {
    return is_refused(link) ? 0 : REAL(PQconsumeInput)(link);
}

int PQsendQueryParams(PGconn *link, const char *text, int count, const Oid *types,
                      const char *const *values, const int *lengths, const int *formats,
                      int format) {
    return is_refused(link) ? 0
                            : REAL(PQsendQueryParams)(link, text, count, types, values, lengths,
                                                      formats, format);
}

int PQsendQueryPrepared(PGconn *link, const char *name, int count, const char *const *values,
                        const int *lengths, const int *formats, int format) {
    return is_refused(link)
               ? 0
               : REAL(PQsendQueryPrepared)(link, name, count, values, lengths, formats, format);
}

/* A refused result existed, but is reported as a failure without a reason. */
PGresult *PQgetResult(PGconn *link) {
    bool refused = is_refused(link);
    PGresult *result = REAL(PQgetResult)(link);
    if (!refused || result == NULL) {
        return result;
    }
    PQclear(result);
    return PQmakeEmptyPGresult(NULL, PGRES_FATAL_ERROR);
}

PGresult *PQexec(PGconn *link, const char *text) {
    return is_refused(link) ? NULL : REAL(PQexec)(link, text);
}
