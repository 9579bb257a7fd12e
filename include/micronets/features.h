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
  MN_FRONTEND_SPECTRUM, /* vibration: log bands of equal width, one set per axis */
  MN_FRONTEND_IMAGE     /* photo: the centred square, resized, grey or RGB */
} mn_frontend_kind;

/* The one list of settings: key of the .net line, field, unit, default.
 * Units: HZ takes "16kHz" or "20Hz"; US takes "40ms" or "1s" (microseconds inside); INT a number;
 * WORD one of the words of the field's own list. */
#define MN_FRONTEND_KEYS(X)                                                             \
  X(rate, rate_hz, HZ, 16000)       /* samples per second */                            \
  X(length, length_us, US, 1000000) /* one clip */                                      \
  X(window, window_us, US, 40000)                                                       \
  X(step, step_us, US, 20000)                                                           \
  X(mels, mels, INT, 40)                                                                \
  X(bands, bands, INT, 32)            /* of spectrum, for each channel */               \
  X(from, from_hz, HZ, 20)                                                              \
  X(to, to_hz, HZ, 4000)                                                                \
  X(keep, keep, INT, 10)    /* cepstral coefficients kept */                            \
  X(lifter, lifter, INT, 0) /* coefficient k times 1 + lifter / 2 sin(pi k / lifter) */ \
  X(mel, mel, WORD, 0)      /* htk | slaney */                                          \
  X(log, log, WORD, 0)      /* natural | db */                                          \
  X(style, style, WORD, 0)  /* tensorflow (paper) | mlperf */                           \
  X(level, level, WORD, 0)  /* none | normalised: the level of a clip taken away (docs/frontend.md) */ \
  X(frames, frames, INT, 0) /* 0: as many as the length holds */                        \
  X(every, every, INT, 0)   /* steps from one input to the next */                      \
  X(channels, channel_count, INT, 1) /* of spectrum: axes of the sensor */              \
  X(size, size, INT, 0)      /* image side in pixels */                                 \
  X(colour, colour, WORD, 0) /* grey | rgb */

/* The words of the WORD fields: field, word, value; value 0 is the default. */
#define MN_FRONTEND_WORDS(X)                         \
  X(mel, htk, MN_MEL_HTK)                            \
  X(mel, slaney, MN_MEL_SLANEY)                      \
  X(log, natural, MN_LOG_NATURAL)                    \
  X(log, db, MN_LOG_DB)                              \
  X(style, tensorflow, MN_STYLE_TENSORFLOW)          \
  X(style, mlperf, MN_STYLE_MLPERF)                  \
  X(level, none, MN_FRONTEND_LEVEL_NONE)             \
  X(level, normalised, MN_FRONTEND_LEVEL_NORMALISED) \
  X(colour, grey, MN_COLOUR_GREY)                    \
  X(colour, rgb, MN_COLOUR_RGB)
enum { MN_MEL_HTK, MN_MEL_SLANEY };
enum { MN_LOG_NATURAL, MN_LOG_DB };
enum { MN_STYLE_TENSORFLOW, MN_STYLE_MLPERF };
enum { MN_FRONTEND_LEVEL_NONE, MN_FRONTEND_LEVEL_NORMALISED };
enum { MN_COLOUR_GREY, MN_COLOUR_RGB };

typedef struct mn_frontend {
  mn_frontend_kind kind;
#define X(key, field, unit, value) int32_t field;
  MN_FRONTEND_KEYS(X)
#undef X
  int32_t height, width, channels; /* shape of the feature tensor, [H, W, C] */
  int32_t resize_h, resize_w;      /* "resize 32x32"; 0: none */
} mn_frontend;

/* All fields at their defaults, shape 0x0x0. */
mn_frontend mn_frontend_defaults(mn_frontend_kind kind);
/* NULL where the front end can be built, else one sentence: what stands there and what is possible.
 */
const char *mn_frontend_check(const mn_frontend *frontend);
/* Whether it takes samples, hop by hop: mfcc, logmel, spectrum. */
int mn_frontend_listens(const mn_frontend *frontend);
/* Fills height, width, channels from the other settings of a checked front end. */
void mn_frontend_shape(mn_frontend *frontend);

/* ---- Audio: numbers and tables --------------------------------------------------------------
 * Everything the run-time code needs, as plain integers: made on the host by mn_audio_build,
 * printed into firmware as constants (these two lists are the fields), never written at run time.
 */
#define MN_AUDIO_NUMBERS(X)                                       \
  X(channels) /* interleaved; a "sample" below is one of each */  \
  X(window) /* samples of one frame */                            \
  X(step)   /* samples between frames */                          \
  X(length) /* samples of one input */                            \
  X(fft)    /* points of the transform, a power of two */         \
  X(fft_log2)                                                     \
  X(bins)   /* of the transform up to the upper limit */          \
  X(frames) /* of one input */                                    \
  X(every)  /* steps between inputs */                            \
  X(mels)                                                         \
  X(rows)    /* of one input: frames, or fewer after resizing */   \
  X(columns) /* bands, or fewer after resizing; for each channel */ \
  X(power)   /* bands sum squares, in dB; 0: magnitudes */         \
  X(area_normed) /* table `area` is there */                       \
  X(log_factor)  /* log2 in Q24 x this >> log_shift: Q16 */        \
  X(log_shift)                                                     \
  X(floor) /* lowest logarithm, Q16 */                             \
  X(keep) /* cepstral coefficients kept; 0: log mel bands */      \
  X(lifter)                                                       \
  X(style)                                                        \
  X(level)                                                        \
  X(peaks)    /* steps whose maxima are held (mlperf); 0: none */ \
  X(fraction) /* feature = real value x 2^fraction */
/* name, element type, number of elements */
#define MN_AUDIO_TABLES(X)                                                                \
  X(hann, int32_t, a->window / 2 + 1) /* first half of the window, Q31 */                 \
  X(cosine, int32_t, a->fft / 4 + 1)  /* quarter wave, Q31 */                             \
  X(edge, uint16_t, a->mels + 2)      /* first bin of each slope between band centres */  \
  X(slope, uint16_t, a->bins)         /* weight of each bin in its falling band, Q16 */   \
  X(area, int32_t, a->area_normed ? a->mels : 0) /* logarithm of the bands' heights, Q16 */ \
  X(dct, int32_t, a->keep > 0 ? a->mels + 1 : 0) /* quarter wave x sqrt(2 / mels), Q30 */ \
  X(lift, int32_t, a->lifter > 0 ? a->keep : 0)  /* factor of each coefficient, Q16 */

typedef struct mn_audio {
#define X(name) int32_t name;
  MN_AUDIO_NUMBERS(X)
#undef X
#define X(name, type, count) const type *name;
  MN_AUDIO_TABLES(X)
#undef X
} mn_audio;

/* Host: bytes of the tables, and the tables themselves into `memory` (4-byte aligned, that size).
 * The same bits on every host: no libm. `frontend` must have passed mn_frontend_check. */
size_t mn_frontend_tables_bytes(const mn_frontend *frontend);
void mn_audio_build(mn_audio *audio, void *memory, const mn_frontend *frontend);

/* RAM: `state` lives from call to call (sample ring, frames of the input); `scratch` only inside a
 * call and may overlie other memory. Both 4-byte aligned. */
size_t mn_frontend_state_bytes(const mn_frontend *frontend);
size_t mn_frontend_scratch_bytes(const mn_frontend *frontend);
size_t mn_audio_state_bytes(const mn_audio *audio);
size_t mn_audio_scratch_bytes(const mn_audio *audio);

/* ---- Audio: run time, host and MCU -----------------------------------------------------------*/
/* int8 = clamp(round(feature * multiplier / 2^shift) + zero_point), halves away from zero. */
typedef struct mn_feature_scale {
  int32_t multiplier, shift, zero_point;
} mn_feature_scale;
/* Host or MCU, exact integer work on the bits of `scale` (finite, > 0) of the input tensor. */
mn_feature_scale mn_audio_scale(const mn_audio *audio, float scale, int32_t zero_point);
void mn_feature_quantize_s8(int8_t *q, const int16_t *feature, size_t count,
                            const mn_feature_scale *scale);

/* Empties the rings. */
void mn_audio_reset(const mn_audio *audio, void *state);
/* Takes up to `count` samples (of every channel, interleaved), stopping behind the one that completes an input (*complete = 1, then
 * read it before the next push). Returns the samples taken, at least 1. */
size_t mn_audio_push(const mn_audio *audio, void *state, void *scratch, int *complete,
                     const int16_t *pcm, size_t count);
/* Values of one row of the input, and of the whole input [rows, columns, channels]. */
int32_t mn_audio_row_width(const mn_audio *audio);
/* Features of row `row` (0: oldest) of the complete input, [width] in Q(fraction). */
void mn_audio_row(const mn_audio *audio, int16_t *feature, void *state, void *scratch, int32_t row);

/* Hop by hop: takes all samples, writes the input tensor [frames, width] whenever one is complete;
 * 1 when that happened (the last one stands in `input`). */
int mn_audio_feed(const mn_audio *audio, void *state, void *scratch, int8_t *input,
                  const mn_feature_scale *scale, const int16_t *pcm, size_t count);
/* One whole clip of audio->length samples by the same code: features [frames, width]. */
void mn_audio_clip(const mn_audio *audio, int16_t *feature, void *state, void *scratch,
                   const int16_t *pcm);

/* ---- Images: host and MCU --------------------------------------------------------------------
 * A frame becomes the input tensor: its largest centred square, each output pixel the exact average
 * of the area it covers (bilinear where the square is smaller than the output), rounded to 8 bits;
 * grey = (77 R + 150 G + 29 B) / 256 rounded; feature = (pixel - 128) / 128. No tables, no state, no
 * scratch, about two multiplications per pixel of the frame. */
typedef enum mn_image_format {
  MN_IMAGE_GREY8,     /* 1 byte a pixel */
  MN_IMAGE_RGB888,    /* 3 bytes: red, green, blue */
  MN_IMAGE_RGB565,    /* 2 bytes, low byte first */
  MN_IMAGE_RGB565_BE, /* 2 bytes, high byte first, as many cameras send them */
  MN_IMAGE_FORMATS
} mn_image_format;
enum { MN_IMAGE_FRACTION = 7, MN_IMAGE_LEAST_SIDE = 8, MN_IMAGE_MOST_SIDE = 1024 };
/* Rows follow each other without padding. 1 <= width, height; the shorter side at most 4096. */
typedef struct mn_image_frame {
  const uint8_t *pixels;
  int32_t width, height;
  mn_image_format format;
} mn_image_frame;
enum { MN_IMAGE_MOST_FRAME = 4096 };
/* pixel [size][size][channels], channels 1 or 3, 0 .. 255; size at most MN_IMAGE_MOST_SIDE. */
void mn_image_resize(uint8_t *pixel, int32_t size, int32_t channels, const mn_image_frame *frame);
/* The same, quantized: the input tensor [size][size][channels]. */
void mn_image_input(int8_t *input, int32_t size, int32_t channels, const mn_feature_scale *scale,
                    const mn_image_frame *frame);
/* As mn_audio_scale, for features of images. */
mn_feature_scale mn_image_scale(float scale, int32_t zero_point);
/* int8 of one pixel, 0 .. 255. */
int8_t mn_image_quantize_s8(uint8_t pixel, const mn_feature_scale *scale);

/* ---- Detector: how far a vector lies from what is normal ---------------------------------------
 * Mahalanobis distance to the mean of a machine or state, divided by the number of values: about 1 for
 * what is normal. Q8. The vector: an int8 tensor as it is, or the mean of its rows. */
typedef enum mn_detector_source {
  MN_DETECTOR_EMBEDDING, /* what the network's last layer with weights reads */
  MN_DETECTOR_BANDS,     /* the input tensor, averaged over its frames: needs no network */
  MN_DETECTOR_COUNT
} mn_detector_source;
#define MN_DETECTOR_NUMBERS(X)                                          \
  X(states)  /* machines, or states of one */                           \
  X(factors) /* covariances: one for each state, or 1 for all */        \
  X(dims)    /* values of the vector */                                 \
  X(rows)    /* of the tensor that are averaged; 1: it is the vector */
/* name, element type, number of elements */
#define MN_DETECTOR_TABLES(X)                                                        \
  X(mean, int16_t, d->states *d->dims) /* Q8 */                                      \
  X(factor, int16_t, d->factors *(d->dims * (d->dims + 1) / 2)) /* rows of triangles */ \
  X(shift, uint8_t, d->factors *d->dims) /* of each row: its sum >> shift is Q8 */
typedef struct mn_detector {
#define X(name) int32_t name;
  MN_DETECTOR_NUMBERS(X)
#undef X
#define X(name, type, count) const type *name;
  MN_DETECTOR_TABLES(X)
#undef X
} mn_detector;

/* Its numbers: a covariance for each state, or one for all where these would take more than 128 KB. */
mn_detector mn_detector_of(int32_t states, int32_t dims, int32_t rows);
/* Bytes of all tables; of the vector and its differences from the mean, in the caller's arena. */
int64_t mn_detector_tables_bytes(const mn_detector *detector);
int64_t mn_detector_vector_bytes(const mn_detector *detector);

/* The vector [dims], Q8, of a tensor [rows][dims]. */
void mn_detector_take(const mn_detector *detector, int16_t *x, const int8_t *tensor);
/* state -1: the nearest. scratch [dims]. site: what is normal here, or NULL. */
int32_t mn_detector_score(const mn_detector *detector, int16_t *scratch, const int16_t *x,
                          int32_t state, const int32_t *site);
/* A site: the mean of normal vectors heard where the device hangs stands in for the trained mean of
 * one state. Memory of the caller, mn_detector_site_words() words; clear, then add. */
int32_t mn_detector_site_words(const mn_detector *detector);
void mn_detector_site_clear(const mn_detector *detector, int32_t *site, int32_t state);
void mn_detector_site_add(const mn_detector *detector, int32_t *site, const int16_t *x);

#endif
