/* digest.c - MD5 and SHA-256, the two sums that data sets are published with.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "micronets/fetch.h"

static uint32_t rotate_left(uint32_t x, unsigned by) {
  return x << by | x >> (32 - by);
}

static uint32_t rotate_right(uint32_t x, unsigned by) {
  return x >> by | x << (32 - by);
}

static void md5_block(uint32_t state[4], const uint8_t *p) {
  static const unsigned turns[4][4] = {
      {7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
  uint32_t word[16], a = state[0], b = state[1], c = state[2], d = state[3];
  for (int i = 0; i < 16; i++) word[i] = mn_load_u32(p + 4 * i);
  for (unsigned i = 0; i < 64; i++) {
    const unsigned round = i / 16;
    const uint32_t f = round == 0   ? (b & c) | (~b & d)
                       : round == 1 ? (d & b) | (~d & c)
                       : round == 2 ? b ^ c ^ d
                                    : c ^ (b | ~d);
    const unsigned k = round == 0 ? i : round == 1 ? 5 * i + 1 : round == 2 ? 3 * i + 5 : 7 * i;
    const uint32_t sine = (uint32_t)(fabs(sin(i + 1.0)) * 4294967296.0);
    const uint32_t turned = rotate_left(a + f + sine + word[k % 16], turns[round][i % 4]);
    a = d;
    d = c;
    c = b;
    b += turned;
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
}

static const uint32_t sha256_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static void sha256_block(uint32_t state[8], const uint8_t *p) {
  uint32_t w[64], v[8];
  for (int i = 0; i < 16; i++)
    w[i] = (uint32_t)p[4 * i] << 24 | (uint32_t)p[4 * i + 1] << 16 | (uint32_t)p[4 * i + 2] << 8 |
           (uint32_t)p[4 * i + 3];
  for (int i = 16; i < 64; i++) {
    const uint32_t x = w[i - 15], y = w[i - 2];
    w[i] = w[i - 16] + (rotate_right(x, 7) ^ rotate_right(x, 18) ^ x >> 3) + w[i - 7] +
           (rotate_right(y, 17) ^ rotate_right(y, 19) ^ y >> 10);
  }
  memcpy(v, state, sizeof v);
  for (int i = 0; i < 64; i++) {
    const uint32_t s1 = rotate_right(v[4], 6) ^ rotate_right(v[4], 11) ^ rotate_right(v[4], 25);
    const uint32_t s0 = rotate_right(v[0], 2) ^ rotate_right(v[0], 13) ^ rotate_right(v[0], 22);
    const uint32_t one = v[7] + s1 + ((v[4] & v[5]) ^ (~v[4] & v[6])) + sha256_constants[i] + w[i];
    const uint32_t two = s0 + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
    memmove(v + 1, v, 7 * sizeof *v);
    v[4] += one;
    v[0] = one + two;
  }
  for (int i = 0; i < 8; i++) state[i] += v[i];
}

static void run_block(mn_digest *digest, const uint8_t *block) {
  (digest->kind == MN_DIGEST_MD5 ? md5_block : sha256_block)(digest->state, block);
}

void mn_digest_start(mn_digest *digest, mn_digest_kind kind) {
  static const uint32_t start[2][8] = {{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0, 0, 0, 0},
                                       {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f,
                                        0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};
  *digest = (mn_digest){.kind = kind};
  memcpy(digest->state, start[kind], sizeof digest->state);
}

void mn_digest_add(mn_digest *digest, const void *data, size_t size) {
  const uint8_t *p = data;
  while (size > 0) {
    const size_t at = digest->bytes % 64, room = 64 - at, part = size < room ? size : room;
    memcpy(digest->block + at, p, part);
    digest->bytes += part;
    p += part;
    size -= part;
    if (at + part == 64) run_block(digest, digest->block);
  }
}

void mn_digest_text(char text[80], mn_digest *digest) {
  const bool md5 = digest->kind == MN_DIGEST_MD5;
  const uint64_t bits = digest->bytes * 8;
  const uint8_t one = 0x80, zero = 0;
  uint8_t length[8];
  mn_digest_add(digest, &one, 1);
  while (digest->bytes % 64 != 56) mn_digest_add(digest, &zero, 1);
  for (unsigned i = 0; i < 8; i++) length[i] = (uint8_t)(bits >> (md5 ? 8 * i : 56 - 8 * i));
  mn_digest_add(digest, length, sizeof length);
  size_t used = (size_t)snprintf(text, 80, "%s:", md5 ? "md5" : "sha256");
  for (unsigned i = 0; i < (md5 ? 16U : 32U); i++) {
    const unsigned shift = md5 ? 8 * (i % 4) : 24 - 8 * (i % 4);
    used += (size_t)snprintf(text + used, 80 - used, "%02x", digest->state[i / 4] >> shift & 255);
  }
}
