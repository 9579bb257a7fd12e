/* elf.c - see elf.h. Layout: System V ABI, "Object Files"; numbers are little-endian.
 * SPDX-License-Identifier: Apache-2.0 */
#include "bench/elf.h"

#include <string.h>

enum { HEADER_BYTES = 52, SECTION_BYTES = 40, SYMBOL_BYTES = 16, REL_BYTES = 8, RELA_BYTES = 12 };
enum { TYPE_SYMTAB = 2, TYPE_RELA = 4, TYPE_REL = 9 };
enum { SYMBOL_OBJECT = 1, SYMBOL_FUNCTION = 2, SYMBOL_SECTION = 3, SYMBOL_GLOBAL = 1 };

/* One pass over a file. */
typedef struct reader {
  mn_bytes file;
  mn_arena *arena;
  mn_error *error;
  mn_elf *elf;
  uint32_t *links, *infos; /* per section */
} reader;

static uint32_t u16(const uint8_t *at) {
  return (uint32_t)at[0] | (uint32_t)at[1] << 8;
}

static uint32_t u32(const uint8_t *at) {
  return u16(at) | u16(at + 2) << 16;
}

static mn_status bad(const reader *r, size_t offset, const char *what) {
  return mn_error_set(r->error, MN_ERR_FORMAT, "%s: byte %zu: %s; expected a 32-bit ARM ELF file",
                      r->elf->path, offset, what);
}

static mn_status no_memory(const reader *r) {
  return mn_error_set(r->error, MN_ERR_MEMORY, "%s: out of memory", r->elf->path);
}

/* Where [offset, offset + size) of the file lies; NULL: outside. */
static const uint8_t *range(const reader *r, size_t offset, size_t size) {
  if (offset > r->file.size || r->file.size - offset < size) return NULL;
  return r->file.data + offset;
}

/* A zero-terminated name inside a section; "" where the offset is wrong. */
static const char *name_in(const mn_elf *elf, uint32_t section, uint32_t offset) {
  if (section >= (uint32_t)elf->section_count) return "";
  const mn_elf_section *strings = &elf->sections[section];
  if (strings->data == NULL || offset >= strings->size) return "";
  const char *name = (const char *)strings->data + offset;
  return memchr(name, 0, strings->size - offset) != NULL ? name : "";
}

static mn_status read_sections(reader *r, const uint8_t *header) {
  uint32_t offset = u32(header + 32), count = u16(header + 48), names = u16(header + 50);
  if (u16(header + 46) != SECTION_BYTES) return bad(r, 46, "section headers of another size");
  const uint8_t *at = range(r, offset, (size_t)count * SECTION_BYTES);
  if (at == NULL) return bad(r, offset, "section headers lie outside the file");
  r->elf->sections = mn_arena_array(r->arena, count + 1, sizeof *r->elf->sections);
  r->links = mn_arena_array(r->arena, count + 1, sizeof *r->links);
  r->infos = mn_arena_array(r->arena, count + 1, sizeof *r->infos);
  if (r->elf->sections == NULL || r->links == NULL || r->infos == NULL) return no_memory(r);
  for (uint32_t i = 0; i < count; i++, at += SECTION_BYTES) {
    mn_elf_section *s = &r->elf->sections[i];
    *s = (mn_elf_section){.type = u32(at + 4),
                          .flags = u32(at + 8),
                          .address = u32(at + 12),
                          .size = u32(at + 20),
                          .name = ""};
    r->links[i] = u32(at + 24);
    r->infos[i] = u32(at + 28);
    if (s->type == MN_ELF_NOBITS || s->type == 0) continue;
    s->data = range(r, u32(at + 16), s->size);
    if (s->data == NULL) return bad(r, u32(at + 16), "a section lies outside the file");
  }
  r->elf->section_count = (int32_t)count;
  for (uint32_t i = 0; i < count; i++)
    r->elf->sections[i].name = name_in(r->elf, names, u32(range(r, offset + i * SECTION_BYTES, 4)));
  return MN_OK;
}

static mn_status read_symbols(reader *r, int32_t table) {
  const mn_elf_section *s = &r->elf->sections[table];
  uint32_t count = s->size / SYMBOL_BYTES;
  mn_elf_symbol *symbols = mn_arena_array(r->arena, count + 1, sizeof *symbols);
  if (symbols == NULL) return no_memory(r);
  for (uint32_t i = 0; i < count; i++) {
    const uint8_t *at = s->data + i * SYMBOL_BYTES;
    uint32_t kind = at[12] & 15, section = u16(at + 14);
    symbols[i] = (mn_elf_symbol){
        .name = name_in(r->elf, r->links[table], u32(at)),
        .value = u32(at + 4),
        .size = u32(at + 8),
        .section =
            section != 0 && section < (uint32_t)r->elf->section_count ? (int32_t)section : -1,
        .function = kind == SYMBOL_FUNCTION,
        .object = kind == SYMBOL_OBJECT,
        .section_symbol = kind == SYMBOL_SECTION,
        .global = at[12] >> 4 == SYMBOL_GLOBAL,
    };
  }
  r->elf->symbols = symbols;
  r->elf->symbol_count = (int32_t)count;
  return MN_OK;
}

static mn_status read_relocations(reader *r) {
  size_t room = 0;
  for (int32_t i = 0; i < r->elf->section_count; i++) {
    const mn_elf_section *s = &r->elf->sections[i];
    if (s->type == TYPE_REL) room += s->size / REL_BYTES;
    if (s->type == TYPE_RELA) room += s->size / RELA_BYTES;
  }
  mn_elf_relocation *made = mn_arena_array(r->arena, room + 1, sizeof *made);
  if (made == NULL) return no_memory(r);
  int32_t count = 0;
  for (int32_t i = 0; i < r->elf->section_count; i++) {
    const mn_elf_section *s = &r->elf->sections[i];
    if (s->type != TYPE_REL && s->type != TYPE_RELA) continue;
    uint32_t step = s->type == TYPE_REL ? REL_BYTES : RELA_BYTES;
    for (uint32_t at = 0; at + step <= s->size; at += step) {
      uint32_t info = u32(s->data + at + 4);
      if (info >> 8 >= (uint32_t)r->elf->symbol_count)
        return bad(r, at, "a relocation names no symbol");
      made[count++] = (mn_elf_relocation){.section = (int32_t)r->infos[i],
                                          .symbol = (int32_t)(info >> 8),
                                          .offset = u32(s->data + at),
                                          .type = info & 255};
    }
  }
  r->elf->relocations = made;
  r->elf->relocation_count = count;
  return MN_OK;
}

mn_status mn_elf_read(mn_elf *elf, mn_arena *arena, const char *path, mn_error *error) {
  static const uint8_t magic[] = {0x7F, 'E', 'L', 'F', 1, 1};
  *elf = (mn_elf){.path = path};
  reader r = {.arena = arena, .error = error, .elf = elf};
  MN_TRY(mn_file_read(&r.file, arena, path, 0, error));
  const uint8_t *header = range(&r, 0, HEADER_BYTES);
  if (header == NULL || memcmp(header, magic, sizeof magic) != 0)
    return bad(&r, 0, "another file type");
  MN_TRY(read_sections(&r, header));
  for (int32_t i = 0; i < elf->section_count; i++)
    if (elf->sections[i].type == TYPE_SYMTAB) MN_TRY(read_symbols(&r, i));
  return read_relocations(&r);
}

const mn_elf_symbol *mn_elf_find(const mn_elf *elf, const char *name) {
  for (int32_t i = 0; i < elf->symbol_count; i++)
    if (elf->symbols[i].section >= 0 && strcmp(elf->symbols[i].name, name) == 0)
      return &elf->symbols[i];
  return NULL;
}
