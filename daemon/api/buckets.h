// How often something may happen, counted apart for each of a bounded number of keys: every key has
// a bucket that refills with time. When there are too many keys the one that was used longest ago
// is forgotten, as if it had never been seen: its bucket is full again.
#pragma once

#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "daemon/net/clock.h"

namespace rollwatch {

// The values of the keys that were used last.
template <class T>
class Recent {
 public:
  explicit Recent(std::size_t most) : most_(most) {}

  // Null if it is not known. It is the latest used by that.
  T* find(std::string_view key) {
    const auto found = places_.find(key);
    if (found == places_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, found->second);
    return &found->second->second;
  }
  T& put(std::string key, T value) {
    if (T* known = find(key)) return *known = std::move(value);
    if (entries_.size() >= most_) {
      places_.erase(entries_.back().first);
      entries_.pop_back();
    }
    entries_.emplace_front(std::move(key), std::move(value));
    places_.emplace(entries_.front().first, entries_.begin());
    return entries_.front().second;
  }
  std::size_t size() const { return entries_.size(); }

 private:
  using Entries = std::list<std::pair<std::string, T>>;
  std::size_t most_;
  Entries entries_;                                                          // latest used first
  std::unordered_map<std::string_view, typename Entries::iterator> places_;  // keys are in entries_
};

class Buckets {
 public:
  explicit Buckets(std::size_t most) : levels_(most) {}

  // Whether there is one left; it is taken. `rate`: how many come back a second, up to `burst`.
  bool take(const std::string& key, double rate, double burst, SteadyTime now);
  bool is_empty(const std::string& key, double rate, double burst, SteadyTime now);
  std::size_t size() const { return levels_.size(); }

 private:
  struct Level {
    double left = 0;
    SteadyTime at{};
  };
  static double left_in(const Level& level, double rate, double burst, SteadyTime now);

  Recent<Level> levels_;
};

}  // namespace rollwatch
