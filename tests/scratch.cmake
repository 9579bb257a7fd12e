# The tests' $TMPDIR. -DFOLDER=F -DMAKE=ON: made anew, empty; else: fails where something was left in it.
# SPDX-License-Identifier: Apache-2.0
if(NOT MAKE)
  file(GLOB left LIST_DIRECTORIES true RELATIVE ${FOLDER} ${FOLDER}/* ${FOLDER}/.[a-zA-Z]*)
endif()
file(REMOVE_RECURSE ${FOLDER})
file(MAKE_DIRECTORY ${FOLDER})
if(left)
  list(JOIN left " " names)
  message(FATAL_ERROR "tests left in $TMPDIR: ${names}")
endif()
