/* vector_portable.h - selections on any machine: comparisons give masks of all ones.
 * SPDX-License-Identifier: Apache-2.0 */

/* x where a > b, else 0. */
MN_INLINE vf where_greater(vf a, vf b, vf x) {
  return (vf)((vi)x & (a > b));
}
/* x where low < a < high, else 0. */
MN_INLINE vf where_inside(vf a, vf low, vf high, vf x) {
  return (vf)((vi)x & (a > low) & (a < high));
}
MN_INLINE vf greater(vf a, vf b) {
  vi m = a > b;
  return (vf)(((vi)a & m) | ((vi)b & ~m));
}
MN_INLINE vf lesser(vf a, vf b) {
  vi m = a < b;
  return (vf)(((vi)a & m) | ((vi)b & ~m));
}
/* The exponent of a half float is 5 bits and its bias 15: shifted to their places in a float, numbers are 2^112
 * too small, also those without leading one. */
MN_INLINE vf half_widened(vh x) {
  const vi bits = __builtin_convertvector(x, vi), magnitude = (bits & 0x7fff) << 13;
  const vf scaled = (vf)magnitude * 0x1p112f;
  const vi special = (magnitude >= 0x7c00 << 13) & 0x7f800000;
  return (vf)((vi)scaled | special | (bits & 0x8000) << 16);
}
/* Below 2^-14 the last place is 2^-24, which is that of floats at 1/2. */
MN_INLINE vh half_narrowed(vf x) {
  const vi bits = (vi)x, magnitude = bits & 0x7fffffff;
  const vi small = (vi)((vf)magnitude + 0.5f) - 0x3f000000;
  const vi usual = (magnitude + 0xfff + (magnitude >> 13 & 1) - (112 << 23)) >> 13;
  const vi is_small = magnitude < 0x38800000, is_large = magnitude >= 0x477ff000;
  const vi large = 0x7c00 | ((magnitude > 0x7f800000) & 0x200);
  const vi finite = (small & is_small) | (usual & ~is_small);
  const vi half = (large & is_large) | (finite & ~is_large) | (bits >> 16 & 0x8000);
  return __builtin_convertvector(half, vh);
}
MN_INLINE vf root(vf x) {
  vf y;
  for (int i = 0; i < MN_LANES; i++) y[i] = __builtin_sqrtf(x[i]);
  return y;
}
