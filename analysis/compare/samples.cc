#include "analysis/compare/samples.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string_view>

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

Expected<std::vector<double>, std::string> bounds_of(const Answer& answer) {
  std::vector<double> bounds;
  std::string wrong;
  each_series(answer, [&](const Series& series) {
    const auto at = boundary(series);
    if (!at)
      wrong = "a series has no \"le\" that is a number: these are no buckets of a histogram";
    else if (std::isfinite(*at))
      bounds.push_back(*at);
  });
  if (!wrong.empty()) return Unexpected(wrong);
  std::ranges::sort(bounds);
  bounds.erase(std::unique(bounds.begin(), bounds.end()), bounds.end());
  return bounds;
}

void add_buckets(const Answer& answer, const std::vector<double>& bounds,
                 std::vector<CounterSample>& samples) {
  each_series(answer, [&](const Series& series) {
    const auto at = boundary(series);
    if (!at) return;
    const auto place = std::ranges::lower_bound(bounds, *at);
    samples.push_back({source_of(series), key_of(series, "le"),
                       static_cast<std::uint32_t>(place - bounds.begin()), series.value});
  });
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
