/* augment.h - draws a changed copy of a clip: speed, reverb, equalizer, noise, level, place.
 *
 * Reads     int16 mono clips of any length; recordings of background noise (may be none)
 * Writes    int16 mono of exactly `samples`, ready for the front end
 * Order     speed -> placement -> contour -> reverb -> equalizer -> noise -> band limit -> level -> floor noise -> cut
 * Repeats   the output is a pure function of (settings, samples, clip, noises, rng): no state is kept
 *           between calls, so that draws may be made in any order by any thread
 * Memory    an augmenter owns its work space: one per thread; a run allocates nothing, cannot fail
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_DATA_AUGMENT_H
#define MN_DATA_AUGMENT_H

#include "micronets/base.h"
#include "micronets/data.h"

typedef struct mn_clip {
  const int16_t *pcm;
  int32_t samples;
} mn_clip;

/* Zero everywhere means: leave the clip as it is, centred in the window. */
typedef struct mn_augment_config {
  int32_t rate_hz;
  double speed;    /* 0.25: resampled by a factor of 1/1.25 .. 1.25, pitch moves along */
  double shift_ms; /* +- around the centre */
  double roam;     /* 1: anywhere in the window where the clip fits, and +- shift_ms at least */
  double contour_probability; /* the voice falls (up to 24 dB) or rises (6 dB) along the clip */
  double reverb_probability, reverb_low_s, reverb_high_s; /* RT60 */
  double eq_probability, eq_db;                           /* 8 bands, each +- eq_db */
  double edge_probability;   /* high-pass of 40..300 Hz, low-pass of 0.3..0.5 of the rate */
  double narrow_probability; /* everything above 3.2..3.9 kHz gone: 8 kHz recordings */
  double noise_probability, noise_snr_low_db, noise_snr_high_db;
  double coloured_noise; /* share of made noise; 1 wherever there are no recordings */
  double gain_db;        /* +-; used where no level is asked for */
  double level_low_dbfs, level_high_dbfs; /* RMS of the spoken part; both 0: gain_db instead */
  double floor_low_dbfs, floor_high_dbfs; /* made noise of the microphone; both 0: none */
  double cut_probability; /* zeros before and after the word: a recording cut out, then padded */
} mn_augment_config;

/* What a feed's settings mean for the waveform. */
mn_augment_config mn_augment_of_feed(const mn_feed_config *feed, int32_t rate_hz);

typedef struct mn_augment mn_augment;
/* `samples`: length of every output clip. Errors: MN_ERR_MEMORY. */
mn_status mn_augment_create(mn_augment **augment, const mn_augment_config *config,
                            int32_t samples) MN_MUST_CHECK;
void mn_augment_destroy(mn_augment *augment); /* NULL is a no-op */

/* One draw: out [samples]. noises [count] may be NULL with count 0. `rng` moves on. */
void mn_augment_run(mn_augment *augment, int16_t *out, mn_clip clip, const mn_clip *noises,
                    int32_t count, mn_rng *rng);
/* No speech, only a room: recorded or coloured noise of a random level (class `silence`). */
void mn_augment_silence(mn_augment *augment, int16_t *out, const mn_clip *noises, int32_t count,
                        mn_rng *rng);

/* The same placement without any draw: centred, cut or padded with zeros. */
void mn_clip_centre(int16_t *out, int32_t samples, mn_clip clip);

/* ---- Feature domain: x [frames][bands], row by row --------------------------------------------*/
/* SpecAugment: `fill` replaces up to time_masks x time_mask_frames and mel_masks x mel_mask_bands. */
void mn_augment_mask(float *x, int32_t frames, int32_t bands, const mn_feed_config *config,
                     float fill, mn_rng *rng);
/* Another rhythm: y (not x) takes its rows from x at a pace that changes along them, on straight lines
 * between six random knots; rows between rows are mixed of both, edges repeated. The middle row stays. */
void mn_augment_warp(float *y, const float *x, int32_t frames, int32_t bands,
                     const mn_feed_config *config, mn_rng *rng);
/* A draw of the symmetric beta distribution, (0, 1); coefficient > 0. */
double mn_augment_beta(mn_rng *rng, double coefficient);
/* Mixup: y = share * y + (1 - share) * x. */
void mn_augment_mix(float *y, const float *x, float share, int32_t count);

#endif
