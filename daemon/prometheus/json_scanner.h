// JSON, value by value, for a reader who keeps little of it. It takes what RFC 8259 takes and
// nothing else: UTF-8 must be valid, a number a number, nothing may follow the document. Nothing is
// recursive; how deep a document may be is for the reader to say.
//
// A reader has: null(), boolean(bool), number(), string(std::string&), key(std::string&),
// start_object(), end_object(), start_array(), end_array(), each of which returns whether to go on,
// and parse_error(std::size_t byte).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace rollwatch {

// The parts that do not depend on the reader. Each returns where what it has read ends, or npos.
namespace json {

constexpr std::size_t kBroken = static_cast<std::size_t>(-1);

std::size_t skip_space(std::string_view text, std::size_t at);
// From the byte behind the opening quote; `out` is what the string says.
std::size_t read_string(std::string_view text, std::size_t at, std::string& out);
std::size_t read_number(std::string_view text, std::size_t at);
std::size_t read_word(std::string_view text, std::size_t at, std::string_view word);

}  // namespace json

template <class Reader>
class JsonScanner {
 public:
  JsonScanner(std::string_view text, Reader& reader) : text_(text), reader_(reader) {}

  // Whether it is a document, and the reader wanted all of it.
  bool scan() {
    if (!value()) return false;
    while (!open_.empty()) {
      if (!next()) return false;
    }
    at_ = json::skip_space(text_, at_);
    return at_ == text_.size() || broken();
  }

 private:
  bool broken() {
    reader_.parse_error(at_ + 1);
    return false;
  }

  char peek() {
    at_ = json::skip_space(text_, at_);
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  bool moved_to(std::size_t end) {
    if (end == json::kBroken) return broken();
    at_ = end;
    return true;
  }

  bool value() {
    switch (peek()) {
      case '{':
        return open('{') && reader_.start_object();
      case '[':
        return open('[') && reader_.start_array();
      case '"':
        return moved_to(json::read_string(text_, at_ + 1, string_)) && reader_.string(string_);
      case 't':
        return moved_to(json::read_word(text_, at_, "true")) && reader_.boolean(true);
      case 'f':
        return moved_to(json::read_word(text_, at_, "false")) && reader_.boolean(false);
      case 'n':
        return moved_to(json::read_word(text_, at_, "null")) && reader_.null();
      default:
        return moved_to(json::read_number(text_, at_)) && reader_.number();
    }
  }

  bool open(char what) {
    open_.push_back(what);
    is_first_ = true;
    ++at_;
    return true;
  }

  // The next member of what is open, or its end.
  bool next() {
    const bool is_object = open_.back() == '{';
    char c = peek();
    if (c == (is_object ? '}' : ']')) {
      ++at_;
      open_.pop_back();
      is_first_ = false;
      return is_object ? reader_.end_object() : reader_.end_array();
    }
    if (!std::exchange(is_first_, false)) {
      if (c != ',') return broken();
      ++at_;
      c = peek();
    }
    if (!is_object) return value();
    if (c != '"') return broken();
    if (!moved_to(json::read_string(text_, at_ + 1, string_)) || !reader_.key(string_))
      return false;
    if (peek() != ':') return broken();
    ++at_;
    return value();
  }

  std::string_view text_;
  Reader& reader_;
  std::size_t at_ = 0;
  std::string open_;       // the brackets; short ones need no memory of their own
  bool is_first_ = false;  // nothing of what is open was read yet
  std::string string_;
};

}  // namespace rollwatch
