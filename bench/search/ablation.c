/* ablation.c - one search with one part of the method changed: NAME.net, its supernet, and a line of
 * figures. ablation.sh runs the set and trains what is found.
 * ablation SPACE.net DATA CLASSES BUDGET TARGET EPOCHS SEED VARIANT FOLDER
 *   VARIANT  base      the search as it is
 *            unsettled the architecture is searched to the end
 *            joint     weights and architecture on the same batches, all of the training split
 *            t1        temperature 1 throughout
 *            linear=L  penalty L * cost / limit, L fixed, instead of hinges and dual ascent
 *            paper     SRAM term of the paper
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "micronets/search.h"

enum { ARGUMENTS = 10 };

static bool apply(mn_search_config *config, const char *variant) {
  if (strcmp(variant, "base") == 0) return true;
  if (strcmp(variant, "joint") == 0) {
    config->joint = true;
    config->epochs = (config->epochs + 1) / 2; /* as many steps: an epoch is twice as long */
  } else if (strcmp(variant, "unsettled") == 0) {
    config->unsettled = true;
  } else if (strcmp(variant, "t1") == 0) {
    config->temperature_start = config->temperature_end = 1;
  } else if (strncmp(variant, "linear=", 7) == 0) {
    config->linear_penalty = atof(variant + 7);
  } else if (strcmp(variant, "paper") == 0) {
    config->paper_price = true;
  } else {
    return false;
  }
  return true;
}

/* What the search expected of its own network at the last step: before any repair. */
typedef struct watch {
  double ops, sram;
} watch;

static void keep_last(void *context, const mn_progress *progress) {
  watch *w = context;
  if (strcmp(progress->stage, "search") != 0) return;
  w->ops = progress->value[1];
  w->sram = progress->value[2];
}

static mn_status open_net(mn_net **net, mn_arena *arena, const char *path,
                          const mn_dataset *dataset, mn_error *error) {
  mn_bytes text = {0};
  char classes[16];
  snprintf(classes, sizeof classes, "%d", (int)mn_dataset_classes(dataset));
  MN_TRY(mn_file_read(&text, arena, path, 0, error));
  MN_TRY(mn_net_parse(net, arena, path, text, error));
  return mn_net_set(*net, "classes", classes, error);
}

static mn_status write_network(const mn_net *net, const mn_pick *pick, const char *folder,
                               mn_error *error) {
  char path[1024];
  mn_buffer text = {0};
  mn_sink sink = mn_buffer_sink(&text);
  snprintf(path, sizeof path, "%s/arch.net", folder);
  mn_status status = mn_net_print(&sink, net, pick);
  if (status == MN_OK) status = mn_file_write(path, text.data, text.size, error);
  mn_buffer_free(&text);
  return status;
}

static mn_status search(mn_arena *arena, mn_dataset *dataset, mn_pool *pool, char **argv,
                        mn_error *error) {
  char supernet[1024];
  mn_net *net = NULL;
  mn_search_result found;
  watch seen = {0};
  mn_monitor monitor = {.progress = keep_last, .context = &seen};
  mn_search_config config = {.epochs = atoi(argv[6]),
                             .warmup_epochs = -1,
                             .seed = (uint64_t)atoll(argv[7]),
                             .supernet_out = supernet,
                             .pool = pool,
                             .monitor = &monitor};
  if (!apply(&config, argv[8]))
    return mn_error_set(error, MN_ERR_USAGE, "no variant \"%s\"", argv[8]);
  snprintf(supernet, sizeof supernet, "%s/supernet.ckpt", argv[9]);
  MN_TRY(mn_budget_parse(&config.budget, argv[4], error));
  MN_TRY(mn_target_read(&config.target, arena, argv[5], error));
  MN_TRY(open_net(&net, arena, argv[1], dataset, error));
  MN_TRY(mn_folder_make(argv[9], error));
  MN_TRY(mn_search(&found, arena, net, dataset, &config, error));
  MN_TRY(write_network(net, &found.best.pick, argv[9], error));
  printf("%s seed=%s expected_ops=%.0f expected_sram=%.0f ops=%lld sram=%lld inherited_val=%.4f\n",
         argv[8], argv[7], seen.ops, seen.sram, (long long)found.best.price.ops,
         (long long)found.best.price.sram.total, found.best.val);
  return MN_OK;
}

static mn_status open_and_search(mn_arena *arena, mn_pool *pool, char **argv, mn_error *error) {
  char cache[1024];
  mn_dataset *dataset = NULL;
  snprintf(cache, sizeof cache, "%s/../cache", argv[9]);
  mn_data_config data = {.path = argv[2],
                         .classes = argv[3][0] != '\0' ? argv[3] : NULL,
                         .seed = 1,
                         .cache_folder = cache,
                         .pool = pool};
  mn_status status = mn_dataset_open(&dataset, &data, error);
  if (status == MN_OK) status = search(arena, dataset, pool, argv, error);
  mn_dataset_close(dataset);
  return status;
}

int main(int argc, char **argv) {
  mn_arena *arena = NULL;
  mn_pool *pool = NULL;
  mn_error error = {{0}};
  if (argc != ARGUMENTS) {
    fprintf(stderr,
            "ablation SPACE.net DATA CLASSES BUDGET TARGET EPOCHS SEED VARIANT FOLDER\n");
    return 2;
  }
  if (mn_arena_create(&arena) != MN_OK || mn_pool_create(&pool, 1) != MN_OK) return 1;
  mn_status status = open_and_search(arena, pool, argv, &error);
  if (status != MN_OK) fprintf(stderr, "ablation: %s\n", error.text);
  mn_pool_destroy(pool);
  mn_arena_destroy(arena);
  return mn_status_exit_code(status);
}
