/* map.c - where everything lies in flash and SRAM, as the paper's figure 2 draws it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "run/stage.h"

void mn_stage_use_file(mn_price *price, int64_t bytes) {
  price->tflm.model_bytes = bytes;
  if (price->runtime != MN_RUNTIME_TFLM) return;
  price->flash.total += bytes - price->flash.weights;
  price->flash.weights = bytes;
}

/* Bytes of weights and biases as they stand in the file. */
static int64_t parameter_bytes(const mn_graph *graph) {
  int64_t bytes = 0;
  for (int32_t i = 0; i < graph->op_count; i++)
    for (int32_t k = 1; k <= 2 && k < graph->ops[i].inputs; k++) {
      bool has = k == 1 ? mn_op_weights(graph, i) > 0 : mn_op_biases(graph, i) > 0;
      mn_tensor_id id = graph->ops[i].input[k];
      if (has && id >= 0) bytes += (int64_t)mn_tensor_bytes(&graph->tensors[id]);
    }
  return bytes;
}

/* The interpreter: its state and the deepest stack recorded, its code and that of its kernels. Feeding
 * sound is ours under either runtime. */
static void put_tflm(json_t *sram, json_t *flash, const mn_price *price, const mn_graph *graph) {
  int64_t parameters = parameter_bytes(graph);
  mn_json_put_int(sram, "intermediate_tensors", price->tflm.head);
  mn_json_put_known_int(sram, "persistent_buffers_modelled", price->tflm.tail);
  mn_json_put_int(sram, "front_end", price->sram.features);
  mn_json_put_int(sram, "stack_modelled", price->sram.stack);
  mn_json_put_int(flash, "weights_biases", parameters);
  mn_json_put_int(flash, "quantization_graph", price->flash.weights - parameters);
  mn_json_put_int(flash, "front_end_tables", price->flash.constants);
  mn_json_put_int(flash, "runtime_modelled", price->flash.code);
}

static void put_own(json_t *sram, json_t *flash, const mn_price *price) {
  mn_json_put_int(sram, "intermediate_tensors", price->sram.arena);
  mn_json_put_int(sram, "persistent_buffers", price->sram.data);
  mn_json_put_int(sram, "front_end", price->sram.features);
  mn_json_put_int(sram, "stack", price->sram.stack);
  mn_json_put_int(flash, "weights_biases", price->flash.weights);
  mn_json_put_int(flash, "quantization_graph", price->flash.constants);
  mn_json_put_int(flash, "code", price->flash.code);
}

void mn_stage_put_map(json_t *object, const mn_price *price, const mn_graph *graph,
                      const mn_target *target) {
  bool known = price->flash.total >= 0 && price->sram.total >= 0;
  if (!known) {
    mn_json_put_text(object, "map", NULL);
    return;
  }
  json_t *map = mn_json_object(), *sram = mn_json_object(), *flash = mn_json_object();
  if (price->runtime == MN_RUNTIME_TFLM)
    put_tflm(sram, flash, price, graph);
  else
    put_own(sram, flash, price);
  if (target != NULL) {
    mn_json_put_int(sram, "free", target->sram_bytes - price->sram.total);
    mn_json_put_int(flash, "free", target->flash_bytes - price->flash.total);
  }
  mn_json_put(map, "sram", sram);
  mn_json_put(map, "flash", flash);
  mn_json_put(object, "map", map);
}
