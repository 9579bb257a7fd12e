/* run.h - stages in order, their results as JSON, run folders and resume. One function per command of
 * CLI.md; cli/ parses options into these structs and prints what comes back.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MICRONETS_RUN_H
#define MICRONETS_RUN_H

#include "micronets/base.h"

/* Grows with the commands: owned by the run room. */

#endif
