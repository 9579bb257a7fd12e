/* qemu_api.h - the part of QEMU's plugin interface that is used here, for QEMU 7 to 10.
 *
 * Declared by ourselves, so that no header package is needed. What changed between versions is
 * looked up when the plugin is loaded:
 *   1 (QEMU 7, 8)   counting adds to a plain 64-bit variable
 *   2 (QEMU 9.0)    counting adds to a cell of a "scoreboard", one per virtual CPU
 *   3 (QEMU 9.1 on) besides, the bytes of an instruction are copied out instead of pointed at
 * Source: QEMU's documentation, "QEMU TCG Plugins".
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_QEMU_API_H
#define MN_QEMU_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MN_QEMU_EXPORT __attribute__((visibility("default")))

/* ---- As QEMU has it, the same in all versions -----------------------------------------------*/
typedef uint64_t qemu_plugin_id_t;
typedef uint32_t qemu_plugin_meminfo_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;

/* Only the beginning matters; more follows. */
typedef struct qemu_info_t {
  const char *target_name;
  struct {
    int min, cur;
  } version;
} qemu_info_t;

enum { QEMU_PLUGIN_CB_NO_REGS = 0 };
enum { QEMU_PLUGIN_MEM_W = 2 };
enum { QEMU_PLUGIN_INLINE_ADD_U64 = 0 };

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *instruction);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *instruction);
bool qemu_plugin_mem_is_store(qemu_plugin_meminfo_t info);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *instruction,
                                      void (*call)(unsigned, qemu_plugin_meminfo_t, uint64_t,
                                                   void *),
                                      int flags, int rw, void *context);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, void (*call)(unsigned, void *),
                                          int flags, void *context);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
                                           void (*call)(qemu_plugin_id_t, struct qemu_plugin_tb *));
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, void (*call)(qemu_plugin_id_t, void *),
                                    void *context);

/* ---- What differs, behind one face ----------------------------------------------------------*/

/* A 64-bit counter that translated code adds to. board is NULL before version 2. */
typedef struct mn_qemu_cell {
  uint64_t *plain;
  void *board;
  size_t offset;
} mn_qemu_cell;

bool mn_qemu_api_open(const qemu_info_t *info); /* false: neither way of counting is there */
bool mn_qemu_cell_new(mn_qemu_cell *cell);
uint64_t mn_qemu_cell_read(const mn_qemu_cell *cell);
void mn_qemu_count_inline(struct qemu_plugin_insn *instruction, const mn_qemu_cell *cell);
void mn_qemu_insn_bytes(const struct qemu_plugin_insn *instruction, uint8_t *bytes, size_t size);

#endif
