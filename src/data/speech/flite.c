/* flite.c - the linked synthesiser: four English voices, their length and pitch varied.
 * SPDX-License-Identifier: Apache-2.0 */
#include <flite/flite.h>
#include <flite/flite_version.h>
#include <stdlib.h>
#include <string.h>

#include "data/speech/parts.h"

cst_voice *register_cmu_us_kal16(const char *folder);
cst_voice *register_cmu_us_awb(const char *folder);
cst_voice *register_cmu_us_rms(const char *folder);
cst_voice *register_cmu_us_slt(const char *folder);

/* Mean and spread of each voice's pitch; the statistical voices keep theirs out of sight. rms does not
 * listen to settings of pitch: it is stretched and played faster instead. */
typedef struct voice {
  const char *name;
  cst_voice *(*start)(const char *folder);
  double stretch, mean_hz, spread_hz;
  bool played_faster;
} voice;
static const voice voices[] = {{"kal16", register_cmu_us_kal16, 1.1, 95, 11, false},
                               {"awb", register_cmu_us_awb, 1, 130, 20, false},
                               {"rms", register_cmu_us_rms, 1, 98, 16, true},
                               {"slt", register_cmu_us_slt, 1, 172, 25, false}};

const char *mn_flite_version(void) {
  return FLITE_PROJECT_VERSION;
}

/* flite never gives a voice back, so each is started once. */
static cst_voice *started(size_t index) {
  static cst_voice *running[MN_COUNT(voices)];
  if (running[index] == NULL) {
    flite_init();
    running[index] = voices[index].start(NULL);
  }
  return running[index];
}

static size_t index_of(const char *name) {
  size_t index = 0;
  while (index + 1 < MN_COUNT(voices) && strcmp(voices[index].name, name) != 0) index++;
  return index;
}

static mn_status keep(mn_take *take, const cst_wave *wave, double faster, mn_error *error) {
  const size_t count = wave->num_samples > 0 ? (size_t)wave->num_samples : 0;
  float *x = mn_malloc((count + 1) * sizeof *x);
  if (x == NULL) return mn_error_set(error, MN_ERR_MEMORY, "flite: out of memory");
  for (size_t i = 0; i < count; i++) x[i] = (float)wave->samples[i] / 32768.0f;
  const mn_status status =
      mn_wave_to_rate(&take->pcm, &take->samples, x, count, wave->sample_rate * faster, error);
  mn_free(x);
  if (status != MN_OK) return status;
  mn_take_finish(take);
  return MN_OK;
}

mn_status mn_flite_say(mn_take *take, mn_error *error) {
  const size_t index = index_of(take->tone);
  cst_voice *speaker = started(index);
  if (speaker == NULL) return mn_error_set(error, MN_ERR_FAILED, "flite: no voice %s", take->tone);
  const voice *own = &voices[index];
  const double faster = take->tract * (own->played_faster ? take->pitch_mean : 1);
  flite_feat_set_float(speaker->features, "duration_stretch",
                       (float)(own->stretch * take->stretch * faster));
  flite_feat_set_float(speaker->features, "int_f0_target_mean",
                       (float)(own->mean_hz * take->pitch_mean / take->tract));
  flite_feat_set_float(speaker->features, "int_f0_target_stddev",
                       (float)(own->spread_hz * take->pitch_spread));
  /* The breath in its voices comes from rand(): without this a clip depends on those before it. */
  srand((unsigned)mn_hash64(1, take->voice, strlen(take->voice)));
  cst_wave *wave = flite_text_to_wave(take->text, speaker);
  if (wave == NULL)
    return mn_error_set(error, MN_ERR_FAILED, "flite: nothing for \"%s\"", take->text);
  const mn_status status = keep(take, wave, faster, error);
  delete_wave(wave);
  return status;
}
