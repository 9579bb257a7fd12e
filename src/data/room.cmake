# flite's voices before the language, the lexicon and the engine that they call.
find_library(MN_FLITE flite REQUIRED)
list(APPEND MN_ROOM_LIBS flite_cmu_us_kal16 flite_cmu_us_awb flite_cmu_us_rms flite_cmu_us_slt
     flite_usenglish flite_cmulex ${MN_FLITE})
