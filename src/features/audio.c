/* audio.c - the front end of sound and vibration hop by hop: rings of samples (of all channels,
 * interleaved) and frames, one input at a time.
 *
 * Where an input needs all of its frames to be finished (mlperf's division by the clip's maximum,
 * the normalised level) the ring holds log mel energies and mn_audio_row does the rest; else it
 * holds the features themselves. docs/frontend.md has the definitions.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "features/parts.h"

/* The head of `state`; samples, frames and peaks follow. Counters run down, so they never overflow.
 */
typedef struct ring_state {
  int32_t until_frame, until_step, until_input;
  int32_t sample; /* place of the next sample = the oldest one */
  int32_t frame;  /* place of the next frame = the oldest one */
  int32_t peak, peak_place;
} ring_state;

/* Loudest frames that set the level: an eighth of them; the cut below that level, Q10. */
#define LEVEL_SHARE 8
#define LEVEL_CUT (6 << MN_ENERGY_FRACTION)
#define MLPERF_OFFSET_Q36 68719 /* 1e-6 */

static int is_deferred(const mn_audio *audio) {
  return audio->style == MN_STYLE_MLPERF || audio->level == MN_FRONTEND_LEVEL_NORMALISED;
}
int32_t mn_audio_row_width(const mn_audio *audio) {
  return (audio->keep > 0 ? audio->keep : audio->columns) * audio->channels;
}
static int32_t held_width(const mn_audio *audio) {
  return is_deferred(audio) ? audio->mels : mn_audio_row_width(audio);
}
static int16_t *samples_of(void *state) {
  return (int16_t *)((ring_state *)state + 1);
}
static int16_t *frames_of(const mn_audio *audio, void *state) {
  return samples_of(state) + audio->window * audio->channels;
}
static int16_t *peaks_of(const mn_audio *audio, void *state) {
  return frames_of(audio, state) + audio->frames * held_width(audio);
}

size_t mn_audio_state_bytes(const mn_audio *audio) {
  int32_t halves =
      audio->window * audio->channels + audio->frames * held_width(audio) + audio->peaks;
  return sizeof(ring_state) + 4 * (((size_t)halves + 1) / 2);
}
size_t mn_audio_scratch_bytes(const mn_audio *audio) {
  return sizeof(int32_t) * ((size_t)audio->fft + (size_t)audio->mels);
}

void mn_audio_reset(const mn_audio *audio, void *state) {
  ring_state *ring = state;
  memset(state, 0, mn_audio_state_bytes(audio));
  ring->until_frame = audio->window;
  ring->until_step = audio->step;
  ring->until_input = audio->length;
}

/* Left shift that brings the channel's loudest sample of the frame to 15 bits. */
static int32_t headroom(const mn_audio *audio, const int16_t *samples) {
  int32_t bits = 1; /* a silent frame takes any shift */
  for (int32_t i = 0; i < audio->window; i++, samples += audio->channels)
    bits |= *samples ^ (*samples >> 15);
  return __builtin_clz((uint32_t)bits) - 17;
}

/* Samples x window into the transform's bit-reversed order, as Q(29 + shift) of +-1. */
static void window_frame(const mn_audio *audio, int32_t *fft, const ring_state *ring,
                         const int16_t *samples, int32_t shift) {
  int32_t points = audio->fft / 2, place = ring->sample, reversed = 0;
  memset(fft, 0, sizeof *fft * (size_t)audio->fft);
  for (int32_t n = 0; n < audio->window; n++) {
    int32_t weight = audio->hann[n <= audio->window / 2 ? n : audio->window - n];
    int64_t product = (int64_t)samples[place * audio->channels] * weight;
    fft[2 * reversed + (n & 1)] = (int32_t)mn_round_shift(product, 17 - shift);
    if (++place == audio->window) place = 0;
    if ((n & 1) == 0) continue;
    int32_t bit = points >> 1;
    while (reversed & bit) {
      reversed ^= bit;
      bit >>= 1;
    }
    reversed |= bit;
  }
}

/* Where column or row `index` of `to` lies among `from` (bilinear, centres of pixels), Q16. */
static int32_t resized_place(int32_t index, int32_t to, int32_t from) {
  int64_t place = ((int64_t)(2 * index + 1) * from << 16) / (2 * to) - 0x8000;
  int64_t last = (int64_t)(from - 1) << 16;
  return (int32_t)(place < 0 ? 0 : place > last ? last : place);
}

static int16_t blend(int64_t first, int64_t second, int32_t share, int32_t shift) {
  return mn_clamp_s16(mn_round_shift(first * 65536 + (second - first) * share, 16 + shift));
}

/* One channel's bands, [band][channel] in the row. */
static void hold_bands(const mn_audio *audio, int16_t *row, const int32_t *energy) {
  int32_t shift = 16 - (audio->keep > 0 ? MN_ENERGY_FRACTION : audio->fraction);
  if (is_deferred(audio) || audio->columns == audio->mels) {
    for (int32_t i = 0; i < audio->mels; i++)
      row[i * audio->channels] = mn_clamp_s16(mn_round_shift(energy[i], shift));
    return;
  }
  for (int32_t i = 0; i < audio->columns; i++) {
    int32_t place = resized_place(i, audio->columns, audio->mels), at = place >> 16;
    int32_t next = at + 1 < audio->mels ? at + 1 : at;
    row[i * audio->channels] = blend(energy[at], energy[next], place & 0xffff, shift);
  }
}

static void take_frame(const mn_audio *audio, void *state, void *scratch) {
  ring_state *ring = state;
  int32_t *fft = scratch, *energy = fft + audio->fft;
  int16_t *row = frames_of(audio, state) + ring->frame * held_width(audio);
  for (int32_t c = 0; c < audio->channels; c++) {
    const int16_t *samples = samples_of(state) + c;
    int32_t shift = headroom(audio, samples);
    window_frame(audio, fft, ring, samples, shift);
    mn_fft(fft, audio->cosine, audio->fft_log2 - 1);
    /* The transform divided by fft / 2. */
    mn_mel_energies(audio, energy, fft, 29 + shift - (audio->fft_log2 - 1));
    if (audio->keep > 0 && !is_deferred(audio)) {
      mn_mel_cepstrum(audio, row, energy);
    } else {
      hold_bands(audio, row + c, energy);
    }
  }
  if (++ring->frame == audio->frames) ring->frame = 0;
}

static void take_step(const mn_audio *audio, void *state) {
  ring_state *ring = state;
  if (audio->peaks > 0) {
    peaks_of(audio, state)[ring->peak_place] = (int16_t)ring->peak;
    if (++ring->peak_place == audio->peaks) ring->peak_place = 0;
  }
  ring->peak = 0;
}

static int32_t smallest(int32_t a, int32_t b) {
  return a < b ? a : b;
}

size_t mn_audio_push(const mn_audio *audio, void *state, void *scratch, int *complete,
                     const int16_t *pcm, size_t count) {
  ring_state *ring = state;
  size_t taken = 0;
  *complete = 0;
  while (taken < count && !*complete) {
    int32_t part = smallest(smallest(ring->until_frame, ring->until_step),
                            smallest(ring->until_input, audio->window - ring->sample));
    if ((size_t)part > count - taken) part = (int32_t)(count - taken);
    memcpy(samples_of(state) + ring->sample * audio->channels,
           pcm + taken * (size_t)audio->channels,
           sizeof *pcm * (size_t)part * (size_t)audio->channels);
    for (int32_t i = 0; audio->peaks > 0 && i < part; i++) {
      if (pcm[taken + (size_t)i] > ring->peak) ring->peak = pcm[taken + (size_t)i];
    }
    taken += (size_t)part;
    ring->sample += part;
    if (ring->sample == audio->window) ring->sample = 0;
    if ((ring->until_step -= part) == 0) {
      take_step(audio, state);
      ring->until_step = audio->step;
    }
    if ((ring->until_frame -= part) == 0) {
      take_frame(audio, state, scratch);
      ring->until_frame = audio->step;
    }
    if ((ring->until_input -= part) == 0) {
      ring->until_input = audio->step * audio->every;
      *complete = 1;
    }
  }
  return taken;
}

static const int16_t *held_row(const mn_audio *audio, void *state, int32_t row) {
  int32_t place = ((const ring_state *)state)->frame + row;
  if (place >= audio->frames) place -= audio->frames;
  return frames_of(audio, state) + place * held_width(audio);
}

/* ln(energy / maximum + 1e-6), Q16. */
static void divide_by_peak(const mn_audio *audio, int32_t *energy, const int16_t *held,
                           void *state) {
  int32_t peak = 1; /* a clip without a positive sample is left as it is */
  for (int32_t i = 0; i < audio->peaks; i++) {
    if (peaks_of(audio, state)[i] > peak) peak = peaks_of(audio, state)[i];
  }
  int32_t log2_peak = mn_log2((uint64_t)peak) - (15 << 24);
  for (int32_t i = 0; i < audio->mels; i++) {
    int64_t log2 = mn_round_shift((int64_t)held[i] * MN_INVERSE_LN2_Q30, 24); /* Q16 */
    int32_t ratio = smallest((int32_t)(log2 - mn_round_shift(log2_peak, 8)), 26 << 16);
    uint64_t sum = mn_exp2(ratio) + MLPERF_OFFSET_Q36;
    energy[i] = (int32_t)mn_round_shift(((int64_t)mn_log2(sum) - (36 << 24)) * MN_LN2_Q30, 38);
  }
}

static int32_t frame_sum(const mn_audio *audio, const int16_t *held) {
  int32_t sum = 0;
  for (int32_t i = 0; i < audio->mels; i++) sum += held[i];
  return sum;
}

/* Mean log energy of the loudest eighth of the frames, Q10. `sums` are those frames, descending. */
static int32_t clip_level(const mn_audio *audio, int32_t *sums, void *state) {
  int32_t wanted = (audio->frames + LEVEL_SHARE - 1) / LEVEL_SHARE, count = 0;
  for (int32_t row = 0; row < audio->frames; row++) {
    int32_t sum = frame_sum(audio, held_row(audio, state, row)), place = count;
    while (place > 0 && sums[place - 1] < sum) place--;
    if (place == wanted) continue;
    if (count < wanted) count++;
    for (int32_t i = count - 1; i > place; i--) sums[i] = sums[i - 1];
    sums[place] = sum;
  }
  int64_t total = 0;
  for (int32_t i = 0; i < count; i++) total += sums[i];
  int64_t bands = (int64_t)count * audio->mels;
  return (int32_t)((2 * total + (total < 0 ? -bands : bands)) / (2 * bands));
}

static void subtract_level(const mn_audio *audio, int32_t *energy, const int16_t *held, void *state,
                           int32_t *sums) {
  int32_t level = clip_level(audio, sums, state);
  for (int32_t i = 0; i < audio->mels; i++) {
    int32_t value = held[i] - level;
    energy[i] = (value < -LEVEL_CUT ? -LEVEL_CUT : value) * (1 << (16 - MN_ENERGY_FRACTION));
  }
}

/* A row as it is held, or between two of them. */
static void copy_row(const mn_audio *audio, int16_t *feature, void *state, int32_t row) {
  int32_t place = resized_place(row, audio->rows, audio->frames), at = place >> 16;
  int32_t width = mn_audio_row_width(audio);
  const int16_t *first = held_row(audio, state, at);
  const int16_t *second = held_row(audio, state, at + 1 < audio->frames ? at + 1 : at);
  if (audio->rows == audio->frames) {
    memcpy(feature, first, sizeof *feature * (size_t)width);
    return;
  }
  for (int32_t i = 0; i < width; i++) feature[i] = blend(first[i], second[i], place & 0xffff, 0);
}

void mn_audio_row(const mn_audio *audio, int16_t *feature, void *state, void *scratch,
                  int32_t row) {
  int32_t *sums = scratch, *energy = sums + audio->fft;
  if (!is_deferred(audio)) {
    copy_row(audio, feature, state, row);
    return;
  }
  const int16_t *held = held_row(audio, state, row);
  if (audio->level == MN_FRONTEND_LEVEL_NORMALISED) {
    subtract_level(audio, energy, held, state, sums);
  } else {
    divide_by_peak(audio, energy, held, state);
  }
  if (audio->keep > 0) {
    mn_mel_cepstrum(audio, feature, energy);
    return;
  }
  for (int32_t i = 0; i < audio->mels; i++) {
    feature[i] = mn_clamp_s16(mn_round_shift(energy[i], 16 - audio->fraction));
  }
}

int mn_audio_feed(const mn_audio *audio, void *state, void *scratch, int8_t *input,
                  const mn_feature_scale *scale, const int16_t *pcm, size_t count) {
  int32_t width = mn_audio_row_width(audio);
  int any = 0;
  while (count > 0) {
    int complete;
    size_t taken = mn_audio_push(audio, state, scratch, &complete, pcm, count);
    pcm += taken * (size_t)audio->channels;
    count -= taken;
    if (!complete) continue;
    any = 1;
    for (int32_t row = 0; row < audio->rows; row++) {
      int16_t *feature = (int16_t *)((int32_t *)scratch + audio->fft) - width; /* behind the sums */
      mn_audio_row(audio, feature, state, scratch, row);
      mn_feature_quantize_s8(input + row * width, feature, (size_t)width, scale);
    }
  }
  return any;
}

void mn_audio_clip(const mn_audio *audio, int16_t *feature, void *state, void *scratch,
                   const int16_t *pcm) {
  int complete = 0;
  mn_audio_reset(audio, state);
  for (size_t done = 0; done < (size_t)audio->length;) {
    done += mn_audio_push(audio, state, scratch, &complete, pcm + done * (size_t)audio->channels,
                          (size_t)audio->length - done);
  }
  for (int32_t row = 0; row < audio->rows; row++) {
    mn_audio_row(audio, feature + row * mn_audio_row_width(audio), state, scratch, row);
  }
}
