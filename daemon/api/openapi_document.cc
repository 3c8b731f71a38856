#include "daemon/api/openapi_document.h"

#include <openssl/sha.h>

#include <array>
#include <cstddef>

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
  static const std::string etag = [] {
    constexpr std::size_t kBytes = 8;
    constexpr std::string_view kHex = "0123456789abcdef";
    const std::string_view text = openapi_document();
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
    std::string tag = "\"";
    for (std::size_t i = 0; i < kBytes; ++i) {
      tag += kHex[digest[i] >> 4U];
      tag += kHex[digest[i] & 15U];
    }
    return tag + '"';
  }();
  return etag;
}

}  // namespace rollwatch
