#include "analysis/slots.h"

#include <algorithm>

namespace rollwatch {
namespace {

std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  const std::int64_t q = a / b;
  return a % b < 0 ? q - 1 : q;
}

// FNV-1a, then mixed so that neighbouring inputs spread over the whole interval. Must never change:
// it would move no pinned phase, but rollouts registered before and after would no longer share
// questions.
std::uint64_t fold(std::uint64_t hash, std::string_view text) {
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3ULL;
  }
  return (hash ^ 0xff) * 0x100000001b3ULL;  // an end mark: ("ab","c") is not ("a","bc")
}

std::uint64_t mix(std::uint64_t x) {
  x ^= x >> 30;
  x *= 0xbf58476d1ce4e5b9ULL;
  x ^= x >> 27;
  x *= 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

// Where the interval is a multiple of it slots lie on multiples of this, so that those of one
// wake-up are due at the same moment and none of them is asked early. A wake-up costs as much as
// several evaluations, and the longer one asks without a pause the later is the last of it: at
// 1,000 evaluations a second, 40 of them go out together and the last is 2 ms late
// (docs/performance.md).
constexpr Millis kTogether{40};

}  // namespace

SysTime Grid::at(std::int64_t slot) const { return SysTime{phase + slot * interval}; }

std::int64_t Grid::last_at_or_before(SysTime time) const {
  return floor_div((time.time_since_epoch() - phase).count(), interval.count());
}

std::int64_t Grid::first_at_or_after(SysTime time) const {
  return last_at_or_before(time - Millis{1}) + 1;
}

Millis phase_of(std::string_view datasource, std::string_view query, Millis interval) {
  const std::uint64_t hash = mix(fold(fold(0xcbf29ce484222325ULL, datasource), query));
  const auto phase = static_cast<std::int64_t>(hash % static_cast<std::uint64_t>(interval.count()));
  return Millis{phase - phase % kTogether.count()};
}

Grid grid_of(const ConditionPlan& condition, const ConditionState& state) {
  return {Millis{state.phase_ms}, condition.interval};
}

std::optional<std::int64_t> next_slot(const ConditionPlan& condition, const ConditionState& state,
                                      Millis ingestion_delay) {
  if (!state.watched_from) return std::nullopt;
  const Grid grid = grid_of(condition, state);
  const std::int64_t first = grid.first_at_or_after(*state.watched_from + ingestion_delay);
  if (state.last_slot == ConditionState::kNoSlot) return first;
  const std::int64_t next = state.last_slot + 1;
  return grid.at(state.last_slot) >= *state.watched_from ? next : std::max(first, next);
}

bool is_ahead(const ConditionState& state, SysTime evaluated_at) {
  return evaluated_at > state.last_evaluated_at;
}

}  // namespace rollwatch
