/* ranks_alone.c - the program without MPI: one rank. See base.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "micronets/base.h"

mn_status mn_ranks_start(mn_error *error) {
  const char *size = getenv("OMPI_COMM_WORLD_SIZE");
  if (size == NULL || atoi(size) < 2) return MN_OK;
  return mn_error_set(
      error, MN_ERR_UNSUPPORTED,
      "started by mpirun with %s processes, but built without MPI: each would train "
      "for itself; configure with -DMN_MPI=ON",
      size);
}

void mn_ranks_finish(void) {
}

int32_t mn_ranks_count(void) {
  return 1;
}

int32_t mn_ranks_me(void) {
  return 0;
}

void mn_ranks_sum(double *values, int32_t count) {
  (void)values, (void)count;
}

void mn_ranks_greatest(double *values, int32_t count) {
  (void)values, (void)count;
}

void mn_ranks_wait(void) {
}

void mn_ranks_part(void) {
}

bool mn_ranks_meet(bool fine) {
  return fine;
}

void mn_ranks_sum_begin(float *values, int64_t count) {
  (void)values, (void)count;
}

void mn_ranks_sums_end(void) {
}
