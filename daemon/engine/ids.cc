#include "daemon/engine/ids.h"

#include <optional>

namespace rollwatch {
namespace {

constexpr std::string_view kAlphabet = "0123456789abcdefghjkmnpqrstvwxyz";
constexpr std::uint64_t kFortyBits = (std::uint64_t{1} << 40U) - 1;

void append(std::string& text, std::uint64_t value, unsigned digits) {
  for (unsigned left = digits; left > 0; --left)
    text += kAlphabet[static_cast<std::size_t>((value >> (5 * (left - 1))) & 31U)];
}

// The number those digits are; nullopt if one of them is none.
std::optional<std::uint64_t> read(std::string_view digits) {
  std::uint64_t value = 0;
  for (const char digit : digits) {
    const std::size_t place = kAlphabet.find(digit);
    if (place == std::string_view::npos) return std::nullopt;
    value = value << 5U | place;
  }
  return value;
}

}  // namespace

void IdSequence::go_on_after(std::string_view id) {
  const std::size_t start = id.find('_') + 1;
  if (start == 0 || id.size() != start + 26) return;
  const auto millis = read(id.substr(start, 10));
  const auto high = read(id.substr(start + 10, 8));
  const auto low = read(id.substr(start + 18, 8));
  if (!millis || !high || !low || *millis < millis_) return;
  millis_ = *millis;
  high_ = *high;
  low_ = *low;
}

std::string IdSequence::next(std::string_view prefix, SysTime now) {
  const auto millis = static_cast<std::uint64_t>(now.time_since_epoch().count());
  if (millis > millis_) {
    millis_ = millis;
    high_ = random_() & kFortyBits;
    low_ = random_() & kFortyBits;
  } else {
    // The same millisecond, or an earlier one: the last id plus a random stride, so that ids cannot
    // be guessed.
    low_ += 1 + (random_() & 0xffffU);
    if (low_ > kFortyBits) {
      low_ &= kFortyBits;
      high_ = (high_ + 1) & kFortyBits;
      if (high_ == 0) ++millis_;
    }
  }
  std::string id(prefix);
  id += '_';
  append(id, millis_, 10);
  append(id, high_, 8);
  append(id, low_, 8);
  return id;
}

}  // namespace rollwatch
