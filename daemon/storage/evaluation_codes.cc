#include "daemon/storage/evaluation_codes.h"

#include <string>

#include "analysis/state_codec.h"
#include "daemon/storage/documents.h"

namespace rollwatch {
namespace {

template <class E>
E enumerator(std::int64_t number, const char* what) {
  const auto value = static_cast<E>(number >= 0 && number < 0x7f ? number : 0x7f);
  if (!is_known(value)) {
    throw DocumentError("an evaluation has an unknown " + std::string(what) + ", " +
                        std::to_string(number));
  }
  return value;
}

}  // namespace

Outcome read_outcome(std::int64_t number) { return enumerator<Outcome>(number, "outcome"); }
Cause read_cause(std::int64_t number) { return enumerator<Cause>(number, "cause"); }
CompareOp read_comparison(std::int64_t number) {
  return enumerator<CompareOp>(number, "comparison");
}

}  // namespace rollwatch
