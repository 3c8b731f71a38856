// What saved states are made of, read back: whole numbers in base 128, lowest digit first, each
// with a bit that says whether another follows; doubles as their eight bytes; lists and texts
// behind their length. Takes any bytes: after the first mistake everything reads as zero, so that
// no caller has to look after each field.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace rollwatch {

class PackedReader {
 public:
  // `what` is read, as errors name it; it and the bytes must outlive this.
  PackedReader(std::string_view in, std::string_view what) : in_(in), what_(what) {}

  std::size_t left() const { return in_.size() - at_; }
  bool failed() const { return !error_.empty(); }
  const std::string& error() const { return error_; }

  // Keeps the first mistake, and leaves nothing to be read. 0.
  std::uint64_t fail(std::string_view mistake) {
    if (!failed()) {
      error_.append(what_).append(" has ").append(mistake).append(" before byte ");
      error_ += std::to_string(at_);
    }
    at_ = in_.size();
    return 0;
  }

  std::uint64_t get_number() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const std::uint8_t byte = get_byte();
      if (shift == 63 && byte > 1) return fail("a number that is too large");
      value |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
      if (byte >= 0x80) continue;
      // Only the shortest form is ours; so equal states stay equal bytes.
      if (byte == 0 && shift > 0) return fail("a number that is not in its shortest form");
      return value;
    }
    return fail("a number that is too large");
  }

  double get_double() {
    std::uint64_t bits = 0;
    for (int shift = 0; shift < 64; shift += 8) bits |= std::uint64_t{get_byte()} << shift;
    return std::bit_cast<double>(bits);
  }

  // Every element takes a byte at least, so a longer list than bytes left is a lie, found out
  // before memory is asked for.
  std::size_t get_length() {
    const std::uint64_t length = get_number();
    if (length > left()) return fail("a length that reaches beyond its end");
    return static_cast<std::size_t>(length);
  }

  std::string_view get_text() {
    const std::size_t length = get_length();
    const std::string_view text = in_.substr(at_, length);
    at_ += length;
    return text;
  }

 private:
  std::uint8_t get_byte() {
    if (left() == 0) {
      if (!failed()) error_ = std::string(what_) + " is cut short at byte " + std::to_string(at_);
      return 0;
    }
    return static_cast<std::uint8_t>(in_[at_++]);
  }

  std::string_view in_, what_;
  std::size_t at_ = 0;
  std::string error_;
};

}  // namespace rollwatch
