/* bf16_floats.h - the same made of floats: a bf16 shifted up is a float.
 * SPDX-License-Identifier: Apache-2.0 */

MN_INLINE vh rounded(vf x) {
  return bf16_narrowed(x);
}
/* c + x * v, both factors of each pair. */
MN_INLINE vf multiply_add(vf c, vu x, vu v) {
  const vu upper = (vu){0} + 0xffff0000u;
  c += (vf)(x & upper) * (vf)(v & upper);
  return c + (vf)(x << 16) * (vf)(v << 16);
}
