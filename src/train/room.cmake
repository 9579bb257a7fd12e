# The vector kernels are compiled once per instruction set from the same sources; src/train/isa.c
# chooses a table at run time. They always get -O3: an unoptimised build would train for hours.
list(FILTER MN_SOURCES EXCLUDE REGEX "src/train/(lanes|integer|half)/")
set(MN_BF16_SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/src/train/half/bf16.c)
set(MN_INT16_SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/src/train/half/int16.c)
file(GLOB MN_LANES_SOURCES CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/src/train/lanes/*.c)
list(APPEND MN_LANES_SOURCES ${MN_BF16_SOURCES} ${MN_INT16_SOURCES})

function(mn_lanes_variant name lanes sources)
  add_library(mn_lanes_${name} OBJECT ${sources})
  target_include_directories(mn_lanes_${name} PRIVATE include src)
  target_compile_definitions(mn_lanes_${name} PRIVATE _GNU_SOURCE MN_LANES=${lanes} MN_ISA=${name})
  # a*b+c may become one instruction here: the result is the same for every run on one instruction set.
  target_compile_options(mn_lanes_${name} PRIVATE ${MN_WARNINGS} ${MN_FLAGS} -O3 -ffp-contract=fast ${ARGN})
  set(MN_ROOM_OBJECTS ${MN_ROOM_OBJECTS} $<TARGET_OBJECTS:mn_lanes_${name}> PARENT_SCOPE)
endfunction()

mn_lanes_variant(portable 4 "${MN_LANES_SOURCES}")
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set(avx512 -mavx512f -mavx512vl -mavx512dq -mavx512bw -mfma -mprefer-vector-width=512)
  mn_lanes_variant(avx2 8 "${MN_LANES_SOURCES}" -mavx2 -mfma -mf16c)
  mn_lanes_variant(avx512 16 "${MN_LANES_SOURCES}" ${avx512})
  # Products of 16-bit factors (src/train/half.h) by their instructions; the variants above make them of others.
  mn_lanes_variant(avx512bf16 16 "${MN_BF16_SOURCES}" ${avx512} -mavx512bf16)
  # Forward passes in integers (src/train/integer.h) need a dot product of bytes.
  set(integer_sources ${CMAKE_CURRENT_SOURCE_DIR}/src/train/integer/kernels.c)
  mn_lanes_variant(avxvnni 8 ${integer_sources} -mavx2 -mfma -mavxvnni)
  mn_lanes_variant(avx512vnni 16 "${integer_sources};${MN_INT16_SOURCES}" ${avx512} -mavx512vnni)
  # Both by tiles, where the operating system gives them.
  mn_lanes_variant(avx512amx 16 "${integer_sources};${MN_BF16_SOURCES}" ${avx512} -mavx512vnni -mavx512bf16
                   -mamx-tile -mamx-int8 -mamx-bf16)
  set_property(SOURCE src/train/isa.c src/train/amx.c src/train/integer_isa.c src/train/half_isa.c
               APPEND PROPERTY COMPILE_DEFINITIONS MN_LANES_X86=1)
endif()
