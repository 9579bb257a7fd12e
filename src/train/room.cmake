# The vector kernels are compiled once per instruction set from the same sources; src/train/isa.c
# chooses a table at run time. They always get -O3: an unoptimised build would train for hours.
list(FILTER MN_SOURCES EXCLUDE REGEX "src/train/lanes/")
file(GLOB MN_LANES_SOURCES CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/src/train/lanes/*.c)

function(mn_lanes_variant name lanes)
  add_library(mn_lanes_${name} OBJECT ${MN_LANES_SOURCES})
  target_include_directories(mn_lanes_${name} PRIVATE include src)
  target_compile_definitions(mn_lanes_${name} PRIVATE _GNU_SOURCE MN_LANES=${lanes} MN_ISA=${name})
  # a*b+c may become one instruction here: the result is the same for every run on one instruction set.
  target_compile_options(mn_lanes_${name} PRIVATE ${MN_WARNINGS} ${MN_FLAGS} -O3 -ffp-contract=fast ${ARGN})
  set(MN_ROOM_OBJECTS ${MN_ROOM_OBJECTS} $<TARGET_OBJECTS:mn_lanes_${name}> PARENT_SCOPE)
endfunction()

mn_lanes_variant(portable 4)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  mn_lanes_variant(avx2 8 -mavx2 -mfma)
  mn_lanes_variant(avx512 16 -mavx512f -mavx512vl -mavx512dq -mavx512bw -mfma -mprefer-vector-width=512)
  set_property(SOURCE src/train/isa.c APPEND PROPERTY COMPILE_DEFINITIONS MN_LANES_X86=1)
endif()
