# The shipped data (targets/, networks/, spaces/) of a tool that runs from its build folder.
set_source_files_properties(src/target/shipped.c PROPERTIES
  COMPILE_DEFINITIONS "MN_SOURCE_FOLDER=\"${CMAKE_SOURCE_DIR}\"")
