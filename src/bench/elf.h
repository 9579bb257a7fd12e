/* elf.h - reads what the compiler made: sections, symbols and relocations of a 32-bit little-endian
 * ELF file, object or program. Every offset of the file is checked.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_BENCH_ELF_H
#define MN_BENCH_ELF_H

#include "micronets/base.h"

enum { MN_ELF_WRITE = 1, MN_ELF_ALLOC = 2, MN_ELF_EXECUTE = 4 }; /* section flags */
enum { MN_ELF_NOBITS = 8 }; /* section type: takes no room in the file */

typedef struct mn_elf_section {
  const char *name;
  uint32_t type, flags, address, size;
  const uint8_t *data; /* NULL for MN_ELF_NOBITS */
} mn_elf_section;

typedef struct mn_elf_symbol {
  const char *name; /* "" for sections' own symbols */
  uint32_t value, size;
  int32_t section; /* index, -1: none (undefined, absolute) */
  bool function, object, global, section_symbol;
} mn_elf_symbol;

/* At `offset` of `section`, something of `symbol` is put. */
typedef struct mn_elf_relocation {
  int32_t section, symbol;
  uint32_t offset, type;
} mn_elf_relocation;

typedef struct mn_elf {
  const char *path;
  mn_elf_section *sections;
  mn_elf_symbol *symbols;
  mn_elf_relocation *relocations;
  int32_t section_count, symbol_count, relocation_count;
} mn_elf;

/* Errors: MN_ERR_FORMAT naming the offset. Everything lives in arena. */
mn_status mn_elf_read(mn_elf *elf, mn_arena *arena, const char *path,
                      mn_error *error) MN_MUST_CHECK;
const mn_elf_symbol *mn_elf_find(const mn_elf *elf, const char *name); /* NULL: not there */

#endif
