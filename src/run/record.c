/* record.c - run.json: what was run, on what, with which versions.
 * SPDX-License-Identifier: Apache-2.0 */
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>

#include "micronets/train.h"
#include "run/stage.h"

enum { MOST_HASHED = 1 << 30 };

/* Hashes of files; folders have their data set's hash elsewhere. */
static json_t *input_json(const char *path) {
  struct stat info;
  uint64_t hash = 0;
  json_t *input = mn_json_object();
  mn_json_put_text(input, "file", path);
  bool file = stat(path, &info) == 0 && S_ISREG(info.st_mode);
  mn_json_put_known_int(input, "bytes", file ? (int64_t)info.st_size : -1);
  if (file && info.st_size <= MOST_HASHED && mn_file_hash(&hash, path, NULL) == MN_OK) {
    char text[20];
    snprintf(text, sizeof text, "%016llx", (unsigned long long)hash);
    mn_json_put_text(input, "hash", text);
  } else {
    mn_json_put_text(input, "hash", NULL);
  }
  return input;
}

json_t *mn_stage_inputs(const char *const *paths, size_t count) {
  json_t *inputs = mn_json_array();
  for (size_t i = 0; i < count; i++)
    if (paths[i] != NULL) mn_json_push(inputs, input_json(paths[i]));
  return inputs;
}

static void put_versions(json_t *record, const mn_dataset *dataset) {
  json_t *versions = mn_json_object();
  struct utsname host;
  mn_json_put_text(versions, "micronets", MICRONETS_VERSION);
  mn_json_put_text(versions, "compiler", __VERSION__);
  if (uname(&host) == 0) {
    mn_json_put_text(versions, "system", host.sysname);
    mn_json_put_text(versions, "release", host.release);
    mn_json_put_text(versions, "machine", host.machine);
  }
  mn_json_put_text(versions, "speech", dataset != NULL ? mn_dataset_engines(dataset) : NULL);
  mn_json_put(record, "versions", versions);
}

/* What "auto" came to. */
static void put_arithmetic(json_t *record, const mn_run_context *context) {
  const char *word = json_string_value(json_object_get(context->config, "arithmetic"));
  if (word != NULL)
    mn_json_put_text(record, "arithmetic", mn_arithmetic_name(mn_arithmetic_of(word)));
}

static void put_time(json_t *record) {
  char text[32];
  time_t now = time(NULL);
  struct tm utc;
  if (gmtime_r(&now, &utc) != NULL && strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc) > 0)
    mn_json_put_text(record, "written", text);
}

mn_status mn_stage_record(const mn_run_context *context, const char *folder, const char *state,
                          const mn_dataset *dataset, json_t *inputs, const json_t *extra,
                          mn_error *error) {
  if (context->dataset != NULL) { /* a stage of build, which keeps the record itself */
    json_decref(inputs);
    return MN_OK;
  }
  const char *path = mn_stage_path(context, folder, "run.json");
  json_t *record = mn_json_open(context);
  struct rusage usage;
  mn_json_put_text(record, "state", state);
  mn_json_put_text(record, "command_line", context->command_line);
  mn_json_put_int(record, "seed", context->common->seed);
  if (context->config != NULL) mn_json_put(record, "config", json_deep_copy(context->config));
  put_arithmetic(record, context);
  put_versions(record, dataset);
  mn_json_put(record, "inputs", inputs != NULL ? inputs : mn_json_array());
  put_time(record);
  mn_json_put_int(record, "threads", mn_pool_threads(context->pool));
  if (getrusage(RUSAGE_SELF, &usage) == 0)
    mn_json_put_int(record, "peak_memory_bytes", (int64_t)usage.ru_maxrss * 1024);
  mn_json_put_real(record, "seconds", mn_seconds() - context->began);
  if (extra != NULL) json_object_update(record, (json_t *)(uintptr_t)extra);
  mn_status status = path != NULL && mn_json_ok() ? mn_run_write_json(path, record, error)
                                                  : mn_out_of_memory(context, error);
  json_decref(record);
  return status;
}

mn_status mn_stage_record_end(mn_status status, const mn_run_context *context, const char *folder,
                              const mn_dataset *dataset, json_t *inputs, mn_error *error) {
  const bool done = status == MN_OK || mn_status_is_no(status);
  if (!done && status != MN_ERR_INTERRUPTED) {
    json_decref(inputs);
    return status;
  }
  mn_error other;
  const mn_status recorded =
      mn_stage_record(context, folder, done ? "done" : "interrupted", dataset, inputs, NULL,
                      status == MN_OK ? error : &other);
  if (status == MN_OK) return recorded;
  if (recorded != MN_OK) mn_monitor_message(context->monitor, MN_LEVEL_WARNING, "%s", other.text);
  return status;
}
