#include "analysis/statistics/packed_counters.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "analysis/statistics/counts.h"

namespace rollwatch::statistics {
namespace {

PackedSource packed(std::span<const CounterSeries> counters) {
  PackedSource source;
  source.source.value = counters.front().source;
  std::vector<std::uint64_t> keys;
  for (const CounterSeries& one : counters) keys.push_back(one.series);
  std::ranges::sort(keys);
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  for (const std::uint64_t key : keys) source.series.push_back({key});
  std::uint64_t next = 0;
  for (const CounterSeries& one : counters) {
    const auto which = std::ranges::lower_bound(keys, one.series) - keys.begin();
    const std::uint64_t place =
        std::uint64_t{one.part} * keys.size() + static_cast<std::uint64_t>(which);
    source.counters.push_back({place - next, one.missing, {one.last}});
    next = place + 1;
  }
  return source;
}

// In the order of packed(): each series is used, and they rise; so do places.
bool is_proper(const PackedSource& source) {
  if (source.series.empty() || source.counters.empty()) return false;
  for (std::size_t i = 1; i < source.series.size(); ++i)
    if (source.series[i - 1].value >= source.series[i].value) return false;
  std::vector<bool> used(source.series.size());
  std::uint64_t next = 0;
  for (const PackedCounter& one : source.counters) {
    const std::uint64_t place = next + one.place;
    if (place < next) return false;
    used[place % used.size()] = true;
    next = place + 1;
  }
  return std::ranges::find(used, false) == used.end();
}

}  // namespace

bool PackedCount::is_whole() const {
  return is_count(value) && !std::signbit(value) && std::floor(value) == value;
}

PackedTable packed(const CounterTable& table) {
  PackedTable all;
  all.parts = table.parts;
  all.last_at = table.last_at;
  std::span<const CounterSeries> left = table.series;
  while (!left.empty()) {
    const auto end = std::ranges::find_if(
        left,
        [source = left.front().source](const CounterSeries& one) { return one.source != source; });
    const auto count = static_cast<std::size_t>(end - left.begin());
    all.sources.push_back(packed(left.first(count)));
    left = left.subspan(count);
  }
  return all;
}

std::optional<CounterTable> unpacked(const PackedTable& table) {
  CounterTable all;
  all.parts = table.parts;
  all.last_at = table.last_at;
  const PackedSource* before = nullptr;
  for (const PackedSource& source : table.sources) {
    if (!is_proper(source)) return std::nullopt;
    if (before != nullptr && before->source.value >= source.source.value) return std::nullopt;
    before = &source;
    std::uint64_t next = 0;
    for (const PackedCounter& one : source.counters) {
      const std::uint64_t place = next + one.place;
      next = place + 1;
      const std::uint64_t part = place / source.series.size();
      if (part >= table.parts) return std::nullopt;
      all.series.push_back({source.source.value, source.series[place % source.series.size()].value,
                            static_cast<std::uint32_t>(part), one.missing, one.last.value});
    }
  }
  return all;
}

}  // namespace rollwatch::statistics
