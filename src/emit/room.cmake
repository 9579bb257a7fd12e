# The sources that a compiled model or its bench program is made of are part of the program, so that an
# installed tool needs no source tree.
file(GLOB MN_EMBEDDED CONFIGURE_DEPENDS
  src/kernels/*.c src/kernels/*.h src/features/*.c src/features/*.h include/micronets/features.h
  firmware/*.c firmware/*.h firmware/*.S firmware/*.ld)
set(MN_EMBEDDED_C ${CMAKE_BINARY_DIR}/embedded_files.c)
string(REPLACE ";" "|" MN_EMBEDDED_LIST "${MN_EMBEDDED}")
add_custom_command(OUTPUT ${MN_EMBEDDED_C}
  COMMAND ${CMAKE_COMMAND} -DROOT=${CMAKE_SOURCE_DIR} -DFILES=${MN_EMBEDDED_LIST} -DOUT=${MN_EMBEDDED_C}
          -P ${CMAKE_SOURCE_DIR}/src/emit/embed.cmake
  DEPENDS ${MN_EMBEDDED} src/emit/embed.cmake VERBATIM)
list(APPEND MN_SOURCES ${MN_EMBEDDED_C})
