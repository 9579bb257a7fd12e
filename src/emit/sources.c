/* sources.c - copies the kernels that a plan calls, with what they include, into the model's
 * folder.
 *
 * Every name that begins with mn_ gets the model's prefix, so that two models link into one image;
 * includes lose their folder, so that the files compile where they lie.
 * SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <string.h>

#include "emit/embedded.h"
#include "emit/layout.h"
#include "emit/writer.h"

enum { QUEUE_ROOM = 128 };

/* Without its folder. glibc has a features.h of its own, which a compiler would find in ours first. */
static const char *file_name(const char *path) {
  const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
  return strcmp(name, "features.h") == 0 ? MN_EMIT_FEATURES : name;
}

static bool word_character(char c) {
  return isalnum((unsigned char)c) || c == '_';
}

/* The path between the quotes of a line such as: #include "kernels/kernel.h" */
static const char *included_path(mn_arena *arena, const char *line, size_t length) {
  static const char start[] = "#include \"";
  if (length < sizeof start || memcmp(line, start, sizeof start - 1) != 0) return NULL;
  const char *path = line + sizeof start - 1;
  const char *quote = memchr(path, '"', length - (sizeof start - 1));
  return quote != NULL ? mn_arena_text(arena, "%.*s", (int)(quote - path), path) : NULL;
}

/* The first line of a function's definition, as this code is formatted: it begins in column 0 with a
 * type, has a parenthesis, and ends in a brace or in the middle of the parameters. */
static bool begins_function(const char *line, size_t length) {
  bool word = length > 0 && islower((unsigned char)line[0]);
  bool open = word && (line[length - 1] == '{' || line[length - 1] == ',');
  return open && memchr(line, '(', length) != NULL && memchr(line, '=', length) == NULL;
}

/* Prints a line with the prefix put before every mn_ name; in a .c file a function is put into the
 * section of the model's code. */
static void print_line(mn_emitter *e, const char *line, size_t length, bool in_source) {
  size_t from = 0;
  if (in_source && begins_function(line, length)) mn_print(e, "%s_SECTION_CODE ", e->upper);
  for (size_t i = 0; i + 3 <= length; i++) {
    bool starts = i == 0 || !word_character(line[i - 1]);
    if (!starts || memcmp(line + i, "mn_", 3) != 0) continue;
    mn_print(e, "%.*s%s_", (int)(i - from), line + from, e->prefix);
    from = i;
  }
  mn_print(e, "%.*s\n", (int)(length - from), line + from);
}

/* Adds a path to the queue unless it is there. */
static mn_status want(mn_emitter *e, const char **queue, int32_t *queued, const char *path) {
  for (int32_t i = 0; i < *queued; i++)
    if (strcmp(queue[i], path) == 0) return MN_OK;
  if (*queued == QUEUE_ROOM) return mn_error_set(e->error, MN_ERR_FAILED, "too many source files");
  queue[(*queued)++] = path;
  return MN_OK;
}

/* Prints one file; its includes of ours are added to the queue. */
static mn_status copy_file(mn_emitter *e, const char *path, const char **queue, int32_t *queued) {
  const mn_embedded_file *file = mn_embedded_find(path);
  if (file == NULL)
    return mn_error_set(e->error, MN_ERR_FAILED, "source file %s is not in this program", path);
  const char *at = (const char *)file->data, *end = at + file->size;
  bool in_source = path[strlen(path) - 1] == 'c';
  if (in_source) mn_print(e, "#include \"model.h\"\n");
  while (at < end) {
    const char *newline = memchr(at, '\n', (size_t)(end - at));
    size_t length = (size_t)((newline != NULL ? newline : end) - at);
    const char *included = included_path(e->arena, at, length);
    if (included == NULL) {
      print_line(e, at, length, in_source);
    } else {
      MN_TRY(want(e, queue, queued, included));
      mn_print(e, "#include \"%s\"\n", file_name(included));
    }
    at += length + 1;
  }
  return mn_emit_file(e, file_name(path));
}

/* Files of every kernel that a step calls, and of the front end's run time. */
static mn_status want_all(mn_emitter *e, const char **queue, int32_t *queued) {
  static const char *const audio[] = {"features/audio.c", "features/fft.c", "features/math.c",
                                      "features/mel.c", "features/quantize.c"};
  static const char *const image[] = {"features/image.c", "features/quantize.c"};
  const mn_emit_layout layout = mn_emit_layout_of(e->plan, e->model, e->detector);
  for (int32_t i = 0; i < e->plan->step_count; i++) {
    const mn_plan_step *step = &e->plan->steps[i];
    if (step->kind != MN_STEP_CALL || step->kernel == NULL) continue;
    const char *const *sources = step->kernel->sources;
    for (int32_t k = 0; sources[k] != NULL; k++) {
      const char *path = mn_arena_text(e->arena, "kernels/%s", file_name(sources[k]));
      if (path == NULL) return mn_error_set(e->error, MN_ERR_MEMORY, "out of memory");
      MN_TRY(want(e, queue, queued, path));
    }
  }
  if (e->detector != NULL) MN_TRY(want(e, queue, queued, "features/detector.c"));
  for (size_t i = 0; layout.has_frontend && i < MN_COUNT(audio); i++)
    MN_TRY(want(e, queue, queued, audio[i]));
  for (size_t i = 0; layout.sees && i < MN_COUNT(image); i++)
    MN_TRY(want(e, queue, queued, image[i]));
  return MN_OK;
}

mn_status mn_emit_sources(mn_emitter *e) {
  const char **queue = mn_arena_array(e->arena, QUEUE_ROOM, sizeof *queue);
  int32_t queued = 0;
  if (queue == NULL) return mn_error_set(e->error, MN_ERR_MEMORY, "out of memory");
  MN_TRY(want_all(e, queue, &queued));
  for (int32_t i = 0; i < queued; i++)
    if (!mn_emit_has_file(e, file_name(queue[i]))) MN_TRY(copy_file(e, queue[i], queue, &queued));
  return MN_OK;
}
