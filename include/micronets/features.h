/* features.h - the front ends, the same C on host and MCU, in integer arithmetic: no libm, no
 * floating point, no heap, nothing of ours. Byte-identical on host, M0, M4 and M55.
 *
 * The settings below are the `input` line of a .net file and the metadata of a .tflite. Front-end
 * defaults never change: they are part of the file format.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MICRONETS_FEATURES_H
#define MICRONETS_FEATURES_H

#include <stddef.h>
#include <stdint.h>

typedef enum mn_frontend_kind {
  MN_FRONTEND_NONE,     /* the input tensor is given as it is */
  MN_FRONTEND_MFCC,     /* audio: mel cepstrum */
  MN_FRONTEND_LOGMEL,   /* audio: log mel bands */
  MN_FRONTEND_SPECTRUM, /* vibration: log spectrum (a later issue) */
  MN_FRONTEND_IMAGE     /* photo: resized, grey or RGB (a later issue) */
} mn_frontend_kind;

/* The one list of settings: key of the .net line, field, unit, default.
 * Units: HZ takes "16kHz" or "20Hz"; US takes "40ms" or "1s" (microseconds inside); INT a number;
 * WORD one of the words of the field's own list. */
#define MN_FRONTEND_KEYS(X)                                                              \
  X(rate, rate_hz, HZ, 16000)      /* samples per second */                              \
  X(length, length_us, US, 1000000) /* one clip */                                       \
  X(window, window_us, US, 40000)                                                        \
  X(step, step_us, US, 20000)                                                            \
  X(mels, mels, INT, 40)                                                                 \
  X(from, from_hz, HZ, 20)                                                               \
  X(to, to_hz, HZ, 4000)                                                                 \
  X(keep, keep, INT, 10)           /* cepstral coefficients kept */                      \
  X(mel, mel, WORD, 0)             /* htk | slaney */                                    \
  X(log, log, WORD, 0)             /* natural | db */                                    \
  X(style, style, WORD, 0)         /* tensorflow (paper) | mlperf */                     \
  X(level, level, WORD, 0)         /* none | normalised: DATA.md's level-normalised log-mel */ \
  X(frames, frames, INT, 0)        /* 0: as many as the length holds */                  \
  X(every, every, INT, 0)                                                                \
  X(size, size, INT, 0)            /* image side in pixels */                            \
  X(colour, colour, WORD, 0)       /* grey | rgb */

typedef struct mn_frontend {
  mn_frontend_kind kind;
#define X(key, field, unit, value) int32_t field;
  MN_FRONTEND_KEYS(X)
#undef X
  int32_t height, width, channels; /* shape of the feature tensor, [H, W, C] */
  int32_t resize_h, resize_w;      /* "resize 32x32"; 0: none */
} mn_frontend;

/* The rest of this header (sizes, init, hop by hop, whole clip, quantization of features to int8)
 * belongs to the features room. */

#endif
