// A text that many hold and nobody changes: a copy costs no more than counting it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace rollwatch {

class SharedText {
 public:
  SharedText() = default;
  SharedText(std::string text) : text_(std::make_shared<const std::string>(std::move(text))) {}
  SharedText(const char* text) : SharedText(std::string(text)) {}

  const std::string& str() const {
    static const std::string empty;
    return text_ ? *text_ : empty;
  }
  operator std::string_view() const { return str(); }
  operator const std::string&() const { return str(); }
  friend bool operator==(const SharedText& a, std::string_view b) { return a.str() == b; }

 private:
  std::shared_ptr<const std::string> text_;
};

}  // namespace rollwatch
