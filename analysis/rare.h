// Values that most rollouts never have. There may be a hundred thousand states in memory, and each
// is copied with every step: what is not there takes a pointer.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace rollwatch {

// As std::optional, but for where it keeps the value.
template <class T>
class Rare {
 public:
  Rare() = default;
  Rare(std::nullopt_t) {}
  Rare(T value) : value_(std::make_unique<T>(std::move(value))) {}
  Rare(std::optional<T> value) {
    if (value) value_ = std::make_unique<T>(*std::move(value));
  }
  Rare(const Rare& other) : value_(other.value_ ? std::make_unique<T>(*other.value_) : nullptr) {}
  Rare(Rare&&) noexcept = default;
  Rare& operator=(const Rare& other) {
    if (this == &other) return *this;
    if (value_ && other.value_)
      *value_ = *other.value_;
    else
      value_ = other.value_ ? std::make_unique<T>(*other.value_) : nullptr;
    return *this;
  }
  Rare& operator=(Rare&&) noexcept = default;
  ~Rare() = default;

  bool has_value() const { return value_ != nullptr; }
  explicit operator bool() const { return has_value(); }
  T& operator*() & { return *value_; }
  const T& operator*() const& { return *value_; }
  T&& operator*() && { return std::move(*value_); }
  T* operator->() { return value_.get(); }
  const T* operator->() const { return value_.get(); }
  T& emplace() {  // a new one
    value_ = std::make_unique<T>();
    return *value_;
  }
  void reset() { value_.reset(); }

 private:
  std::unique_ptr<T> value_;
};

// A text that is mostly empty.
class RareText {
 public:
  RareText() = default;
  RareText(std::string text) {
    if (!text.empty()) text_ = std::make_unique<std::string>(std::move(text));
  }
  RareText(const char* text) : RareText(std::string(text)) {}
  RareText(const RareText& other) : RareText(other.text()) {}
  RareText(RareText&&) noexcept = default;
  RareText& operator=(const RareText& other) {
    if (this != &other) *this = RareText(other);
    return *this;
  }
  RareText& operator=(RareText&&) noexcept = default;
  ~RareText() = default;

  const std::string& text() const { return text_ ? *text_ : none(); }
  operator const std::string&() const { return text(); }
  bool empty() const { return !text_; }
  void clear() { text_.reset(); }
  friend bool operator==(const RareText& a, const RareText& b) { return a.text() == b.text(); }
  template <class Text>
  requires std::is_convertible_v<const Text&, std::string_view>
  friend bool operator==(const RareText& a, const Text& b) {
    return a.text() == std::string_view(b);
  }

 private:
  static const std::string& none() {
    static const std::string nothing;
    return nothing;
  }
  std::unique_ptr<std::string> text_;
};

// Names and their values, mostly none. As a std::map to who reads it.
class RarePairs {
 public:
  using Map = std::map<std::string, std::string>;
  // So that whoever writes or prints containers takes it for a map, and not for a list of pairs.
  using key_type = Map::key_type;
  using mapped_type = Map::mapped_type;
  using value_type = Map::value_type;
  using const_iterator = Map::const_iterator;
  RarePairs() = default;
  RarePairs(Map pairs) {
    if (!pairs.empty()) pairs_ = std::move(pairs);
  }
  RarePairs(std::initializer_list<value_type> pairs) : RarePairs(Map(pairs)) {}

  const Map& map() const { return pairs_ ? *pairs_ : none(); }
  operator const Map&() const { return map(); }
  bool empty() const { return map().empty(); }
  std::size_t size() const { return map().size(); }
  void clear() { pairs_.reset(); }
  const_iterator begin() const { return map().begin(); }
  const_iterator end() const { return map().end(); }
  template <class Key>
  const_iterator find(const Key& name) const {
    return map().find(name);
  }
  std::string& operator[](const std::string& name) {
    return (pairs_ ? *pairs_ : pairs_.emplace())[name];
  }
  friend bool operator==(const RarePairs& a, const RarePairs& b) { return a.map() == b.map(); }

 private:
  static const Map& none() {
    static const Map nothing;
    return nothing;
  }
  Rare<Map> pairs_;
};

// A value that is mostly what a new one is. Reading it never makes it; made() does.
template <class T>
class Seldom {
 public:
  Seldom() = default;
  Seldom(T value) {
    if (!(value == T{})) value_ = std::move(value);
  }

  const T& operator*() const { return value_ ? *value_ : untouched(); }
  const T* operator->() const { return &**this; }
  T& made() { return value_ ? *value_ : value_.emplace(); }
  // Null: it is what a new one is.
  T* touched() { return value_ ? &*value_ : nullptr; }

 private:
  static const T& untouched() {
    static const T value{};
    return value;
  }
  Rare<T> value_;
};

}  // namespace rollwatch
