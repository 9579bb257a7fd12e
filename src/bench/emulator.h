/* emulator.h - compiles lists of C files for a target and runs programs on its emulated machine.
 * Arm's compiler and QEMU run as child processes; what they say stays in files of the work folder.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_BENCH_EMULATOR_H
#define MN_BENCH_EMULATOR_H

#include "bench/elf.h"
#include "micronets/base.h"
#include "micronets/target.h"

#define MN_ARM_COMPILER "arm-none-eabi-gcc"
#define MN_EMULATOR "qemu-system-arm"

/* Where a target's program is made: target, folder, and who may stop it. */
typedef struct mn_workshop {
  const mn_target *target;
  const char *folder;
  mn_arena *arena;
  const mn_monitor *monitor;
  mn_error *error;
} mn_workshop;

/* Compiles `sources` (paths from the work folder) with `flags` besides the target's own into
 * objects/<group>/, adding the objects' paths to *objects. */
typedef struct mn_objects {
  const char **path;
  int32_t count, room;
} mn_objects;
mn_status mn_compile(mn_workshop *shop, mn_objects *objects, const char *group, const char *flags,
                     const char *const *sources, int32_t count) MN_MUST_CHECK;
/* Links with the target's linker script, dropping what is not reached from `entry`. */
mn_status mn_link(mn_workshop *shop, const char *program, const char *entry,
                  const mn_objects *objects) MN_MUST_CHECK;

/* The same with another script of firmware/. */
mn_status mn_link_with(mn_workshop *shop, const char *linker, const char *program,
                       const char *entry, const mn_objects *objects) MN_MUST_CHECK;

/* First line of what the compiler says of its version. */
mn_status mn_compiler_version(mn_workshop *shop, const char **version) MN_MUST_CHECK;

/* Writes the firmware's own files (start-up, linker scripts, bench program) into <folder>/firmware.
 */
mn_status mn_firmware_unpack(mn_workshop *shop) MN_MUST_CHECK;

/* Runs `program` with `argument`; counting when `counts` (a file) is given. The program's text is
 * read back into *output. Errors: MN_ERR_FAILED quoting what the program said, when it did not end
 * with 0. */
typedef struct mn_emulation {
  const char *program, *argument, *counts;
  mn_bytes output;
} mn_emulation;
mn_status mn_emulate(mn_workshop *shop, mn_emulation *run) MN_MUST_CHECK;

#endif
