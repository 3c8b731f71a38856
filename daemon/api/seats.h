// How many calls that cost much may be under way at once. Io thread only.
#pragma once

#include <cstddef>
#include <memory>

namespace rollwatch {

class Seats {
 public:
  explicit Seats(std::size_t most) : most_(most) {}

  // Taken until it is destroyed; null: none is free.
  std::shared_ptr<void> take() const {
    if (*taken_ >= most_) return nullptr;
    return std::make_shared<Seat>(taken_);
  }

 private:
  struct Seat {
    explicit Seat(std::shared_ptr<std::size_t> all) : taken(std::move(all)) { ++*taken; }
    ~Seat() { --*taken; }
    Seat(const Seat&) = delete;
    Seat& operator=(const Seat&) = delete;
    std::shared_ptr<std::size_t> taken;
  };
  std::size_t most_;
  std::shared_ptr<std::size_t> taken_ = std::make_shared<std::size_t>(0);
};

}  // namespace rollwatch
