/* espeak.c - espeak-ng as a program: started once per clip, its WAV read from a pipe. It is never
 * linked: its licence (GPL) is not ours.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "data/speech/parts.h"

extern char **environ;

#define ABSENT \
  "espeak-ng: not found (%s); --words speaks with it; install it (apt-get install espeak-ng)"

static mn_status spawn(pid_t *child, const char *const *arguments, int output, mn_error *error) {
  posix_spawn_file_actions_t actions;
  if (posix_spawn_file_actions_init(&actions) != 0)
    return mn_error_set(error, MN_ERR_MEMORY, "out of memory");
  int code = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  if (code == 0) code = posix_spawn_file_actions_adddup2(&actions, output, 1);
  if (code == 0) code = posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  /* posix_spawn promises not to change the strings; its type is older than const. */
  char *list[16] = {0};
  for (size_t i = 0; i + 1 < MN_COUNT(list) && arguments[i] != NULL; i++) {
    memcpy(&list[i], &arguments[i], sizeof list[i]);
  }
  if (code == 0) code = posix_spawnp(child, list[0], &actions, NULL, list, environ);
  (void)posix_spawn_file_actions_destroy(&actions);
  if (code != 0) return mn_error_set(error, MN_ERR_FAILED, ABSENT, strerror(code));
  return MN_OK;
}

static mn_status drain(mn_buffer *output, int input, mn_error *error) {
  uint8_t piece[16384];
  for (;;) {
    const ssize_t count = read(input, piece, sizeof piece);
    if (count == 0) return MN_OK;
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return mn_error_set(error, MN_ERR_IO, "espeak-ng: %s", strerror(errno));
    MN_TRY(mn_buffer_append(output, piece, (size_t)count));
  }
}

mn_status mn_program_output(mn_buffer *output, const char *const *arguments, mn_error *error) {
  int ends[2];
  /* Close on exec: another thread's child must not hold our pipe open. */
  if (pipe2(ends, O_CLOEXEC) != 0)
    return mn_error_set(error, MN_ERR_IO, "pipe: %s", strerror(errno));
  pid_t child = 0;
  mn_status status = spawn(&child, arguments, ends[1], error);
  (void)close(ends[1]);
  if (status != MN_OK) {
    (void)close(ends[0]);
    return status;
  }
  status = drain(output, ends[0], error);
  (void)close(ends[0]);
  int result = 0;
  while (waitpid(child, &result, 0) < 0 && errno == EINTR) {
  }
  if (status == MN_OK && WIFEXITED(result) && WEXITSTATUS(result) == 127) {
    return mn_error_set(error, MN_ERR_FAILED, ABSENT, "exit code 127");
  }
  if (status == MN_OK && !(WIFEXITED(result) && WEXITSTATUS(result) == 0)) {
    return mn_error_set(error, MN_ERR_FAILED, "%s: ended with status %d", arguments[0], result);
  }
  return status;
}

mn_status mn_espeak_say(mn_take *take, mn_error *error) {
  char voice[96], rate[16], pitch[16], text[256];
  (void)snprintf(voice, sizeof voice, "%s+%s", take->accent, take->tone);
  (void)snprintf(rate, sizeof rate, "%d", (int)lrint(take->rate / take->tract));
  (void)snprintf(pitch, sizeof pitch, "%d", take->pitch);
  /* The range of the pitch has no option of its own; markup takes it as a percentage of 50. */
  (void)snprintf(text, sizeof text, "<prosody range=\"%d%%\">%s</prosody>", 2 * take->range,
                 take->text);
  const char *const arguments[] = {"espeak-ng", "-m", "-z",  "-v",       voice, "-s",
                                   rate,        "-p", pitch, "--stdout", text,  NULL};
  mn_buffer wave = {0};
  mn_status status = mn_program_output(&wave, arguments, error);
  if (status == MN_OK) {
    status = mn_wave_decode(&take->pcm, &take->samples, (mn_bytes){wave.data, wave.size},
                            take->tract, error);
  }
  mn_buffer_free(&wave);
  if (status != MN_OK)
    return mn_error_prefix(error, status, "espeak-ng -v %s \"%s\"", voice, take->text);
  take->samples = mn_speech_trim(take->pcm, take->samples);
  if (take->samples == 0) {
    mn_free(take->pcm);
    take->pcm = NULL;
  }
  return MN_OK;
}

mn_status mn_espeak_version(const char **version, mn_arena *arena, mn_error *error) {
  static const char *const arguments[] = {"espeak-ng", "--version", NULL};
  mn_buffer output = {0};
  mn_status status = mn_program_output(&output, arguments, error);
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
