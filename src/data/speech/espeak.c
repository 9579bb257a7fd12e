/* espeak.c - espeak-ng as a program: started once per clip, its WAV read from a pipe. It is never
 * linked: its licence (GPL) is not ours.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/speech/parts.h"

/* From 1.52 on, the noise of breath and consonants is another one each time unless the option -D says no. Older
 * ones always repeat, and do not know it. */
static bool must_be_told_to_repeat(const char *version) {
  int major = 0, minor = 0;
  return sscanf(version, "%d.%d", &major, &minor) == 2 && (major > 1 || minor >= 52);
}

mn_status mn_espeak_say(mn_take *take, const char *version, mn_error *error) {
  char voice[96], rate[16], pitch[16], text[256];
  (void)snprintf(voice, sizeof voice, "%s+%s", take->accent, take->tone);
  (void)snprintf(rate, sizeof rate, "%d", (int)lrint(take->rate / take->tract));
  (void)snprintf(pitch, sizeof pitch, "%d", take->pitch);
  /* The range of the pitch has no option of its own; markup takes it as a percentage of 50. */
  (void)snprintf(text, sizeof text, "<prosody range=\"%d%%\">%s</prosody>", 2 * take->range,
                 take->text);
  const char *const flags = must_be_told_to_repeat(version) ? "-mzD" : "-mz";
  const char *const arguments[] = {"espeak-ng", flags, "-v",       voice, "-s", rate,
                                   "-p",        pitch, "--stdout", text,  NULL};
  mn_buffer wave = {0};
  mn_status status = mn_program_output(&wave, arguments, MN_PROGRAM_SECONDS, error);
  if (status == MN_OK) {
    status = mn_wave_decode(&take->pcm, &take->samples, (mn_bytes){wave.data, wave.size},
                            take->tract, error);
  }
  mn_buffer_free(&wave);
  if (status != MN_OK)
    return mn_error_prefix(error, status, "espeak-ng -v %s \"%s\"", voice, take->text);
  mn_take_finish(take);
  return MN_OK;
}

mn_status mn_espeak_version(const char **version, mn_arena *arena, mn_error *error) {
  static const char *const arguments[] = {"espeak-ng", "--version", NULL};
  mn_buffer output = {0};
  mn_status status = mn_program_output(&output, arguments, MN_PROGRAM_SECONDS, error);
  if (status == MN_OK) {
    /* "eSpeak NG text-to-speech: 1.51  Data at: ..." */
    const char *colon = output.size > 0 ? memchr(output.data, ':', output.size) : NULL;
    size_t left =
        colon == NULL ? 0 : output.size - (size_t)((const uint8_t *)colon - output.data) - 1;
    const char *from = colon == NULL ? "" : colon + 1;
    for (; left > 0 && *from == ' '; left--) from++;
    size_t length = 0;
    while (length < left && from[length] > ' ') length++;
    *version = mn_arena_text(arena, "%.*s", (int)length, from);
    if (*version == NULL) status = MN_ERR_MEMORY;
  }
  mn_buffer_free(&output);
  return status;
}
