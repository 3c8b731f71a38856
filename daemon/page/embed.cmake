# Writes FILE, a C++ source whose page_files() are the files of FOLDER: the assembler takes them as they are.
file(GLOB names RELATIVE ${FOLDER} ${FOLDER}/*)
list(REMOVE_ITEM names manifest.txt)
list(SORT names)
set(number 0)
set(text "// Written by embed.cmake.\n#include \"daemon/page/page_files.h\"\n\n#include <array>\n#include <cstddef>\n\n")
set(rows "")
foreach(name IN LISTS names)
  set(symbol kRollwatchPage${number})
  string(APPEND text "asm(\".pushsection .rodata\\n${symbol}Begin:\\n.incbin \\\"${FOLDER}/${name}\\\"\\n${symbol}End:\\n.popsection\\n\");\n"
                     "extern \"C\" {\nextern const char ${symbol}Begin[];\nextern const char ${symbol}End[];\n}\n")
  string(APPEND rows "      PageFile{\"${name}\", {${symbol}Begin, static_cast<std::size_t>(${symbol}End - ${symbol}Begin)}},\n")
  math(EXPR number "${number} + 1")
endforeach()
string(APPEND text "\nnamespace rollwatch {\n\nstd::span<const PageFile> page_files() {\n"
                   "  static const std::array<PageFile, ${number}> files{{\n${rows}  }};\n  return files;\n}\n\n}  // namespace rollwatch\n")
file(WRITE ${FILE} "${text}")
