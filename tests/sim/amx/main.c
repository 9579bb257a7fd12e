/* main.c - the kernels in tiles of AMX beside those in vectors, on an emulated processor without an operating system.
 * Products of bytes must be the same to the bit; those of bf16 too where every sum is exact, else as near to doubles
 * as sums of floats are.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "train/half.h"
#include "train/integer.h"
#include "train/lanes/amx.h"

enum { LANES = 16, COUNT = 1 << 20, DEBUG_PORT = 0xe9, POWER_PORT = 0x8900 };

extern const mn_integer mn_lane_integer_avx512amx, mn_lane_integer_avx512vnni;
extern const mn_half mn_lane_bf16_table_avx512amx, mn_lane_bf16_table_avx512bf16;
void check_main(void);

/* ---- What there is instead of a C library -------------------------------------------------------------*/
static void port_write(uint16_t port, char value) {
  __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}
static void print(const char *text) {
  while (*text != 0) port_write(DEBUG_PORT, *text++);
}
static void print_number(int64_t number) {
  char text[24];
  int at = sizeof text - 1;
  uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;
  text[at] = 0;
  do text[--at] = (char)('0' + rest % 10);
  while ((rest /= 10) != 0);
  if (number < 0) text[--at] = '-';
  print(text + at);
}
void *memcpy(void *restrict to, const void *restrict from, size_t count) {
  void *at = to;
  __asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(count) : : "memory");
  return to;
}
void *memset(void *to, int value, size_t count) {
  void *at = to;
  __asm__ volatile("rep stosb" : "+D"(at), "+c"(count) : "a"(value) : "memory");
  return to;
}
int memcmp(const void *a, const void *b, size_t count) {
  const volatile uint8_t *x = a, *y = b;
  for (size_t i = 0; i < count; i++)
    if (x[i] != y[i]) return x[i] - y[i];
  return 0;
}

static uint64_t seed = 88172645463325252u;
static int32_t draw(int32_t low, int32_t high) {
  seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
  return low + (int32_t)((seed >> 20) % (uint64_t)(high - low + 1));
}

/* ---- Findings -----------------------------------------------------------------------------------------*/
static int32_t checks, failures;

static void check(bool good, const char *what, const int32_t *shape, int32_t numbers) {
  checks++;
  if (good) return;
  failures++;
  print("FAILED: ");
  print(what);
  for (int32_t i = 0; i < numbers; i++) {
    print(" ");
    print_number(shape[i]);
  }
  print("\n");
}

/* Every one of n numbers is as near as rounding leaves it. */
static bool all_near(const float *got, const float *expected, const float *size, int32_t n) {
  for (int32_t i = 0; i < n; i++) {
    const float apart = got[i] - expected[i];
    if (!((apart < 0 ? -apart : apart) <= 1e-5f * (1 + size[i]))) return false;
  }
  return true;
}

static float c[2][COUNT], sum[2][2][1024];

static void results_clear(int32_t count) {
  for (int i = 0; i < 2; i++) memset(c[i], 0, (size_t)count * sizeof *c[i]);
  memset(sum, 0, sizeof sum);
}
static bool results_same(int32_t count) {
  return memcmp(c[0], c[1], (size_t)count * sizeof *c[0]) == 0;
}
static bool sums_near(int32_t n) {
  return all_near(sum[0][0], sum[1][0], sum[1][1], n) &&
         all_near(sum[0][1], sum[1][1], sum[1][1], n);
}

/* ---- Bytes --------------------------------------------------------------------------------------------*/
static uint8_t x[COUNT];
static int8_t weights[COUNT];
static int32_t row_at[256], line_at[8], start[1024];
static float scale[1024];
static int32_t least_weight = -127;

/* Bochs 3.0 and 3.1 multiply by the second factor as if it had no sign. There, weights have none. */
static void check_instruction(void) {
  for (int i = 0; i < AMX_ROWS * AMX_BYTES; i++) x[i] = 1, weights[i] = -1;
  int32_t *const sums = start;
  amx_begin();
  _tile_zero(0);
  amx_stored();
  _tile_loadd(1, x, AMX_BYTES);
  _tile_loadd(2, weights, AMX_BYTES);
  _tile_dpbusd(0, 1, 2);
  _tile_stored(0, sums, AMX_BYTES);
  amx_end();
  if (sums[0] == -AMX_BYTES) return;
  least_weight = 0;
  print("this emulator's TDPBUSD has no signed factor: weights are 0 to 127\n");
}

static void check_bytes(int32_t rows, int32_t lines, int32_t groups, int32_t vectors, bool even) {
  const int32_t n = vectors * LANES, line = 4 * groups + 12, row = even ? 4 * groups : 36;
  const int32_t shape[] = {rows, lines, groups, vectors, even};
  for (int32_t l = 0; l < lines; l++) line_at[l] = l * line;
  for (int32_t r = 0; r < rows; r++) row_at[r] = r * row + (even ? 0 : r / 5 * 52);
  const int32_t bytes = row_at[rows - 1] + lines * line;
  for (int32_t i = 0; i < bytes; i++) x[i] = (uint8_t)draw(0, 255);
  for (int32_t i = 0; i < lines * groups * 4 * n; i++) weights[i] = (int8_t)draw(least_weight, 127);
  for (int32_t j = 0; j < n; j++)
    start[j] = draw(-100000, 100000), scale[j] = 1e-7f * (float)draw(1, 999);
  results_clear(rows * (n + LANES));
  mn_integer_product p = {.x = x,
                          .row_at = row_at,
                          .line_at = line_at,
                          .rows = rows,
                          .lines = lines,
                          .groups = groups,
                          .n = n,
                          .weights = weights,
                          .start = start,
                          .scale = scale,
                          .z_row = n + LANES};
  const mn_integer *const of[2] = {&mn_lane_integer_avx512amx, &mn_lane_integer_avx512vnni};
  for (int i = 0; i < 2; i++) {
    p.z = c[i], p.sum = sum[i][0], p.square = sum[i][1];
    of[i]->product(&p);
  }
  check(results_same(rows * (n + LANES)), "bytes", shape, 5);
  check(sums_near(n), "sums of bytes", shape, 5);
}

static void check_all_bytes(void) {
  static const int32_t groups[] = {4, 15, 16, 17, 32, 69};
  for (int i = 0; i < 6; i++)
    for (int32_t vectors = 1; vectors <= 9; vectors += i % 2 == 0 ? 1 : 2)
      check_bytes(vectors == 5 ? 15 : 40 + i, i % 3 + 1, groups[i], vectors,
                  (vectors + i) % 2 == 0);
  check_bytes(168, 1, 69, 18, true);
  check_bytes(16, 3, 48, 4, false);
}

/* ---- bf16 ---------------------------------------------------------------------------------------------*/
static uint32_t a[COUNT], b[COUNT];

/* Small whole numbers, whose sums are exact in any order, or any that bf16 has up to 2. */
static uint16_t factor(bool whole) {
  const float number = whole ? (float)draw(-4, 4) : (float)draw(-100000, 100000) * 2e-5f;
  return mn_bf16_round(number);
}
static double factor_of(uint32_t pair, int half) {
  const union {
    uint32_t bits;
    float value;
  } u = {half == 0 ? pair << 16 : pair & 0xffff0000u};
  return (double)u.value;
}

/* Into c[1] what doubles make of it, into `size` the sum of magnitudes. */
static float size[COUNT];
static void in_doubles(const mn_gemm *g) {
  for (int32_t i = 0; i < g->m; i++)
    for (int32_t j = 0; j < g->n; j++) {
      double total = 0, all = 0;
      for (int32_t k = 0; k < 2 * g->k; k++) {
        const double part = factor_of(a[i * g->a_row + k / 2 * g->a_column], k % 2) *
                            factor_of(b[k / 2 * g->b_row + j], k % 2);
        total += part, all += part < 0 ? -part : part;
      }
      c[1][i * g->c_row + j] = (float)total, size[i * g->c_row + j] = (float)all;
    }
}

/* form: of C. along: A is woven rows, the product runs along them. packed: B lies in panels. */
static void check_bf16(int32_t m, int32_t k, int32_t vectors, mn_form form, bool along, bool packed,
                       bool whole) {
  const int32_t n = vectors * LANES, shape[] = {m, k, vectors, (int32_t)form, along, packed, whole};
  for (int32_t i = 0; i < m * (k + 1); i++) a[i] = factor(whole) | (uint32_t)factor(whole) << 16;
  for (int32_t i = 0; i < k * n; i++) b[i] = factor(whole) | (uint32_t)factor(whole) << 16;
  results_clear(m * n);
  mn_gemm g = {.m = m,
               .n = n,
               .k = k,
               .a = a,
               .a_row = along ? 1 : k + 1,
               .a_column = along ? m + 1 : 1,
               .b = b,
               .b_row = packed ? 0 : n,
               .c_row = n,
               .form = form,
               .accumulate = form == MN_FORM_FLOAT && along,
               .scale = 1};
  const mn_half *const of[2] = {&mn_lane_bf16_table_avx512amx, &mn_lane_bf16_table_avx512bf16};
  for (int i = 0; i < (whole ? 2 : 1); i++) {
    g.c = c[i], g.sum = sum[i][0], g.square = sum[i][1];
    of[i]->gemm(&g);
  }
  if (whole) {
    check(results_same(m * n), "bf16", shape, 7);
    check(sums_near(n), "sums of bf16", shape, 7);
    return;
  }
  in_doubles(&g);
  check(all_near(c[0], c[1], size, m * n), "bf16 beside doubles", shape, 7);
}

/* No rows are left for a tile of one: there compilers multiply by what lies in memory, and Bochs 3.0 reads VDPBF16PS's
 * operand from another place than its compressed displacement says. */
static void check_all_bf16(void) {
  static const int32_t depths[] = {1, 15, 16, 33, 96, 138}, rows[] = {64, 30, 70, 76, 82, 88};
  static const mn_form forms[] = {MN_FORM_FLOAT, MN_FORM_HALF, MN_FORM_BF16};
  for (int i = 0; i < 6; i++)
    for (int32_t vectors = 1; vectors <= 9; vectors += i % 2 == 0 ? 1 : 3)
      for (int along = 0; along < 2; along++)
        check_bf16(rows[i], depths[i], vectors, forms[vectors % 3], along != 0, along == 0, true);
  for (int i = 0; i < 6; i++) check_bf16(70, depths[i], 3, MN_FORM_FLOAT, i % 2 == 0, false, false);
}

void check_main(void) {
  check_instruction();
  check_all_bytes();
  check_all_bf16();
  print_number(checks);
  print(" checks, ");
  print_number(failures);
  print(" failures\n");
  for (const char *off = "Shutdown"; *off != 0; off++) port_write(POWER_PORT, *off);
}
