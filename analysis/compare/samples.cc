#include "analysis/compare/samples.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string_view>
#include <tuple>

namespace rollwatch {
namespace {

using statistics::CounterSample;

const std::string* label_of(const Series& series, std::string_view name) {
  for (const Label& label : series.labels)
    if (label.name == name) return &label.value;
  return nullptr;
}

std::uint64_t source_of(const Series& series) {
  const std::string* owner = owner_of(series);
  return owner == nullptr ? statistics::kUnknownSource : statistics::series_key(*owner);
}

// Of all labels but `without`. A sum, so that the order they came in makes no difference.
std::uint64_t key_of(const Series& series, std::string_view without) {
  std::uint64_t key = 0;
  for (const Label& label : series.labels)
    if (label.name != without) key += statistics::label_key(label.name, label.value);
  return key;
}

template <class Each>
void each_series(const Answer& answer, const Each& each) {
  if (const auto* vector = std::get_if<Vector>(&answer.result))
    for (const Series& series : vector->series) each(series);
}

// Infinite for "+Inf".
std::optional<double> boundary(const Series& series) {
  const std::string* text = label_of(series, "le");
  if (text == nullptr) return std::nullopt;
  if (*text == "+Inf" || *text == "inf" || *text == "Inf") {
    return std::numeric_limits<double>::infinity();
  }
  double value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size() || std::isnan(value))
    return std::nullopt;
  return value;
}

bool has_counter(const statistics::CounterTable& table, std::uint64_t source, std::uint32_t part,
                 std::uint64_t series) {
  const auto place_of = [](const statistics::CounterSeries& one) {
    return std::tuple(one.source, one.part, one.series);
  };
  return std::ranges::binary_search(table.series, std::tuple(source, part, series), {}, place_of);
}

}  // namespace

const std::string* owner_of(const Series& series) {
  for (const std::string_view name : {"pod", "instance"})
    if (const std::string* value = label_of(series, name)) return value;
  return nullptr;
}

void add_samples(const Answer& answer, std::uint32_t part, std::vector<CounterSample>& samples) {
  each_series(answer, [&](const Series& series) {
    samples.push_back({source_of(series), key_of(series, ""), part, series.value});
  });
}

Expected<std::vector<BucketSample>, std::string> buckets_of(const Answer& answer) {
  std::vector<BucketSample> buckets;
  bool is_histogram = true;
  each_series(answer, [&](const Series& series) {
    const auto at = boundary(series);
    if (at)
      buckets.push_back({source_of(series), key_of(series, "le"), *at, series.value});
    else
      is_histogram = false;
  });
  if (!is_histogram)
    return Unexpected(std::string(
        "a series has no \"le\" that is a number: these are no buckets of a histogram"));
  std::ranges::sort(buckets, {}, [](const BucketSample& one) {
    return std::tuple(one.source, one.series, one.boundary);
  });
  return buckets;
}

std::vector<double> boundaries_of(std::span<const BucketSample> buckets) {
  std::vector<double> found;
  for (const BucketSample& one : buckets)
    if (std::isfinite(one.boundary)) found.push_back(one.boundary);
  std::ranges::sort(found);
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

std::vector<double> lacked_by(std::span<const BucketSample> buckets,
                              std::span<const double> boundaries,
                              const statistics::CounterTable& known) {
  std::vector<bool> lacked(boundaries.size());
  while (!buckets.empty()) {
    const BucketSample head = buckets.front();
    std::size_t next = 0;
    const auto is_its = [&](std::size_t at) {
      return at < buckets.size() && buckets[at].source == head.source &&
             buckets[at].series == head.series;
    };
    for (std::size_t k = 0; k < boundaries.size(); ++k) {
      while (is_its(next) && buckets[next].boundary < boundaries[k]) ++next;
      const bool is_there = is_its(next) && buckets[next].boundary == boundaries[k];
      if (!is_there && !has_counter(known, head.source, static_cast<std::uint32_t>(k), head.series))
        lacked[k] = true;
    }
    while (is_its(next)) ++next;
    buckets = buckets.subspan(next);
  }
  std::vector<double> found;
  for (std::size_t k = 0; k < boundaries.size(); ++k)
    if (lacked[k]) found.push_back(boundaries[k]);
  return found;
}

std::vector<CounterSample> samples_of(std::span<const BucketSample> buckets,
                                      std::span<const double> boundaries) {
  std::vector<CounterSample> samples;
  samples.reserve(buckets.size());
  for (const BucketSample& one : buckets) {
    const auto place = std::ranges::lower_bound(boundaries, one.boundary);
    const bool is_used =
        place == boundaries.end() ? std::isinf(one.boundary) : *place == one.boundary;
    if (is_used)
      samples.push_back({one.source, one.series,
                         static_cast<std::uint32_t>(place - boundaries.begin()), one.value});
  }
  return samples;
}

statistics::ArmCounts slower_than(std::span<const double> buckets, std::size_t boundary) {
  statistics::ArmCounts counts;
  for (std::size_t k = 0; k < buckets.size(); ++k) {
    counts.events += buckets[k];
    if (k >= boundary) counts.bad += buckets[k];
  }
  return counts;
}

}  // namespace rollwatch
