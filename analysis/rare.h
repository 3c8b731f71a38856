// Values that most rollouts never have. There may be a hundred thousand states in memory, and each
// is copied with every step: what is not there takes a pointer.
#pragma once

#include <memory>
#include <optional>
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
