// What is due when: each entry at one moment at most, the earliest first. A heap in which each
// entry knows its place, so that a new moment replaces the old one, and nothing is left lying.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "analysis/time.h"

namespace rollwatch {

// `Entry` has a member `std::size_t due_place`, which is this queue's alone, kNotDue to begin with.
inline constexpr std::size_t kNotDue = static_cast<std::size_t>(-1);

template <class EntryPtr>
class DueQueue {
 public:
  bool empty() const { return heap_.empty(); }
  std::size_t size() const { return heap_.size(); }
  SysTime earliest() const { return heap_.front().at; }

  // In place of when it was due until now.
  void set(const EntryPtr& entry, SysTime at) {
    std::size_t place = entry->due_place;
    if (place == kNotDue) {
      place = heap_.size();
      heap_.push_back({at, entry});
      entry->due_place = place;
    }
    const SysTime before = std::exchange(heap_[place].at, at);
    if (at <= before) up(place);
    if (at > before) down(place);
  }

  void remove(const EntryPtr& entry) {
    const std::size_t place = entry->due_place;
    if (place != kNotDue) take(place);
  }

  EntryPtr pop() { return take(0); }

 private:
  struct Due {
    SysTime at;
    EntryPtr entry;
  };

  EntryPtr take(std::size_t place) {
    EntryPtr entry = std::move(heap_[place].entry);
    entry->due_place = kNotDue;
    const std::size_t last = heap_.size() - 1;
    if (place != last) {
      heap_[place] = std::move(heap_[last]);
      heap_[place].entry->due_place = place;
    }
    heap_.pop_back();
    if (place != last) {
      up(place);
      down(place);
    }
    return entry;
  }

  void up(std::size_t place) {
    while (place > 0) {
      const std::size_t parent = (place - 1) / 2;
      if (heap_[place].at >= heap_[parent].at) return;
      exchange(place, parent);
      place = parent;
    }
  }

  void down(std::size_t place) {
    for (;;) {
      std::size_t first = place;
      for (std::size_t child = 2 * place + 1; child <= 2 * place + 2; ++child)
        if (child < heap_.size() && heap_[child].at < heap_[first].at) first = child;
      if (first == place) return;
      exchange(place, first);
      place = first;
    }
  }

  void exchange(std::size_t a, std::size_t b) {
    std::swap(heap_[a], heap_[b]);
    heap_[a].entry->due_place = a;
    heap_[b].entry->due_place = b;
  }

  std::vector<Due> heap_;
};

}  // namespace rollwatch
