/* instructions.h - a program's instructions as text, from the compiler's own disassembler, sorted into
 * the classes that cycle models tell apart.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_BENCH_INSTRUCTIONS_H
#define MN_BENCH_INSTRUCTIONS_H

#include "bench/emulator.h"

#define MN_ARM_DISASSEMBLER "arm-none-eabi-objdump"

#define MN_INSTRUCTION_CLASSES(X)                               \
  X(ALU)                                                        \
  X(LOAD)                                                       \
  X(STORE)                                                      \
  X(LOAD_PAIR)                                                  \
  X(STORE_PAIR)                                                 \
  X(LOAD_MANY)                                                  \
  X(STORE_MANY)                                                 \
  X(MULTIPLY)      /* 32 bits */                                \
  X(MULTIPLY_LONG) /* 64 bits */                                \
  X(MULTIPLY_DUAL) /* two halfwords at once */                  \
  X(DIVIDE)                                                     \
  X(BRANCH)   /* low-overhead loops too */                      \
  X(EXTEND)   /* sign and zero extension, packing, reversing */ \
  X(SATURATE) /* and arithmetic on parts of a register */       \
  X(IT)                                                         \
  X(FLOAT)                                                      \
  X(FLOAT_LOAD)                                                 \
  X(FLOAT_STORE)                                                \
  X(VECTOR) /* Helium: neither memory nor multiplication */     \
  X(VECTOR_MULTIPLY)                                            \
  X(VECTOR_LOAD)                                                \
  X(VECTOR_STORE)

typedef enum mn_instruction_class {
#define X(name) MN_CLASS_##name,
  MN_INSTRUCTION_CLASSES(X)
#undef X
} mn_instruction_class;

typedef struct mn_instruction {
  uint32_t address;
  mn_instruction_class kind;
  const char *mnemonic, *operands; /* as printed: "ldr.w", "r3, [r1, #52]" and what follows */
} mn_instruction;

typedef struct mn_instructions {
  const mn_instruction *list; /* addresses ascending */
  int32_t count;
} mn_instructions;

/* Disassembles `program` of the work folder. Errors: MN_ERR_FAILED where the tool is missing. */
mn_status mn_instructions_read(mn_instructions *instructions, mn_workshop *shop,
                               const char *program) MN_MUST_CHECK;
/* The same from the tool's text, which is cut into strings where it lies. */
mn_status mn_instructions_parse(mn_instructions *instructions, mn_arena *arena, char *text,
                                mn_error *error) MN_MUST_CHECK;
/* NULL: nothing was printed for this address. */
const mn_instruction *mn_instruction_at(const mn_instructions *instructions, uint32_t address);

/* Registers that an operand text names, in order, "{r4-r7}" as its two ends; at most `most`. */
int32_t mn_registers_named(uint8_t *registers, int32_t most, const char *text, size_t length);
enum { MN_REGISTER_FLAGS = 80, MN_REGISTERS = 81 };
/* How many registers the braces of a LOAD_MANY or STORE_MANY list; 1 without braces. */
int32_t mn_registers_listed(const char *operands);

#endif
