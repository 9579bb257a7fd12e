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
MN_INLINE vf root(vf x) {
  vf y;
  for (int i = 0; i < MN_LANES; i++) y[i] = __builtin_sqrtf(x[i]);
  return y;
}
