/* pool.c - threads that claim items of one job after another. Waiting spins for a bounded while,
 * because the jobs of a training step follow each other closely, then sleeps.
 * SPDX-License-Identifier: Apache-2.0 */
#include "micronets/base.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

enum { SPINS = 4000, MAX_THREADS = 256 };

struct mn_pool {
  int32_t threads;
  pthread_t *workers; /* threads - 1 of them */
  pthread_mutex_t mutex;
  pthread_cond_t wake, done;
  mn_work *work;
  void *context;
  int32_t items;
  atomic_int next; /* first unclaimed item */
  atomic_int busy; /* workers still inside the job */
  atomic_uint job; /* counts jobs; a change wakes the workers */
  atomic_bool closing;
};

typedef struct worker_start {
  mn_pool *pool;
  int32_t thread;
} worker_start;

static void relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

static void work_through(mn_pool *pool, int32_t thread) {
  for (;;) {
    int32_t item = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed);
    if (item >= pool->items) return;
    pool->work(pool->context, item, thread);
  }
}

static void wait_for_job(mn_pool *pool, unsigned seen) {
  for (int i = 0; i < SPINS; i++) {
    if (atomic_load_explicit(&pool->job, memory_order_acquire) != seen) return;
    relax();
  }
  pthread_mutex_lock(&pool->mutex);
  while (atomic_load(&pool->job) == seen) pthread_cond_wait(&pool->wake, &pool->mutex);
  pthread_mutex_unlock(&pool->mutex);
}

static void *worker_main(void *argument) {
  worker_start start = *(worker_start *)argument;
  mn_free(argument);
  mn_pool *pool = start.pool;
  for (unsigned seen = 0;; seen++) {
    wait_for_job(pool, seen);
    if (atomic_load(&pool->closing)) return NULL;
    work_through(pool, start.thread);
    if (atomic_fetch_sub_explicit(&pool->busy, 1, memory_order_acq_rel) == 1) {
      pthread_mutex_lock(&pool->mutex);
      pthread_cond_signal(&pool->done);
      pthread_mutex_unlock(&pool->mutex);
    }
  }
}

static void announce(mn_pool *pool) {
  pthread_mutex_lock(&pool->mutex);
  atomic_fetch_add_explicit(&pool->job, 1, memory_order_release);
  pthread_cond_broadcast(&pool->wake);
  pthread_mutex_unlock(&pool->mutex);
}

static void wait_for_workers(mn_pool *pool) {
  for (int i = 0; i < SPINS; i++) {
    if (atomic_load_explicit(&pool->busy, memory_order_acquire) == 0) return;
    relax();
  }
  pthread_mutex_lock(&pool->mutex);
  while (atomic_load(&pool->busy) != 0) pthread_cond_wait(&pool->done, &pool->mutex);
  pthread_mutex_unlock(&pool->mutex);
}

static mn_status start_worker(mn_pool *pool, int32_t thread) {
  worker_start *start = mn_malloc(sizeof *start);
  if (start == NULL) return MN_ERR_MEMORY;
  *start = (worker_start){pool, thread};
  if (pthread_create(&pool->workers[thread - 1], NULL, worker_main, start) == 0) return MN_OK;
  mn_free(start);
  return MN_ERR_FAILED;
}

/* Those that this process may run on: under mpirun a rank may have one of its own. */
static int32_t usable_cores(void) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
  return (int32_t)sysconf(_SC_NPROCESSORS_ONLN);
}

mn_status mn_pool_create(mn_pool **pool, int32_t threads) {
  if (threads <= 0) threads = usable_cores();
  if (threads < 1) threads = 1;
  if (threads > MAX_THREADS) threads = MAX_THREADS;
  mn_pool *made = mn_calloc(1, sizeof *made);
  if (made == NULL) return MN_ERR_MEMORY;
  made->threads = 1;
  pthread_mutex_init(&made->mutex, NULL);
  pthread_cond_init(&made->wake, NULL);
  pthread_cond_init(&made->done, NULL);
  made->workers = mn_calloc((size_t)threads, sizeof *made->workers);
  mn_status status = made->workers != NULL ? MN_OK : MN_ERR_MEMORY;
  for (int32_t i = 1; status == MN_OK && i < threads; i++) {
    status = start_worker(made, i);
    if (status == MN_OK) made->threads++;
  }
  if (status != MN_OK) {
    mn_pool_destroy(made);
    return status;
  }
  *pool = made;
  return MN_OK;
}

void mn_pool_destroy(mn_pool *pool) {
  if (pool == NULL) return;
  atomic_store(&pool->closing, true);
  announce(pool);
  for (int32_t i = 0; i < pool->threads - 1; i++) pthread_join(pool->workers[i], NULL);
  pthread_cond_destroy(&pool->done);
  pthread_cond_destroy(&pool->wake);
  pthread_mutex_destroy(&pool->mutex);
  mn_free(pool->workers);
  mn_free(pool);
}

int32_t mn_pool_threads(const mn_pool *pool) {
  return pool->threads;
}

void mn_pool_run(mn_pool *pool, mn_work *work, void *context, int32_t items) {
  if (items <= 0) return;
  pool->work = work;
  pool->context = context;
  pool->items = items;
  atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
  if (pool->threads == 1 || items == 1) {
    work_through(pool, 0);
    return;
  }
  atomic_store_explicit(&pool->busy, pool->threads - 1, memory_order_relaxed);
  announce(pool);
  work_through(pool, 0);
  wait_for_workers(pool);
}
