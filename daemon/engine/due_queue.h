// What is due when: each entry at one moment at most, the earliest first.
//
// Slots lie on common steps of time, so that many are due at one moment: each moment is a list of
// what is due then, and an entry knows its place there. Of thousands of entries, which lie anywhere
// in memory, no other is looked at when one comes or goes, but the last of its own moment.
#pragma once

#include <cstddef>
#include <map>
#include <utility>
#include <vector>

#include "analysis/time.h"

namespace rollwatch {

// Where an entry is. `Entry` has a member `DuePlace due_place`, which is this queue's alone.
struct DuePlace {
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  SysTime at{};
  std::size_t index = kNone;  // of the list of that moment; kNone: it is not due
};

template <class EntryPtr>
class DueQueue {
 public:
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  SysTime earliest() const { return moments_.begin()->first; }

  // In place of when it was due until now.
  void set(const EntryPtr& entry, SysTime at) {
    DuePlace& place = entry->due_place;
    if (place.index != DuePlace::kNone) {
      if (place.at == at) return;
      take(place);
    }
    auto& moment = moments_[at];
    place = {at, moment.size()};
    moment.push_back(entry);
    ++size_;
  }

  void remove(const EntryPtr& entry) {
    if (entry->due_place.index != DuePlace::kNone) take(entry->due_place);
  }

  EntryPtr pop() { return take(moments_.begin()->second.back()->due_place); }

 private:
  EntryPtr take(DuePlace& place) {
    const auto moment = moments_.find(place.at);
    auto& entries = moment->second;
    EntryPtr entry = std::move(entries[place.index]);
    if (place.index + 1 < entries.size()) {
      entries[place.index] = std::move(entries.back());
      entries[place.index]->due_place.index = place.index;
    }
    entries.pop_back();
    if (entries.empty()) moments_.erase(moment);
    place.index = DuePlace::kNone;
    --size_;
    return entry;
  }

  std::map<SysTime, std::vector<EntryPtr>> moments_;  // none of them empty
  std::size_t size_ = 0;
};

}  // namespace rollwatch
