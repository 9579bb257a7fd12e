/* base.h - what every host room stands on: status, errors, arenas, bytes in and out, random
 * numbers, threads, and the monitor that carries progress out of a stage.
 *
 * Nothing here knows a network. Kernels and front ends do not include it: they run on the MCU.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MICRONETS_BASE_H
#define MICRONETS_BASE_H

#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MICRONETS_VERSION "0.1.0"

#if defined(__GNUC__)
#define MN_MUST_CHECK __attribute__((warn_unused_result))
#define MN_PRINTF(format_index, first) __attribute__((format(printf, format_index, first)))
#else
#define MN_MUST_CHECK
#define MN_PRINTF(format_index, first)
#endif

#define MN_COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- Status ------------------------------------------------------------------------------
 * The one list of outcomes: name, value, exit code of the program (docs/exit-codes.md), text. */
#define MN_STATUS_LIST(X)                                                  \
  X(OK, 0, 0, "done")                                                      \
  X(ERR_FAILED, -1, 1, "failed while running")                             \
  X(ERR_MEMORY, -2, 1, "out of memory")                                    \
  X(ERR_IO, -3, 1, "input or output failed")                               \
  X(ERR_USAGE, -4, 2, "wrong command line")                                \
  X(ERR_ARGUMENT, -5, 2, "argument out of range")                          \
  X(ERR_FORMAT, -6, 3, "malformed input file")                             \
  X(ERR_UNSUPPORTED, -7, 3, "not supported")                               \
  X(ERR_BUDGET, -8, 4, "the budget cannot be met")                         \
  X(ERR_PARITY, -9, 4, "results differ")                                   \
  X(ERR_DIVERGED, -10, 5, "training diverged")                             \
  X(ERR_INTERRUPTED, -11, 130, "interrupted")

typedef enum mn_status {
#define X(name, value, exit_code, text) MN_##name = value,
  MN_STATUS_LIST(X)
#undef X
} mn_status;

const char *mn_status_text(mn_status status);
int mn_status_exit_code(mn_status status);
/* Ran, and the answer is no: a budget missed, a parity broken. */
bool mn_status_is_no(mn_status status);

/* Propagates the first failure. Use a `goto done` label instead where something must be released. */
#define MN_TRY(expression)                         \
  do {                                             \
    mn_status mn_try_status = (expression);        \
    if (mn_try_status != MN_OK) return mn_try_status; \
  } while (0)

/* One message, filled once, where the facts are: "FILE[:LINE[:COLUMN]]: found; expected; what to do". */
typedef struct mn_error {
  char text[512];
} mn_error;

/* Fills `error` (may be NULL) and returns `status`, so that `return mn_error_set(...)` reads well. */
mn_status mn_error_set(mn_error *error, mn_status status, const char *format, ...) MN_PRINTF(3, 4);
/* Puts "prefix: " before the text that is there. */
mn_status mn_error_prefix(mn_error *error, mn_status status, const char *format, ...) MN_PRINTF(3, 4);

/* ---- Memory ------------------------------------------------------------------------------
 * All host memory comes through one hook, so that tests can fail the n-th allocation. */
typedef struct mn_heap {
  void *(*reallocate)(void *context, void *memory, size_t size); /* size 0 frees */
  void *context;
} mn_heap;
void mn_heap_set(const mn_heap *heap); /* NULL restores malloc; not thread safe, for start-up and tests */
void *mn_malloc(size_t size);
void *mn_calloc(size_t count, size_t size); /* NULL on overflow */
void *mn_realloc(void *memory, size_t size);
void mn_free(void *memory);
void *mn_malloc_aligned(size_t size, size_t alignment); /* release with mn_free_aligned */
void mn_free_aligned(void *memory);

/* A growing region released as a whole. Memory is zeroed, 16-byte aligned, and never moves. */
typedef struct mn_arena mn_arena;
mn_status mn_arena_create(mn_arena **arena) MN_MUST_CHECK;
void mn_arena_destroy(mn_arena *arena); /* NULL is a no-op */
void *mn_arena_alloc(mn_arena *arena, size_t size); /* NULL when out of memory */
void *mn_arena_array(mn_arena *arena, size_t count, size_t size); /* NULL also on overflow */
void *mn_arena_copy(mn_arena *arena, const void *data, size_t size);
char *mn_arena_text(mn_arena *arena, const char *format, ...) MN_PRINTF(2, 3);
size_t mn_arena_peak(const mn_arena *arena);
/* mark/release: everything allocated after the mark is given back. */
typedef struct mn_arena_mark {
  void *chunk;
  size_t used;
} mn_arena_mark;
mn_arena_mark mn_arena_mark_get(const mn_arena *arena);
void mn_arena_release(mn_arena *arena, mn_arena_mark mark);

/* ---- Bytes in, bytes out -----------------------------------------------------------------*/
typedef struct mn_bytes {
  const uint8_t *data;
  size_t size;
} mn_bytes;

/* Integers in files of any processor: the lowest byte first, 4 and 8 bytes. */
uint32_t mn_load_u32(const uint8_t *from);
uint64_t mn_load_u64(const uint8_t *from);
void mn_store_u32(uint8_t *to, uint32_t value);
void mn_store_u64(uint8_t *to, uint64_t value);

/* Where text or bytes go. write returns MN_OK or MN_ERR_IO / MN_ERR_MEMORY. */
typedef struct mn_sink {
  mn_status (*write)(void *context, const void *data, size_t size);
  void *context;
} mn_sink;
mn_status mn_sink_write(const mn_sink *sink, const void *data, size_t size) MN_MUST_CHECK;
mn_status mn_sink_printf(const mn_sink *sink, const char *format, ...) MN_PRINTF(2, 3);

/* A growing byte buffer; `buffer.data` is owned, release with mn_buffer_free. */
typedef struct mn_buffer {
  uint8_t *data;
  size_t size, capacity;
} mn_buffer;
mn_status mn_buffer_append(mn_buffer *buffer, const void *data, size_t size) MN_MUST_CHECK;
mn_sink mn_buffer_sink(mn_buffer *buffer);
void mn_buffer_free(mn_buffer *buffer);

/* Reads a whole file into the arena, with one zero byte after it (not counted in size).
 * Errors, naming path and reason: MN_ERR_FORMAT where there is no such file, no leave to read it, or more
 * than max_size (0: 2 GiB); MN_ERR_IO where reading fails. */
mn_status mn_file_read(mn_bytes *bytes, mn_arena *arena, const char *path, size_t max_size,
                       mn_error *error) MN_MUST_CHECK;
/* Writes under a temporary name in the same folder, then renames: the old file or the new one,
 * never a half. "-" writes to standard output. Errors: MN_ERR_IO; the temporary is removed. */
mn_status mn_file_write(const char *path, const void *data, size_t size, mn_error *error) MN_MUST_CHECK;
mn_status mn_folder_make(const char *path, mn_error *error) MN_MUST_CHECK; /* with parents */
bool mn_file_exists(const char *path);
/* Adds the bytes of a file to a key: *hash = mn_hash64(*hash, bytes). Errors: those of mn_file_read. */
mn_status mn_file_hash(uint64_t *hash, const char *path, mn_error *error) MN_MUST_CHECK;

uint32_t mn_crc32(uint32_t crc, const void *data, size_t size); /* zlib's polynomial; start with 0 */
uint64_t mn_hash64(uint64_t seed, const void *data, size_t size); /* content keys; stable for ever */

/* For qsort over `const char *`: byte order. */
int mn_text_order(const void *a, const void *b);
/* A text without the mark of UTF-8 (EF BB BF) that some programs write first. */
mn_bytes mn_text_unmarked(mn_bytes text);
/* Cuts a line of CSV in place, blanks and quotes around fields taken away: field[returned] point into it.
 * -1: more than `room` of them. */
int32_t mn_fields(char **field, int32_t room, char *line, char separator);

/* The nearest of `names` within edit distance 2, or NULL: for "did you mean". */
const char *mn_nearest(const char *word, const char *const *names, size_t count);

/* ---- Random numbers ----------------------------------------------------------------------
 * xoshiro256**, seeded by splitmix64. Same seed, same bits, everywhere. Independent streams come
 * from mn_rng_stream(seed, a, b): for example (seed, epoch, item), so order and threads do not matter. */
typedef struct mn_rng {
  uint64_t state[4];
} mn_rng;
mn_rng mn_rng_seed(uint64_t seed);
mn_rng mn_rng_stream(uint64_t seed, uint64_t a, uint64_t b);
uint64_t mn_rng_next(mn_rng *rng);
uint32_t mn_rng_below(mn_rng *rng, uint32_t bound); /* [0, bound), unbiased; bound > 0 */
double mn_rng_uniform(mn_rng *rng);                 /* [0, 1), 53 bits */
double mn_rng_range(mn_rng *rng, double low, double high);
double mn_rng_normal(mn_rng *rng); /* mean 0, deviation 1 */
void mn_rng_shuffle(mn_rng *rng, int32_t *order, int32_t count);

/* ---- Threads -----------------------------------------------------------------------------
 * A pool runs `work(context, item, thread)` for every item in [0, items); the caller's thread works
 * too. Items are claimed in order by whichever thread is free, so results must depend on the item
 * alone. Waiting is a bounded spin, then sleep. */
typedef struct mn_pool mn_pool;
typedef void mn_work(void *context, int32_t item, int32_t thread);
mn_status mn_pool_create(mn_pool **pool, int32_t threads) MN_MUST_CHECK; /* 0: all cores */
void mn_pool_destroy(mn_pool *pool);
int32_t mn_pool_threads(const mn_pool *pool);
void mn_pool_run(mn_pool *pool, mn_work *work, void *context, int32_t items); /* not re-entrant */

/* ---- Ranks -------------------------------------------------------------------------------
 * Processes that train together, one program started by mpirun on one or several machines. Without MPI
 * (CMake option MN_MPI), or alone, there is one rank, 0, and every call below returns at once. All ranks
 * must make the same calls in the same order, from the thread that started. Sums have a fixed order:
 * the same number of ranks gives the same bits. A rank that dies makes mpirun end the others. */
mn_status mn_ranks_start(mn_error *error) MN_MUST_CHECK; /* MN_ERR_UNSUPPORTED under mpirun without MPI */
void mn_ranks_finish(void);
int32_t mn_ranks_count(void);
int32_t mn_ranks_me(void); /* only rank 0 leaves files: mn_file_write does nothing in the others */
void mn_ranks_sum(double *values, int32_t count);
void mn_ranks_greatest(double *values, int32_t count);
void mn_ranks_wait(void);                      /* until all are here */
/* Work that is shared out whole, such as one candidate each: until mn_ranks_meet every rank is alone (the
 * calls above and below say so) and writes its own files, so their names must differ. */
void mn_ranks_part(void);
bool mn_ranks_meet(bool fine); /* waits for all; whether every rank was fine */
/* A large sum that runs while the caller goes on; `values` must stay until mn_ranks_sums_end. */
void mn_ranks_sum_begin(float *values, int64_t count);
void mn_ranks_sums_end(void);

/* ---- Monitor: progress and messages leave a stage here; only cli/ draws them ---------------*/
typedef enum mn_level { MN_LEVEL_ERROR, MN_LEVEL_WARNING, MN_LEVEL_NOTE, MN_LEVEL_DEBUG } mn_level;

#define MN_PROGRESS_VALUES 6
typedef struct mn_progress {
  const char *stage; /* "search", "train", "data", ... */
  int64_t step, total;
  const char *name[MN_PROGRESS_VALUES]; /* "loss", "accuracy", "ops"; NULL ends the list */
  double value[MN_PROGRESS_VALUES];
} mn_progress;

typedef struct mn_monitor {
  void (*progress)(void *context, const mn_progress *progress); /* may be NULL */
  void (*message)(void *context, mn_level level, const char *text); /* may be NULL */
  void *context;
  const volatile sig_atomic_t *stop; /* may be NULL; non-zero: finish the step, checkpoint, leave */
} mn_monitor;
/* All of these accept monitor == NULL. */
void mn_monitor_progress(const mn_monitor *monitor, const mn_progress *progress);
void mn_monitor_message(const mn_monitor *monitor, mn_level level, const char *format, ...) MN_PRINTF(3, 4);
bool mn_monitor_stopped(const mn_monitor *monitor);

double mn_seconds(void); /* monotonic clock, for reports only: no result may depend on it */

#endif
