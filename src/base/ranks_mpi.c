/* ranks_mpi.c - ranks over MPI (Open MPI; nothing of one maker's alone is used but the variable that
 * tells of mpirun). MPI's default error handler ends all ranks, so no call is checked here.
 * SPDX-License-Identifier: Apache-2.0 */
#include <mpi.h>
#include <stdlib.h>

#include "micronets/base.h"

enum { MOST_REQUESTS = 256 };
static int ranks = 1, me;
static bool apart; /* between mn_ranks_part and mn_ranks_meet */
static MPI_Request requests[MOST_REQUESTS];
static int request_count;

/* Without mpirun MPI is not started: it would take half a second of every command. */
mn_status mn_ranks_start(mn_error *error) {
  const char *size = getenv("OMPI_COMM_WORLD_SIZE");
  int level = 0;
  if (size == NULL || atoi(size) < 2) return MN_OK;
  MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &level);
  if (level < MPI_THREAD_FUNNELED)
    return mn_error_set(error, MN_ERR_UNSUPPORTED, "this MPI does not go together with threads");
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  MPI_Comm_rank(MPI_COMM_WORLD, &me);
  return MN_OK;
}

void mn_ranks_finish(void) {
  if (ranks > 1) MPI_Finalize();
}

static bool together(void) {
  return ranks > 1 && !apart;
}

int32_t mn_ranks_count(void) {
  return apart ? 1 : ranks;
}

int32_t mn_ranks_me(void) {
  return apart ? 0 : me;
}

void mn_ranks_part(void) {
  apart = true;
}

bool mn_ranks_meet(bool fine) {
  int all = fine;
  apart = false;
  if (ranks > 1) MPI_Allreduce(MPI_IN_PLACE, &all, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
  return all != 0;
}

void mn_ranks_sum(double *values, int32_t count) {
  if (together()) MPI_Allreduce(MPI_IN_PLACE, values, count, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
}

void mn_ranks_greatest(double *values, int32_t count) {
  if (together()) MPI_Allreduce(MPI_IN_PLACE, values, count, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
}

void mn_ranks_wait(void) {
  if (together()) MPI_Barrier(MPI_COMM_WORLD);
}

void mn_ranks_sum_begin(float *values, int64_t count) {
  if (!together()) return;
  if (request_count == MOST_REQUESTS) mn_ranks_sums_end();
  MPI_Iallreduce(MPI_IN_PLACE, values, (int)count, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD,
                 &requests[request_count++]);
}

void mn_ranks_sums_end(void) {
  if (request_count > 0) MPI_Waitall(request_count, requests, MPI_STATUSES_IGNORE);
  request_count = 0;
}
