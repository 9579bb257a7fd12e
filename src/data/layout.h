/* layout.h - data sets whose examples do not lie in class folders: each layout says whether a source
 * has it, and makes items of it. SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_DATA_LAYOUT_H
#define MN_DATA_LAYOUT_H

#include "data/dataset.h"

/* Looked at in this order; class folders are what remains. */
typedef struct mn_layout {
  const char *name;
  bool (*found)(const mn_source *source);
  mn_status (*read)(mn_dataset *dataset, mn_error *error);
} mn_layout;
extern const mn_layout mn_layout_idx, mn_layout_cifar, mn_layout_coco;

/* layout.c: room for `count` items in all; those that are there stay. */
mn_status mn_layout_grow(mn_dataset *dataset, int64_t count, mn_error *error) MN_MUST_CHECK;

/* Raw pixels of one example, behind each other in a member. */
typedef struct mn_record_file {
  int32_t member;
  mn_bytes bytes; /* unpacked */
  mn_split split;
} mn_record_file;
/* A member's bytes, whole; those of a .gz unpacked. */
mn_status mn_layout_load(mn_record_file *file, mn_dataset *dataset, mn_error *error) MN_MUST_CHECK;
/* One more item "member:index"; there is room. */
mn_status mn_layout_add_record(mn_dataset *dataset, const mn_record_file *file, int32_t index,
                               const mn_raw_photo *record, const char *class_text,
                               mn_error *error) MN_MUST_CHECK;

#endif
