/* weights.c - prints weights.h and weights.c: every packed constant that a step reads.
 * SPDX-License-Identifier: Apache-2.0 */
#include "emit/writer.h"

static size_t element_count(const mn_constant *constant) {
  size_t bits = (size_t)mn_dtype_bits(constant->dtype);
  return bits < 8 ? constant->bytes : constant->bytes / (bits / 8);
}

static bool holds(const mn_place *places, int32_t count, int32_t index) {
  for (int32_t k = 0; k < count; k++)
    if (places[k].kind == MN_PLACE_CONSTANT && places[k].offset == index) return true;
  return false;
}

/* Packed for a kernel, or an activation that is a constant of the graph. */
static bool is_used(const mn_plan *plan, int32_t index) {
  for (int32_t i = 0; i < plan->step_count; i++)
    if (holds(plan->steps[i].constant, MN_CALL_MAX_CONSTANTS, index) ||
        holds(plan->steps[i].x, MN_CALL_MAX_INPUTS, index))
      return true;
  return false;
}

static mn_status print_declarations(mn_emitter *e) {
  mn_print(e,
           "/* weights.h - constants of the model, packed for its kernels. Not for users of "
           "model.h. */\n");
  mn_print(e, "#ifndef %s_WEIGHTS_H\n#define %s_WEIGHTS_H\n\n#include <stdint.h>\n\n", e->upper,
           e->upper);
  for (int32_t i = 0; i < e->plan->constant_count; i++) {
    const mn_constant *c = &e->plan->constants[i];
    if (!is_used(e->plan, i)) continue;
    if (mn_c_type(c->dtype) == NULL)
      return mn_error_set(e->error, MN_ERR_UNSUPPORTED, "constant %s is %s; expected whole numbers",
                          c->name, mn_dtype_text(c->dtype));
    mn_print(e, "extern const %s %s_%s[%zu];\n", mn_c_type(c->dtype), e->prefix, c->name,
             element_count(c));
  }
  mn_print(e, "\n#endif\n");
  return mn_emit_file(e, "weights.h");
}

mn_status mn_emit_weights(mn_emitter *e) {
  MN_TRY(print_declarations(e));
  mn_print(e, "/* weights.c - see weights.h. */\n#include \"weights.h\"\n\n#include \"model.h\"\n");
  for (int32_t i = 0; i < e->plan->constant_count; i++) {
    const mn_constant *c = &e->plan->constants[i];
    if (!is_used(e->plan, i)) continue;
    mn_print(e, "\n%s_SECTION_WEIGHTS _Alignas(%d) const %s %s_%s[%zu] = {\n", e->upper,
             c->dtype == MN_DTYPE_INT64 ? 8 : 4, mn_c_type(c->dtype), e->prefix, c->name,
             element_count(c));
    mn_print_elements(e, c->dtype, c->data, c->bytes);
    mn_print(e, "};\n");
  }
  return mn_emit_file(e, "weights.c");
}
