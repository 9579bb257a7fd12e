/* download.c - micronets data --download: the files of a public data set, one after another.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "micronets/fetch.h"
#include "micronets/target.h"
#include "run/stage.h"

static json_t *file_json(const mn_fetch_file *file, const mn_fetched *fetched, const char *path) {
  json_t *object = mn_json_object();
  mn_json_put_text(object, "file", path);
  mn_json_put_int(object, "bytes", fetched->bytes);
  mn_json_put_text(object, "sum", fetched->sum);
  mn_json_put(object, "sum_published", json_boolean(file->sum != NULL));
  mn_json_put_text(object, "state", fetched->state);
  return object;
}

static mn_status check_options(const mn_run_context *context, const mn_options_download *options,
                               mn_error *error) {
  const mn_options_data *data = context->data;
  if (data->data != NULL || data->words != NULL)
    return mn_error_set(error, MN_ERR_USAGE, "--download: found %s; expected a name alone",
                        data->data != NULL ? "a data set to read" : "--words");
  if (options->mirror != NULL && strncmp(options->mirror, "http://", 7) != 0 &&
      strncmp(options->mirror, "https://", 8) != 0)
    return mn_error_set(error, MN_ERR_USAGE,
                        "--mirror: found \"%s\"; expected an address of http or https",
                        options->mirror);
  return MN_OK;
}

static mn_status find_set(const mn_fetch_set **set, const mn_run_context *context,
                          const mn_options_download *options, mn_error *error) {
  const char *table = options->table != NULL
                          ? options->table
                          : mn_shipped_path(context->arena, "datasets/table.txt");
  const mn_fetch_set *sets = NULL;
  int32_t count = 0;
  if (table == NULL)
    return mn_error_set(error, MN_ERR_IO,
                        "data: datasets/table.txt is not where this program was installed; name a "
                        "--table");
  MN_TRY(mn_fetch_table_read(&sets, &count, context->arena, table, error));
  return mn_fetch_set_find(set, sets, count, options->download, error);
}

mn_status mn_run_download(json_t **result, const mn_run_context *context,
                          const mn_options_download *options, mn_error *error) {
  const char *folder = NULL;
  const mn_fetch_set *set = NULL;
  MN_TRY(check_options(context, options, error));
  MN_TRY(find_set(&set, context, options, error));
  MN_TRY(mn_stage_folder(&folder, context, ".", error));
  json_t *object = mn_json_open(context), *files = mn_json_array();
  mn_json_put_text(object, "dataset", set->name);
  mn_json_put_text(object, "text", set->text);
  mn_json_put(object, "files", files);
  for (int32_t i = 0; i < set->files; i++) {
    const mn_fetch_file *file = &set->file[i];
    mn_fetched fetched;
    const mn_status status =
        mn_fetch(&fetched, file, folder, options->mirror, context->monitor, error);
    if (status != MN_OK) {
      json_decref(object);
      return status;
    }
    mn_json_push(files, file_json(file, &fetched, mn_stage_path(context, folder, file->name)));
  }
  return mn_json_finish(result, object, context, false, error);
}
