# The instruction counter that QEMU loads. It stands by itself: none of our code is linked into it,
# and what it calls is in the emulator.
add_library(mn_count MODULE firmware/emulator/count.c firmware/emulator/qemu_api.c)
target_compile_options(mn_count PRIVATE ${MN_WARNINGS})
target_compile_definitions(mn_count PRIVATE _GNU_SOURCE)
target_link_libraries(mn_count PRIVATE ${CMAKE_DL_LIBS})
set_target_properties(mn_count PROPERTIES PREFIX "" OUTPUT_NAME micronets-count
  LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR} LINK_OPTIONS "")
set_source_files_properties(src/bench/emulator.c PROPERTIES
  COMPILE_DEFINITIONS "MN_COUNT_PLUGIN=\"${CMAKE_BINARY_DIR}/micronets-count.so\"")
# The numbers of regions are the firmware's.
set_source_files_properties(src/bench/emulator.c src/bench/measure.c src/bench/frontend_stages.c
  src/bench/board.c PROPERTIES
  INCLUDE_DIRECTORIES ${CMAKE_SOURCE_DIR}/firmware)
