/* read.c - an untrusted .tflite becomes an mn_model, or one clear error. Order: header, buffers,
 * tensors, ops (checked one by one), then the builder (shapes, order of execution), then metadata.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tflite/read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tflite/meta.h"
#include "tflite/schema.h"

enum { MN_MAX_GRAPH_ENDS = 64 }; /* inputs or outputs of a model */

mn_status mn_reader_no_memory(mn_reader *reader) {
  return mn_flat_fail(&reader->flat, MN_ERR_MEMORY, 0, "out of memory");
}

/* ---- Operator codes ------------------------------------------------------------------------*/
typedef struct op_code {
  int32_t code, version;
  const char *custom;
} op_code;

static mn_status read_codes(mn_reader *reader, const mn_flat_table *model, op_code **codes,
                            uint32_t *count) {
  mn_flat *flat = &reader->flat;
  mn_flat_enter(flat, "operator codes");
  mn_flat_vector vector = mn_flat_vector_of(flat, model, MN_MODEL_OPERATOR_CODES, 4);
  if (flat->status != MN_OK) return flat->status;
  *count = vector.count;
  *codes = mn_arena_array(reader->arena, vector.count, sizeof **codes);
  if (*codes == NULL) return mn_reader_no_memory(reader);
  for (uint32_t i = 0; i < vector.count; i++) {
    mn_flat_table table = mn_flat_item_table(flat, vector, i);
    op_code *code = &(*codes)[i];
    /* old files have only the 8-bit field, new ones both: the larger one is meant */
    int32_t old = (int8_t)mn_flat_u8(flat, &table, MN_CODE_DEPRECATED, 0);
    int32_t now = mn_flat_i32(flat, &table, MN_CODE_BUILTIN, 0);
    code->code = old > now ? old : now;
    code->version = mn_flat_i32(flat, &table, MN_CODE_VERSION, 1);
    code->custom = mn_flat_text(flat, &table, MN_CODE_CUSTOM);
  }
  return flat->status;
}

/* ---- Ops -----------------------------------------------------------------------------------*/
static mn_status unknown_op(mn_flat *flat, size_t at, int32_t code) {
  char known[256] = "";
  for (int32_t k = 0; k < MN_OP_COUNT; k++) {
    const mn_op_info *info = mn_op_info_get((mn_op_kind)k);
    size_t used = strlen(known);
    if (info->tflite_code >= 0) {
      snprintf(known + used, sizeof known - used, "%s%s", used > 0 ? ", " : "", info->text);
    }
  }
  return mn_flat_fail(flat, MN_ERR_UNSUPPORTED, at, "op %s (code %d) is not supported; expected %s",
                      mn_tflite_op_name(code), (int)code, known);
}

static mn_status kind_of(mn_reader *reader, size_t at, const op_code *code, mn_op_kind *kind) {
  mn_flat *flat = &reader->flat;
  if (code->custom != NULL)
    return mn_flat_fail(flat, MN_ERR_UNSUPPORTED, at, "custom op \"%.60s\" is not supported",
                        code->custom);
  for (int32_t k = 0; k < MN_OP_COUNT; k++) {
    const mn_op_info *info = mn_op_info_get((mn_op_kind)k);
    if (info->tflite_code < 0 || info->tflite_code != code->code) continue;
    if (code->version < 1 || code->version > info->tflite_version)
      return mn_flat_fail(flat, MN_ERR_UNSUPPORTED, at,
                          "%s version %d; versions up to %d are supported", info->text,
                          (int)code->version, (int)info->tflite_version);
    *kind = (mn_op_kind)k;
    return MN_OK;
  }
  return unknown_op(flat, at, code->code);
}

static mn_status read_tensor_ids(mn_reader *reader, const mn_flat_table *table, int32_t slot,
                                 mn_tensor_id *ids, int32_t *count, int32_t most, bool optional) {
  mn_flat *flat = &reader->flat;
  mn_flat_vector vector = mn_flat_vector_of(flat, table, slot, 4);
  if (flat->status != MN_OK) return flat->status;
  if (vector.count > (uint32_t)most)
    return mn_flat_fail(flat, MN_ERR_UNSUPPORTED, table->at, "%u tensors; at most %d are supported",
                        vector.count, (int)most);
  for (uint32_t i = 0; i < vector.count; i++) {
    ids[i] = mn_flat_item_i32(flat, vector, i);
    if (ids[i] >= reader->tensor_count || ids[i] < (optional ? -1 : 0))
      return mn_flat_fail(flat, MN_ERR_FORMAT, vector.at + 4 * (size_t)i,
                          "tensor %d; the file has %d", (int)ids[i], (int)reader->tensor_count);
  }
  *count = (int32_t)vector.count;
  return MN_OK;
}

static mn_status read_options(mn_reader *reader, const mn_flat_table *table, mn_op *op) {
  mn_flat *flat = &reader->flat;
  const mn_op_format *format = mn_op_format_of(op->kind);
  if (format->options_type == 0) return flat->status;
  uint8_t type = mn_flat_u8(flat, table, MN_OPERATOR_OPTIONS_TYPE, 0);
  mn_flat_table options = mn_flat_child(flat, table, MN_OPERATOR_OPTIONS);
  if (flat->status != MN_OK) return flat->status;
  if (type != format->options_type || options.at == 0)
    return mn_flat_fail(flat, MN_ERR_FORMAT, table->at, "options of type %u; expected type %u",
                        type, format->options_type);
  for (const mn_option_field *field = format->fields; field->bytes != 0; field++) {
    uint32_t absent = (uint32_t)field->absent;
    uint32_t value = field->bytes == 1 ? mn_flat_u8(flat, &options, field->slot, (uint8_t)absent)
                                       : mn_flat_u32(flat, &options, field->slot, absent);
    if (flat->status != MN_OK) return flat->status;
    if (!mn_option_set(op, field->option, value))
      return mn_flat_fail(flat, MN_ERR_UNSUPPORTED, options.at,
                          "option field %u has value %u, which is not supported", field->slot,
                          value);
  }
  return MN_OK;
}

/* What no option says: kernel size is the weights' for layers; only depthwise multiplies channels. */
static void complete_window(mn_op *op, const mn_tensor *tensors) {
  if (op->window.stride_h > 0 && op->window.multiplier == 0) op->window.multiplier = 1;
  bool layer = op->kind == MN_OP_CONV_2D || op->kind == MN_OP_DEPTHWISE_CONV_2D;
  if (!layer || op->inputs < 2 || op->input[1] < 0 || tensors[op->input[1]].shape.rank != 4) return;
  op->window.kernel_h = tensors[op->input[1]].shape.dim[1];
  op->window.kernel_w = tensors[op->input[1]].shape.dim[2];
}

static mn_status read_op(mn_reader *reader, const mn_flat_table *table, int32_t index,
                         const op_code *codes, uint32_t code_count) {
  mn_flat *flat = &reader->flat;
  mn_op *op = &reader->ops[index];
  uint32_t code = mn_flat_u32(flat, table, MN_OPERATOR_CODE, 0);
  if (flat->status != MN_OK) return flat->status;
  if (code >= code_count)
    return mn_flat_fail(flat, MN_ERR_FORMAT, table->at, "operator code %u; the file has %u", code,
                        code_count);
  *op = (mn_op){.origin = index, .decision = -1};
  MN_TRY(kind_of(reader, table->at, &codes[code], &op->kind));
  mn_flat_enter(flat, "op %d, %s", (int)index, mn_op_info_get(op->kind)->text);
  for (int32_t i = 0; i < MN_OP_MAX_INPUTS; i++) op->input[i] = -1;
  MN_TRY(read_tensor_ids(reader, table, MN_OPERATOR_INPUTS, op->input, &op->inputs,
                         MN_OP_MAX_INPUTS, true));
  int32_t outputs = 0;
  MN_TRY(read_tensor_ids(reader, table, MN_OPERATOR_OUTPUTS, &op->output, &outputs, 1, false));
  if (outputs != 1) return mn_flat_fail(flat, MN_ERR_FORMAT, table->at, "no output; expected one");
  MN_TRY(read_options(reader, table, op));
  complete_window(op, reader->tensors);
  reader->op_at[index] = table->at;
  return MN_OK;
}

static mn_status read_ops(mn_reader *reader, const mn_flat_table *subgraph, const op_code *codes,
                          uint32_t code_count) {
  mn_flat *flat = &reader->flat;
  mn_flat_enter(flat, "ops");
  mn_flat_vector ops = mn_flat_vector_of(flat, subgraph, MN_SUBGRAPH_OPERATORS, 4);
  if (flat->status != MN_OK) return flat->status;
  reader->ops = mn_arena_array(reader->arena, ops.count, sizeof *reader->ops);
  reader->op_at = mn_arena_array(reader->arena, ops.count, sizeof *reader->op_at);
  if (reader->ops == NULL || reader->op_at == NULL) return mn_reader_no_memory(reader);
  reader->op_count = (int32_t)ops.count;
  for (uint32_t i = 0; i < ops.count; i++) {
    mn_flat_enter(flat, "op %u", i);
    mn_flat_table table = mn_flat_item_table(flat, ops, i);
    if (flat->status != MN_OK) return flat->status;
    MN_TRY(read_op(reader, &table, (int32_t)i, codes, code_count));
  }
  return MN_OK;
}

/* ---- Names ---------------------------------------------------------------------------------
 * An op is called as its output tensor. Constants are called after their op; what a file calls them
 * is kept, but never written. */
static mn_status name_tensor(mn_reader *reader, mn_tensor_id id, const char *owner,
                             const char *role) {
  mn_tensor *tensor = &reader->tensors[id];
  if (tensor->name != NULL) return MN_OK;
  tensor->name = mn_arena_text(reader->arena, "%s.%s", owner, role);
  return tensor->name != NULL ? MN_OK : mn_reader_no_memory(reader);
}

static mn_status name_op(mn_reader *reader, mn_op *op) {
  mn_tensor *output = &reader->tensors[op->output];
  if (output->name == NULL) output->name = mn_arena_text(reader->arena, "op%d", (int)op->origin);
  if (output->name == NULL) return mn_reader_no_memory(reader);
  op->name = output->name;
  const mn_op_format *format = mn_op_format_of(op->kind);
  for (int32_t i = 0; i < op->inputs; i++) {
    if (op->input[i] >= 0)
      MN_TRY(name_tensor(reader, op->input[i], op->name, mn_role_text(format->role[i])));
  }
  return MN_OK;
}

static mn_status name_all(mn_reader *reader) {
  for (int32_t i = 0; i < reader->input_count; i++) {
    mn_tensor *input = &reader->tensors[reader->inputs[i]];
    if (input->name == NULL)
      input->name = i == 0 ? "input" : mn_arena_text(reader->arena, "input%d", (int)i);
    if (input->name == NULL) return mn_reader_no_memory(reader);
  }
  for (int32_t i = 0; i < reader->op_count; i++) MN_TRY(name_op(reader, &reader->ops[i]));
  return MN_OK;
}

/* ---- The graph -----------------------------------------------------------------------------*/
static mn_status check_ops(mn_reader *reader) {
  for (int32_t i = 0; i < reader->op_count; i++) {
    const mn_op *op = &reader->ops[i];
    mn_flat_enter(&reader->flat, "op %d, %s \"%.60s\"", (int)i, mn_op_info_get(op->kind)->text,
                  op->name);
    MN_TRY(mn_check_op(&reader->flat, reader->op_at[i], op, reader->tensors));
  }
  return MN_OK;
}

static mn_status check_inputs(mn_reader *reader) {
  for (int32_t i = 0; i < reader->input_count; i++) {
    const mn_tensor *tensor = &reader->tensors[reader->inputs[i]];
    mn_flat_enter(&reader->flat, "input %d, tensor \"%.60s\"", (int)i, tensor->name);
    bool number = tensor->dtype == MN_DTYPE_INT8 || tensor->dtype == MN_DTYPE_INT16 ||
                  tensor->dtype == MN_DTYPE_UINT8; /* which only QUANTIZE may read */
    if (!number)
      return mn_flat_fail(
          &reader->flat, MN_ERR_UNSUPPORTED, 0,
          "is %s; expected int8 or int16: quantize the model fully, its input and output too",
          mn_dtype_text(tensor->dtype));
    if (tensor->constant || tensor->variable || tensor->quantization.count != 1)
      return mn_flat_fail(&reader->flat, MN_ERR_FORMAT, 0,
                          "is constant, a variable or without a scale; expected a quantized input");
  }
  return MN_OK;
}

/* Marks the tensors that anything uses: the others are left behind. */
static void mark_used(const mn_reader *reader, mn_tensor_id *id) {
  for (int32_t t = 0; t < reader->tensor_count; t++) id[t] = -1;
  for (int32_t i = 0; i < reader->input_count; i++) id[reader->inputs[i]] = 0;
  for (int32_t i = 0; i < reader->output_count; i++) id[reader->outputs[i]] = 0;
  for (int32_t o = 0; o < reader->op_count; o++) {
    const mn_op *op = &reader->ops[o];
    id[op->output] = 0;
    for (int32_t i = 0; i < op->inputs; i++) {
      if (op->input[i] >= 0) id[op->input[i]] = 0;
    }
  }
}

static mn_status add_tensors(mn_reader *reader, mn_builder *builder, mn_tensor_id *id) {
  mark_used(reader, id);
  for (int32_t t = 0; t < reader->tensor_count; t++) {
    if (id[t] < 0) continue;
    mn_tensor tensor = reader->tensors[t];
    if (tensor.name == NULL)
      tensor.name = "output"; /* a graph output that nothing makes: refused below */
    MN_TRY(mn_builder_tensor(builder, &id[t], &tensor, reader->flat.error));
  }
  return MN_OK;
}

static mn_status add_ops(mn_reader *reader, mn_builder *builder, const mn_tensor_id *id) {
  for (int32_t o = 0; o < reader->op_count; o++) {
    mn_op op = reader->ops[o];
    op.output = id[op.output];
    for (int32_t i = 0; i < op.inputs; i++) op.input[i] = op.input[i] >= 0 ? id[op.input[i]] : -1;
    MN_TRY(mn_builder_add_checked(builder, &op, reader->flat.error));
  }
  for (int32_t i = 0; i < reader->input_count; i++) reader->inputs[i] = id[reader->inputs[i]];
  for (int32_t i = 0; i < reader->output_count; i++) reader->outputs[i] = id[reader->outputs[i]];
  return MN_OK;
}

static mn_status build(mn_reader *reader, const mn_graph **graph) {
  mn_builder *builder = NULL;
  mn_tensor_id *id = mn_arena_array(reader->arena, (size_t)reader->tensor_count + 1, sizeof *id);
  if (id == NULL || mn_builder_create(&builder, reader->arena) != MN_OK)
    return mn_reader_no_memory(reader);
  MN_TRY(add_tensors(reader, builder, id));
  MN_TRY(add_ops(reader, builder, id));
  return mn_builder_finish(graph, builder, reader->inputs, reader->input_count, reader->outputs,
                           reader->output_count, reader->flat.error);
}

static mn_status read_graph(mn_reader *reader, const mn_flat_table *model, const mn_graph **graph) {
  mn_flat *flat = &reader->flat;
  op_code *codes = NULL;
  uint32_t code_count = 0;
  MN_TRY(mn_read_buffers(reader, model));
  MN_TRY(read_codes(reader, model, &codes, &code_count));
  mn_flat_enter(flat, "subgraphs");
  mn_flat_vector subgraphs = mn_flat_vector_of(flat, model, MN_MODEL_SUBGRAPHS, 4);
  if (flat->status == MN_OK && subgraphs.count != 1)
    return mn_flat_fail(flat, MN_ERR_UNSUPPORTED, model->at,
                        "%u subgraphs; expected one, without control flow", subgraphs.count);
  if (flat->status != MN_OK) return flat->status;
  mn_flat_table subgraph = mn_flat_item_table(flat, subgraphs, 0);
  MN_TRY(mn_read_tensors(reader, &subgraph));
  mn_flat_enter(flat, "inputs and outputs");
  MN_TRY(read_tensor_ids(reader, &subgraph, MN_SUBGRAPH_INPUTS, reader->inputs,
                         &reader->input_count, MN_MAX_GRAPH_ENDS, false));
  MN_TRY(read_tensor_ids(reader, &subgraph, MN_SUBGRAPH_OUTPUTS, reader->outputs,
                         &reader->output_count, MN_MAX_GRAPH_ENDS, false));
  MN_TRY(read_ops(reader, &subgraph, codes, code_count));
  if (reader->op_count == 0)
    return mn_flat_fail(flat, MN_ERR_FORMAT, subgraph.at, "no ops; expected at least one");
  MN_TRY(name_all(reader));
  MN_TRY(check_inputs(reader));
  MN_TRY(check_ops(reader));
  return build(reader, graph);
}

/* ---- Metadata ------------------------------------------------------------------------------*/
/* What the metadata promises must fit the graph that it describes. */
static mn_status check_meta(mn_reader *reader, const mn_model *model) {
  const mn_graph *graph = model->graph;
  const mn_frontend *frontend = &model->frontend;
  int64_t outputs = mn_shape_elements(&graph->tensors[graph->outputs[0]].shape);
  int64_t inputs = mn_shape_elements(&graph->tensors[graph->inputs[0]].shape);
  int64_t features = (int64_t)frontend->height * frontend->width * frontend->channels;
  mn_flat_enter(&reader->flat, "metadata \"%s\"", MN_TFLITE_METADATA);
  /* Of anomaly detection the labels are machines; an auto-encoder has other outputs. */
  bool machines = model->score_kind != NULL;
  if (model->label_count > 0 && model->label_count != outputs && !machines)
    return mn_flat_fail(&reader->flat, MN_ERR_FORMAT, 0, "%d labels; the output has %lld values",
                        (int)model->label_count, (long long)outputs);
  if (frontend->kind != MN_FRONTEND_NONE && features != inputs)
    return mn_flat_fail(&reader->flat, MN_ERR_FORMAT, 0,
                        "front end of %dx%dx%d values; the input has %lld", (int)frontend->height,
                        (int)frontend->width, (int)frontend->channels, (long long)inputs);
  return MN_OK;
}

static mn_status read_entry(mn_reader *reader, const mn_flat_table *table, mn_model *model,
                            mn_metadata *foreign) {
  mn_flat *flat = &reader->flat;
  const char *name = mn_flat_text(flat, table, MN_METADATA_NAME);
  uint32_t buffer = mn_flat_u32(flat, table, MN_METADATA_BUFFER, 0);
  if (flat->status != MN_OK) return flat->status;
  if (buffer >= reader->buffer_count)
    return mn_flat_fail(flat, MN_ERR_FORMAT, table->at, "buffer %u; the file has %u", buffer,
                        reader->buffer_count);
  if (name != NULL && strcmp(name, MN_TFLITE_METADATA) == 0) {
    if (mn_meta_needed(model))
      return mn_flat_fail(flat, MN_ERR_FORMAT, table->at, "a second entry \"%s\"; expected one",
                          MN_TFLITE_METADATA);
    return mn_meta_parse(model, reader->arena, reader->buffers[buffer], flat->error);
  }
  foreign[model->metadata_count++] =
      (mn_metadata){name != NULL ? name : "", reader->buffers[buffer]};
  return MN_OK;
}

static mn_status read_metadata(mn_reader *reader, const mn_flat_table *table, mn_model *model) {
  mn_flat *flat = &reader->flat;
  mn_flat_enter(flat, "metadata");
  model->description = mn_flat_text(flat, table, MN_MODEL_DESCRIPTION);
  mn_flat_vector entries = mn_flat_vector_of(flat, table, MN_MODEL_METADATA, 4);
  if (flat->status != MN_OK) return flat->status;
  mn_metadata *foreign = mn_arena_array(reader->arena, (size_t)entries.count + 1, sizeof *foreign);
  if (foreign == NULL) return mn_reader_no_memory(reader);
  for (uint32_t i = 0; i < entries.count; i++) {
    mn_flat_enter(flat, "metadata %u", i);
    mn_flat_table entry = mn_flat_item_table(flat, entries, i);
    MN_TRY(read_entry(reader, &entry, model, foreign));
  }
  model->metadata = foreign;
  return check_meta(reader, model);
}

mn_status mn_tflite_read(mn_model *model, mn_arena *arena, mn_bytes file, mn_error *error) {
  mn_reader reader = {.arena = arena};
  mn_flat_table root = mn_flat_open(&reader.flat, file, MN_TFLITE_IDENTIFIER, error);
  uint32_t version = mn_flat_u32(&reader.flat, &root, MN_MODEL_VERSION, 0);
  if (reader.flat.status != MN_OK) return reader.flat.status;
  if (version != MN_TFLITE_SCHEMA_VERSION)
    return mn_flat_fail(&reader.flat, MN_ERR_UNSUPPORTED, root.at, "schema version %u; expected %d",
                        version, MN_TFLITE_SCHEMA_VERSION);
  reader.inputs = mn_arena_array(arena, 2 * MN_MAX_GRAPH_ENDS, sizeof *reader.inputs);
  if (reader.inputs == NULL) return mn_reader_no_memory(&reader);
  reader.outputs = reader.inputs + MN_MAX_GRAPH_ENDS;
  mn_model made = {0};
  MN_TRY(read_graph(&reader, &root, &made.graph));
  MN_TRY(read_metadata(&reader, &root, &made));
  *model = made;
  return MN_OK;
}
