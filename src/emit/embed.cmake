# Writes FILES ("a|b|c", below ROOT) as C arrays into OUT: emit/embedded.h says how they are read.
string(REPLACE "|" ";" files "${FILES}")
set(arrays "")
set(rows "")
set(index 0)
foreach(file IN LISTS files)
  file(READ ${file} hex HEX)
  file(RELATIVE_PATH name ${ROOT} ${file})
  string(REGEX REPLACE "^(src|include)/" "" name ${name})
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)"
         "\\1\n" bytes "${bytes}")
  string(APPEND arrays "static const unsigned char file_${index}[] = {\n${bytes}0};\n")
  string(APPEND rows "    {\"${name}\", file_${index}, sizeof file_${index} - 1},\n")
  math(EXPR index "${index} + 1")
endforeach()
file(WRITE ${OUT}.new "/* Made by src/emit/embed.cmake. */\n#include \"emit/embedded.h\"\n\n${arrays}
const mn_embedded_file mn_embedded_files[] = {\n${rows}};
const int32_t mn_embedded_file_count = ${index};\n")
file(RENAME ${OUT}.new ${OUT})
