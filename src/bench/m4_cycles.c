/* m4_cycles.c - a static cycle model of the Cortex-M4 over exact execution counts.
 *
 * What each instruction takes, memory without wait states (Cortex-M4 technical reference manual,
 * "Instruction set summary"): ALU, multiply and dual multiply 1; load 2, but 1 right behind another
 * load or store; store 1; double-word load or store 3; n registers 1 + n; a branch that is followed
 * 2 more; division about 7. It is a model: against boards it needs a factor (targets/).
 * SPDX-License-Identifier: Apache-2.0 */
#include "bench/counts.h"

typedef enum kind {
  KIND_PLAIN,
  KIND_LOAD,
  KIND_STORE,
  KIND_PAIR,     /* LDRD, STRD */
  KIND_MULTIPLE, /* LDM, STM, PUSH, POP */
  KIND_BRANCH,
  KIND_DIVIDE,
  KIND_FLOAT_MEMORY
} kind;

typedef struct decoded {
  kind kind;
  int32_t registers; /* of KIND_MULTIPLE */
  bool writes_pc;    /* of KIND_MULTIPLE */
} decoded;

static int32_t bits_set(uint32_t word) {
  int32_t count = 0;
  for (; word != 0; word &= word - 1) count++;
  return count;
}

/* Encodings of 16 bits, by the Architecture Reference Manual's first table: a range of opcodes
 * each. */
static decoded decode_16(uint32_t op) {
  static const struct {
    uint32_t first, last;
    kind kind;
  } ranges[] = {
      {0x4700, 0x47FF, KIND_BRANCH}, /* BX, BLX */
      {0x4800, 0x4FFF, KIND_LOAD},   /* LDR literal */
      {0x5000, 0x55FF, KIND_STORE},  /* register offset */
      {0x5600, 0x5FFF, KIND_LOAD},     {0x6000, 0x67FF, KIND_STORE},
      {0x6800, 0x6FFF, KIND_LOAD},                                      /* word */
      {0x7000, 0x77FF, KIND_STORE},    {0x7800, 0x7FFF, KIND_LOAD},     /* byte */
      {0x8000, 0x87FF, KIND_STORE},    {0x8800, 0x8FFF, KIND_LOAD},     /* halfword */
      {0x9000, 0x97FF, KIND_STORE},    {0x9800, 0x9FFF, KIND_LOAD},     /* from SP */
      {0xB100, 0xB1FF, KIND_BRANCH},   {0xB300, 0xB3FF, KIND_BRANCH},   /* CBZ */
      {0xB900, 0xB9FF, KIND_BRANCH},   {0xBB00, 0xBBFF, KIND_BRANCH},   /* CBNZ */
      {0xB400, 0xB5FF, KIND_MULTIPLE}, {0xBC00, 0xBDFF, KIND_MULTIPLE}, /* PUSH, POP */
      {0xC000, 0xCFFF, KIND_MULTIPLE},                                  /* STM, LDM */
      {0xD000, 0xDDFF, KIND_BRANCH},   {0xE000, 0xE7FF, KIND_BRANCH},
  };
  decoded d = {KIND_PLAIN, 0, false};
  for (size_t i = 0; i < MN_COUNT(ranges); i++)
    if (op >= ranges[i].first && op <= ranges[i].last) d.kind = ranges[i].kind;
  if (d.kind != KIND_MULTIPLE) return d;
  bool stack = op < 0xC000; /* bit 8 is LR or PC */
  d.registers = bits_set(op & (stack ? 0x1FF : 0xFF));
  d.writes_pc = op >= 0xBD00 && op < 0xBE00;
  return d;
}

/* 0xE8xx and 0xE9xx: several registers, pairs, exclusive accesses, table branches. */
static decoded decode_multiple(uint32_t high, uint32_t low) {
  bool load = (high & 0x0010) != 0;
  if ((high & 0x0040) == 0)
    return (decoded){KIND_MULTIPLE, bits_set(low), load && (low & 0x8000) != 0};
  if ((high & 0x0120) != 0) return (decoded){KIND_PAIR, 0, false};
  if ((high & 0xFFF0) == 0xE8D0 && (low & 0xFFE0) == 0xF000)
    return (decoded){KIND_BRANCH, 0, false};
  return (decoded){load ? KIND_LOAD : KIND_STORE, 0, false};
}

/* 0xF0xx to 0xF7xx with bit 15 of the second halfword: branches and a few system instructions. */
static bool is_branch_32(uint32_t high, uint32_t low) {
  if ((high & 0xF800) != 0xF000 || (low & 0x8000) == 0) return false;
  bool conditional = (low & 0x5000) == 0;
  return !conditional || (high & 0x0380) != 0x0380;
}

static decoded decode_32(uint32_t high, uint32_t low) {
  decoded d = {KIND_PLAIN, 0, false};
  if ((high & 0xFE00) == 0xE800) return decode_multiple(high, low);
  if ((high & 0xFE00) == 0xF800)
    d.kind = (high & 0x0010) != 0 ? KIND_LOAD : KIND_STORE;
  else if (is_branch_32(high, low))
    d.kind = KIND_BRANCH;
  else if ((high & 0xFFD0) == 0xFB90 && (low & 0x00F0) == 0x00F0)
    d.kind = KIND_DIVIDE;
  else if ((high & 0xEE00) == 0xEC00)
    d.kind = KIND_FLOAT_MEMORY;
  return d;
}

static decoded decode(const mn_count *count) {
  return count->size == 2 ? decode_16(count->opcode)
                          : decode_32(count->opcode >> 16, count->opcode & 0xFFFF);
}

static double cycles_of(const decoded *d, const mn_count *count, bool behind_memory) {
  double executed = (double)count->executed, taken = (double)count->taken;
  switch (d->kind) {
    case KIND_LOAD: return behind_memory ? executed : 2.0 * executed;
    case KIND_PAIR: return 3.0 * executed;
    case KIND_MULTIPLE: return executed * (1 + d->registers) + (d->writes_pc ? 3.0 * taken : 0.0);
    case KIND_BRANCH: return executed + 2.0 * taken;
    case KIND_DIVIDE: return 7.0 * executed;
    case KIND_FLOAT_MEMORY: return 2.0 * executed;
    case KIND_PLAIN:
    case KIND_STORE: break;
  }
  return executed;
}

double mn_m4_cycles(const mn_region *region) {
  double cycles = 0.0;
  uint32_t behind = 0; /* address behind the last single load or store */
  for (int32_t i = 0; i < region->count; i++) {
    const mn_count *count = &region->counts[i];
    decoded d = decode(count);
    cycles += cycles_of(&d, count, count->address == behind);
    bool memory = d.kind == KIND_LOAD || d.kind == KIND_STORE;
    behind = memory ? count->address + count->size : 0;
  }
  return cycles;
}
