/* frontend_dump.c - clips of int16 samples from standard input through the front end, for the
 * oracle tests: frontend_dump mfcc|logmel|spectrum SCALE ZERO_POINT [key=number ...]. Prints frames, width,
 * fraction, then writes for every clip its int16 features, then its int8 input. With hop=N the clip
 * is fed in pieces of N samples. SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "micronets/features.h"

static int32_t hop;

static int set(mn_frontend *frontend, const char *text) {
  const char *equals = strchr(text, '=');
  if (equals == NULL) return 0;
  size_t size = (size_t)(equals - text);
  int32_t number = (int32_t)strtol(equals + 1, NULL, 10);
  if (strncmp(text, "hop", size) == 0 && size == 3) {
    hop = number;
    return 1;
  }
  if (strncmp(text, "resize", size) == 0 && size == 6) {
    frontend->resize_h = frontend->resize_w = number;
    return 1;
  }
#define X(key, field, unit, value)                              \
  if (strlen(#key) == size && strncmp(text, #key, size) == 0) { \
    frontend->field = number;                                   \
    return 1;                                                   \
  }
  MN_FRONTEND_KEYS(X)
#undef X
  return 0;
}

static void feed_hops(const mn_audio *audio, void *state, void *scratch, int8_t *input,
                      const mn_feature_scale *scale, const int16_t *pcm) {
  mn_audio_reset(audio, state);
  for (int32_t done = 0; done < audio->length;) {
    int32_t part = hop > 0 && hop < audio->length - done ? hop : audio->length - done;
    mn_audio_feed(audio, state, scratch, input, scale, pcm + done * audio->channels, (size_t)part);
    done += part;
  }
}

int main(int count, char **arguments) {
  if (count < 4) return 2;
  mn_frontend frontend =
      mn_frontend_defaults(strcmp(arguments[1], "mfcc") == 0     ? MN_FRONTEND_MFCC
                           : strcmp(arguments[1], "logmel") == 0 ? MN_FRONTEND_LOGMEL
                                                                 : MN_FRONTEND_SPECTRUM);
  for (int i = 4; i < count; i++) {
    if (!set(&frontend, arguments[i])) return 2;
  }
  const char *refusal = mn_frontend_check(&frontend);
  if (refusal != NULL) {
    fprintf(stderr, "%s\n", refusal);
    return 3;
  }
  mn_frontend_shape(&frontend);
  mn_audio audio;
  mn_audio_build(&audio, malloc(mn_frontend_tables_bytes(&frontend)), &frontend);
  size_t width = (size_t)frontend.width * (size_t)frontend.channels;
  size_t features = (size_t)frontend.height * width;
  size_t samples = (size_t)(audio.length * audio.channels);
  void *state = malloc(mn_audio_state_bytes(&audio)),
       *scratch = malloc(mn_audio_scratch_bytes(&audio));
  int16_t *pcm = malloc(sizeof *pcm * samples), *feature = malloc(sizeof *feature * features);
  int8_t *input = malloc(features);
  mn_feature_scale scale = mn_audio_scale(&audio, strtof(arguments[2], NULL), atoi(arguments[3]));
  printf("%d %d %d\n", frontend.height, (int)width, audio.fraction);
  while (fread(pcm, sizeof *pcm, samples, stdin) == samples) {
    mn_audio_clip(&audio, feature, state, scratch, pcm);
    fwrite(feature, sizeof *feature, features, stdout);
    feed_hops(&audio, state, scratch, input, &scale, pcm);
    fwrite(input, 1, features, stdout);
  }
  return 0;
}
