/* bf16_native.h - rounding and products of pairs in single instructions.
 * SPDX-License-Identifier: Apache-2.0 */

MN_INLINE vh rounded(vf x) {
  return (vh)_mm512_cvtneps_pbh((__m512)x);
}
/* c + x * v, both factors of each pair; subnormal numbers count as zeros. */
MN_INLINE vf multiply_add(vf c, vu x, vu v) {
  return (vf)_mm512_dpbf16_ps((__m512)c, (__m512bh)x, (__m512bh)v);
}
