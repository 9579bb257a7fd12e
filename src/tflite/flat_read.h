/* flat_read.h - reading an untrusted FlatBuffer. Every position is checked against the file before
 * a byte is read; alignment as the format demands it.
 *
 * The first failure sticks: it fills the error, and every later call returns "absent". So a reader
 * may fetch several fields and look at `status` once, before it believes any of them.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_TFLITE_FLAT_READ_H
#define MN_TFLITE_FLAT_READ_H

#include "micronets/base.h"

typedef struct mn_flat {
  mn_bytes file;
  mn_status status; /* sticks */
  mn_error *error;
  char where[128];    /* what is being read: "tensor 12", for messages */
  uint64_t work_left; /* bytes that may still be visited: shared parts must not multiply the work */
} mn_flat;

typedef struct mn_flat_table {
  size_t at, vtable; /* positions in the file; at == 0: absent */
  uint32_t vtable_bytes, table_bytes;
} mn_flat_table;

typedef struct mn_flat_vector {
  size_t at; /* of the first element */
  uint32_t count;
} mn_flat_vector;

/* Opens the file: size, identifier, root table. */
mn_flat_table mn_flat_open(mn_flat *flat, mn_bytes file, const char *identifier, mn_error *error);
/* Says what is being read from now on. */
void mn_flat_enter(mn_flat *flat, const char *format, ...) MN_PRINTF(2, 3);
/* The first failure fills the error: "offset AT (where): text". Returns the status that sticks. */
mn_status mn_flat_fail(mn_flat *flat, mn_status status, size_t at, const char *format, ...)
    MN_PRINTF(4, 5);

bool mn_flat_has(mn_flat *flat, const mn_flat_table *table, int32_t slot);
uint8_t mn_flat_u8(mn_flat *flat, const mn_flat_table *table, int32_t slot, uint8_t absent);
int32_t mn_flat_i32(mn_flat *flat, const mn_flat_table *table, int32_t slot, int32_t absent);
uint32_t mn_flat_u32(mn_flat *flat, const mn_flat_table *table, int32_t slot, uint32_t absent);
uint64_t mn_flat_u64(mn_flat *flat, const mn_flat_table *table, int32_t slot, uint64_t absent);

/* Empty where absent. element_bytes: 1, 2, 4 or 8; 4 also for vectors of tables. */
mn_flat_vector mn_flat_vector_of(mn_flat *flat, const mn_flat_table *table, int32_t slot,
                                 size_t element_bytes);
/* Elements; index must be below count. */
int32_t mn_flat_item_i32(const mn_flat *flat, mn_flat_vector vector, uint32_t index);
int64_t mn_flat_item_i64(const mn_flat *flat, mn_flat_vector vector, uint32_t index);
float mn_flat_item_f32(const mn_flat *flat, mn_flat_vector vector, uint32_t index);
mn_flat_table mn_flat_item_table(mn_flat *flat, mn_flat_vector vector, uint32_t index);

mn_flat_table mn_flat_child(mn_flat *flat, const mn_flat_table *table, int32_t slot);
/* Borrowed from the file; NULL where absent; ends with a zero byte and holds no other. */
const char *mn_flat_text(mn_flat *flat, const mn_flat_table *table, int32_t slot);

#endif
