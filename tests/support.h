/* support.h - what every unit test includes: cmocka, the place of development data, small helpers.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_TEST_SUPPORT_H
#define MN_TEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#include "micronets/base.h"

/* Folder of development data ($MN_SHARED) joined with `path`, or NULL where it is absent. */
const char *test_shared(const char *path);
/* Prints "skipped: ..." and leaves with 77 where the development data is absent. */
void test_need_shared(void);
/* Root of the source tree joined with `path`. */
const char *test_source(const char *path);
/* A fresh temporary folder in $TMPDIR (/tmp where it is not set), removed when the program leaves. */
const char *test_folder(void);
mn_bytes test_read(mn_arena *arena, const char *path);

/* A heap whose allocations fail once `*left` of them have been given; frees always work. */
mn_heap test_failing_heap(int64_t *left);

#define assert_ok(status, error)                          \
  do {                                                    \
    if ((status) != MN_OK) fail_msg("%s", (error)->text); \
  } while (0)

#endif
