/* proof.h - shows that a cleaned-up graph computes what its source does: both run on the same inputs,
 * every output and every tensor that is left of the source's are compared.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_RUN_PROOF_H
#define MN_RUN_PROOF_H

#include "bench/vectors.h"
#include "run/stage.h"

typedef struct mn_proof {
  int64_t inputs, tensors; /* compared; tensors over all inputs */
  int64_t mismatches;
  const char *first_mismatch; /* in words; NULL none */
} mn_proof;

/* `random` made inputs, then the stored ones (may be NULL), whose stored outputs count too. */
mn_status mn_proof_run(mn_proof *proof, const mn_run_context *context, const mn_graph *source,
                       const mn_clean *clean, int64_t random, const mn_vectors *stored,
                       mn_error *error) MN_MUST_CHECK;

#endif
