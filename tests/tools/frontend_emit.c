/* frontend_emit.c - prints the numbers and tables of several front ends as C constants, as firmware
 * holds them, for the byte-identity test on emulated cores.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "micronets/features.h"

static const struct {
  mn_frontend_kind kind;
  int32_t window_us, to_hz, style, level, mels, lifter;
} settings[] = {
    {MN_FRONTEND_MFCC, 40000, 4000, MN_STYLE_TENSORFLOW, MN_FRONTEND_LEVEL_NONE, 40, 0},
    {MN_FRONTEND_MFCC, 30000, 4000, MN_STYLE_MLPERF, MN_FRONTEND_LEVEL_NONE, 40, 0},
    {MN_FRONTEND_LOGMEL, 40000, 7600, MN_STYLE_TENSORFLOW, MN_FRONTEND_LEVEL_NONE, 40, 0},
    {MN_FRONTEND_LOGMEL, 30000, 7600, MN_STYLE_TENSORFLOW, MN_FRONTEND_LEVEL_NORMALISED, 32, 0},
    {MN_FRONTEND_MFCC, 40000, 7600, MN_STYLE_TENSORFLOW, MN_FRONTEND_LEVEL_NORMALISED, 40, 22},
};
enum { SETTINGS = sizeof settings / sizeof *settings };

static size_t largest(size_t a, size_t b) {
  return a > b ? a : b;
}

int main(void) {
  size_t state = 0, scratch = 0, input = 0, length = 0;
  printf("#include \"micronets/features.h\"\n");
  for (int i = 0; i < SETTINGS; i++) {
    mn_frontend frontend = mn_frontend_defaults(settings[i].kind);
    frontend.window_us = settings[i].window_us;
    frontend.to_hz = settings[i].to_hz;
    frontend.style = settings[i].style;
    frontend.level = settings[i].level;
    frontend.mels = settings[i].mels;
    frontend.lifter = settings[i].lifter;
    if (mn_frontend_check(&frontend) != NULL) return 1;
    mn_frontend_shape(&frontend);
    mn_audio audio;
    const mn_audio *a = &audio;
    mn_audio_build(&audio, malloc(mn_frontend_tables_bytes(&frontend)), &frontend);
#define X(name, type, count)                                                  \
  printf("static const %s %s_%d[] = {", #type, #name, i);                     \
  for (long k = 0; k < (long)(count); k++) printf("%ld, ", (long)a->name[k]); \
  printf("0};\n");
    MN_AUDIO_TABLES(X)
#undef X
    state = largest(state, mn_frontend_state_bytes(&frontend));
    scratch = largest(scratch, mn_frontend_scratch_bytes(&frontend));
    input = largest(input, (size_t)(frontend.height * frontend.width));
    length = largest(length, (size_t)audio.length);
    printf("static const mn_audio audio_%d = {\n", i);
#define X(name) printf("  .%s = %d,\n", #name, audio.name);
    MN_AUDIO_NUMBERS(X)
#undef X
#define X(name, type, count) printf("  .%s = %s_%d,\n", #name, #name, i);
    MN_AUDIO_TABLES(X)
#undef X
    printf("};\n");
  }
  printf("enum { SETTINGS = %d, STATE = %zu, SCRATCH = %zu, INPUT = %zu, LENGTH = %zu };\n",
         SETTINGS, state, scratch, input, length);
  printf("static const mn_audio *const audios[SETTINGS] = {");
  for (int i = 0; i < SETTINGS; i++) printf("&audio_%d, ", i);
  printf("};\n");
  return 0;
}
