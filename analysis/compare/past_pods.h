// A window of stable's past, taken apart by pod.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analysis/compare/calibrate.h"

namespace rollwatch {

// Of more pods so many are played in a window, in the next one others.
inline constexpr std::size_t kMostPlayed = 50;

class PastPods {
 public:
  // The error says what is to be changed for pods to be told apart.
  static Expected<PastPods, std::string> of(const Plan& plan, const Calibration& calibration,
                                            const PastWindow& window);

  SysTime begins() const { return begins_; }
  const std::vector<std::string>& names() const { return names_; }
  // Who is played in the window with this number.
  std::vector<std::size_t> played(std::size_t window) const;

  // A slot's answers as if there were only this pod, or only the others.
  HistorySlot only(std::size_t condition, std::size_t slot, std::size_t pod) const;
  HistorySlot without(std::size_t condition, std::size_t slot, std::size_t pod) const;
  std::size_t slots(std::size_t condition) const { return conditions_[condition].size(); }

 private:
  static constexpr std::size_t kNobody = static_cast<std::size_t>(-1);
  // A series, whose labels are there once for all slots.
  struct Owned {
    std::size_t pod = kNobody;
    std::vector<Label> labels;
  };
  struct Sample {
    std::uint32_t series = 0;  // of series_
    double value = 0;
  };
  struct Slot {
    SysTime at{};
    std::vector<Sample> counted;
    std::optional<std::vector<Sample>> bad;
  };
  void name(const std::vector<const Series*>& all);
  template <class Wanted>
  HistorySlot chosen(const Slot& slot, const Wanted& wanted) const;

  SysTime begins_{};
  std::vector<std::string> names_;
  std::vector<Owned> series_;
  std::vector<std::vector<Slot>> conditions_;
};

}  // namespace rollwatch
