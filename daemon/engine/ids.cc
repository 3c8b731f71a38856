#include "daemon/engine/ids.h"

#include <string_view>

namespace rollwatch {
namespace {

constexpr std::string_view kAlphabet = "0123456789abcdefghjkmnpqrstvwxyz";

void append(std::string& text, std::uint64_t value, int digits) {
  for (int shift = 5 * (digits - 1); shift >= 0; shift -= 5)
    text += kAlphabet[static_cast<std::size_t>((value >> shift) & 31)];
}

}  // namespace

std::string new_id(std::string_view prefix, SysTime now, const std::function<std::uint64_t()>& random) {
  std::string id(prefix);
  id += '_';
  append(id, static_cast<std::uint64_t>(now.time_since_epoch().count()), 10);
  append(id, random(), 8);
  append(id, random(), 8);
  return id;
}

}  // namespace rollwatch
