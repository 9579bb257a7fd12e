/* flat_write.h - writes a FlatBuffer front to back: parents before children, one layout for one
 * content. The same calls without memory behind them only count: that is how a file's exact size is
 * known before there is anything to store.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_TFLITE_FLAT_WRITE_H
#define MN_TFLITE_FLAT_WRITE_H

#include "micronets/base.h"

enum { MN_FLAT_MAX_SLOTS = 12, MN_FLAT_VTABLES = 64 };

typedef struct mn_flat_vtable {
  uint16_t entry[MN_FLAT_MAX_SLOTS + 2];
  uint32_t bytes;
  size_t at;
} mn_flat_vtable;

typedef struct mn_flat_out {
  bool counting;    /* no bytes are stored */
  mn_buffer buffer; /* owned; empty while counting */
  size_t size;
  mn_status status;                        /* sticks */
  mn_flat_vtable vtables[MN_FLAT_VTABLES]; /* equal field lists are written once */
  int32_t vtable_count;
} mn_flat_out;

/* One field: bytes 0 is absent; an offset (bytes 4) is written as 0 and aimed later. */
typedef struct mn_flat_field {
  uint8_t bytes;
  uint32_t value;
} mn_flat_field;

/* Header with a root offset still to be aimed: at position 0. */
void mn_flat_begin(mn_flat_out *out, const char *identifier);
/* Returns the table's position; where[slot] (may be NULL) receives each field's position. */
size_t mn_flat_put_table(mn_flat_out *out, const mn_flat_field *fields, int32_t slots,
                         size_t *where);
/* count, then the elements, the first of them aligned; data NULL: zeros. Returns the vector's position. */
size_t mn_flat_put_vector(mn_flat_out *out, const void *data, size_t count, size_t element_bytes,
                          size_t alignment);
size_t mn_flat_put_text(mn_flat_out *out, const char *text);
/* The offset that stands at `from` points to `to`, which lies behind it. */
void mn_flat_aim(mn_flat_out *out, size_t from, size_t to);
void mn_flat_release(mn_flat_out *out);

#endif
