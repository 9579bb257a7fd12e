/* standard.h - options of a command that another one runs: `MN_OPTIONS_TRAIN(MN_SET_STANDARD)` gives every
 * member of the struct `o` what the option table says.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_RUN_STANDARD_H
#define MN_RUN_STANDARD_H

#include <stdlib.h>

#define MN_STANDARD_FLAG(text) false
#define MN_STANDARD_INTEGER(text) strtoll(text, NULL, 10)
#define MN_STANDARD_REAL(text) strtod(text, NULL)
#define MN_STANDARD_TEXT(text) NULL
#define MN_STANDARD_WORD(text) text
#define MN_STANDARD_LIST(text) ((mn_text_list){0})
#define MN_STANDARD_LATER(text) false
#define MN_STANDARD_LATERV(text) NULL
#define MN_SET_STANDARD(type, name, letter, standard, value, help) \
  o.name = MN_STANDARD_##type(standard);

#endif
