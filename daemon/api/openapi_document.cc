#include "daemon/api/openapi_document.h"

#include <cstddef>

#include "daemon/api/handlers.h"

// The assembler takes the file as it is: as a literal it would go through the compiler.
asm(".pushsection .rodata\n"
    "kRollwatchOpenapiBegin:\n"
    ".incbin \"" ROLLWATCH_OPENAPI_FILE
    "\"\n"
    "kRollwatchOpenapiEnd:\n"
    ".popsection\n");
extern "C" {
extern const char kRollwatchOpenapiBegin[];  // NOLINT(*-avoid-c-arrays)
extern const char kRollwatchOpenapiEnd[];    // NOLINT(*-avoid-c-arrays)
}

namespace rollwatch {

std::string_view openapi_document() {
  return {kRollwatchOpenapiBegin,
          static_cast<std::size_t>(kRollwatchOpenapiEnd - kRollwatchOpenapiBegin)};
}

const std::string& openapi_etag() {
  static const std::string etag = tag_of(openapi_document());
  return etag;
}

}  // namespace rollwatch
