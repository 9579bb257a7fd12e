/* festival.c - festival as a program: its voices are asked for, and one process speaks many clips. It
 * is optional, so it is not linked, though its licence would allow that.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/speech/parts.h"

enum { TEXT_SIZE = 1024 };

/* Prints "version V", then a line "voice NAME METHOD" for every voice of English. */
static const char question[] =
    "(begin (format t \"version %s\\n\" festival_version)"
    " (mapcar (lambda (v)"
    "  (if (equal? 'english (cadr (assoc 'language (cadr (assoc v Voice_descriptions)))))"
    "   (unwind-protect (begin (voice.select v)"
    "    (format t \"voice %s %s\\n\" v (Parameter.get 'Synth_Method))) nil)))"
    "  (voice.list)))";

/* A line "T", then the WAV. A voice of diphones takes targets of pitch; one of the HTS engine its speed.
 * Where speaking fails the line stands alone. */
static const char speaker[] =
    "(begin (define (clip voice stretch mean spread text) (format t \"T\\n\")"
    " (unwind-protect (begin (voice.select voice) (Parameter.set 'Duration_Stretch stretch)"
    "  (if (assoc 'target_f0_mean int_lr_params) (set! int_lr_params (list"
    "   (list 'target_f0_mean (* mean (cadr (assoc 'target_f0_mean int_lr_params))))"
    "   (list 'target_f0_std (* spread (cadr (assoc 'target_f0_std int_lr_params))))"
    "   (assoc 'model_f0_mean int_lr_params) (assoc 'model_f0_std int_lr_params))))"
    "  (if (equal? 'HTS (Parameter.get 'Synth_Method)) (set! hts_engine_params"
    "   (append hts_engine_params (list (list \"-r\" (/ 1 stretch))))))"
    "  (utt.save.wave (utt.synth (eval (list 'Utterance 'Text text))) \"-\" 'riff)) nil))";

/* ---- What is installed -------------------------------------------------------------------------*/

/* A copy of the word of [from, stop) that begins at *from; *from moves behind the space after it. */
static char *next_word(const char **from, const char *stop, mn_arena *arena) {
  size_t length = 0;
  while (*from + length < stop && (*from)[length] > ' ') length++;
  char *word = mn_arena_copy(arena, *from, length + 1);
  if (word == NULL) return NULL;
  word[length] = 0;
  *from += length < (size_t)(stop - *from) ? length + 1 : length;
  return word;
}

static int by_name(const void *a, const void *b) {
  return strcmp(((const mn_festival_voice *)a)->name, ((const mn_festival_voice *)b)->name);
}

static mn_status read_line(mn_festival *found, mn_festival_voice *voice, mn_arena *arena,
                           const char *from, const char *stop) {
  const char *kind = next_word(&from, stop, arena), *name = next_word(&from, stop, arena);
  const char *method = next_word(&from, stop, arena);
  if (kind == NULL || name == NULL || method == NULL) return MN_ERR_MEMORY;
  if (strcmp(kind, "version") == 0) {
    found->version = mn_arena_text(arena, "%.*s", (int)strcspn(name, ":"), name);
    if (found->version == NULL) return MN_ERR_MEMORY;
  } else if (strcmp(kind, "voice") == 0 && *name != 0) {
    voice[found->voices++] = (mn_festival_voice){name, strcmp(method, "UniSyn") != 0};
  }
  return MN_OK;
}

static mn_status read_answer(mn_festival *found, mn_arena *arena, mn_buffer *answer) {
  MN_TRY(mn_buffer_append(answer, "\n", 2)); /* a last line, and an end for next_word's copies */
  const char *from = (const char *)answer->data, *end = from + answer->size - 1;
  size_t lines = 0;
  for (const char *p = from; p < end; p++) lines += *p == '\n';
  mn_festival_voice *voice = mn_arena_array(arena, lines, sizeof *voice);
  if (voice == NULL) return MN_ERR_MEMORY;
  for (const char *stop; from < end; from = stop + 1) {
    stop = memchr(from, '\n', (size_t)(end - from));
    MN_TRY(read_line(found, voice, arena, from, stop));
  }
  qsort(voice, (size_t)found->voices, sizeof *voice, by_name);
  found->voice = voice;
  return MN_OK;
}

mn_status mn_festival_find(mn_festival *festival, mn_arena *arena, mn_error *error) {
  const char *const arguments[] = {"festival", "-b", question, NULL};
  mn_festival found = {0};
  mn_buffer answer = {0};
  mn_status status = mn_program_output(&answer, arguments, MN_PROGRAM_SECONDS, error);
  if (status == MN_OK) status = read_answer(&found, arena, &answer);
  mn_buffer_free(&answer);
  if (status != MN_OK) return status;
  if (found.version == NULL || found.voices == 0) {
    return mn_error_set(error, MN_ERR_FAILED,
                        "festival: no voice of English; install one (apt-get install "
                        "festvox-kallpc16k festvox-us-slt-hts)");
  }
  const char *names = "";
  for (int32_t i = 0; i < found.voices && names != NULL; i++) {
    names = mn_arena_text(arena, "%s%s%s", names, i > 0 ? " " : "", found.voice[i].name);
  }
  found.version = names == NULL ? NULL : mn_arena_text(arena, "%s (%s)", found.version, names);
  if (found.version == NULL) return MN_ERR_MEMORY;
  *festival = found;
  return MN_OK;
}

/* ---- Speaking ----------------------------------------------------------------------------------*/

static double faster(const mn_take *take) {
  return take->tract * (take->deaf ? take->pitch_mean : 1);
}

/* Texts hold neither quotes nor backslashes (words.c). */
static mn_status write_script(mn_buffer *script, mn_take *const *takes, int32_t count) {
  MN_TRY(mn_buffer_append(script, speaker, strlen(speaker)));
  for (int32_t i = 0; i < count; i++) {
    const mn_take *take = takes[i];
    char line[TEXT_SIZE];
    const int length = snprintf(line, sizeof line, " (clip '%s %.4f %.4f %.4f \"%s\")", take->tone,
                                take->stretch * faster(take), take->pitch_mean / take->tract,
                                take->pitch_spread, take->text);
    if (length < 0 || (size_t)length >= sizeof line) return MN_ERR_ARGUMENT;
    MN_TRY(mn_buffer_append(script, line, (size_t)length));
  }
  return mn_buffer_append(script, ")", 2);
}

/* The WAV at the start of `bytes`, empty where there is none. */
static mn_bytes wave_at(mn_bytes bytes) {
  if (bytes.size < 12 || memcmp(bytes.data, "RIFF", 4) != 0) return (mn_bytes){bytes.data, 0};
  const size_t size = 8 + (size_t)mn_load_u32(bytes.data + 4);
  return (mn_bytes){bytes.data, size < bytes.size ? size : bytes.size};
}

/* A clip for each take, and nothing behind the last. */
static mn_status take_waves(mn_take *const *takes, int32_t count, mn_bytes left, mn_error *error) {
  for (int32_t i = 0; i <= count; i++) {
    const bool line = left.size >= 2 && memcmp(left.data, "T\n", 2) == 0;
    if (i == count && left.size == 0) break;
    if (!line || i == count) {
      return mn_error_set(
          error, MN_ERR_FAILED,
          "festival, \"%s\" to \"%s\": clip %d of %d is none; choose other texts or "
          "uninstall festival",
          takes[0]->text, takes[count - 1]->text, i + 1, count);
    }
    left = (mn_bytes){left.data + 2, left.size - 2};
    const mn_bytes wave = wave_at(left);
    left = (mn_bytes){left.data + wave.size, left.size - wave.size};
    if (wave.size == 0) continue;
    mn_take *take = takes[i];
    mn_status status = mn_wave_decode(&take->pcm, &take->samples, wave, faster(take), error);
    if (status != MN_OK)
      return mn_error_prefix(error, status, "festival, %s, \"%s\"", take->tone, take->text);
    mn_take_finish(take);
  }
  return MN_OK;
}

mn_status mn_festival_say(mn_take *const *takes, int32_t count, mn_error *error) {
  mn_buffer script = {0}, output = {0};
  mn_status status = write_script(&script, takes, count);
  if (status == MN_OK) {
    const char *const arguments[] = {"festival", "-b", (const char *)script.data, NULL};
    status = mn_program_output(&output, arguments, MN_PROGRAM_SECONDS, error);
    if (status != MN_OK)
      mn_error_prefix(error, status, "\"%s\" to \"%s\"", takes[0]->text, takes[count - 1]->text);
  }
  if (status == MN_OK) {
    status = take_waves(takes, count, (mn_bytes){output.data, output.size}, error);
  }
  mn_buffer_free(&script);
  mn_buffer_free(&output);
  return status;
}
