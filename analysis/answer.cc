#include "analysis/answer.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <string_view>
#include <unordered_map>

namespace rollwatch {
namespace {

// Up to here, looking at all of them is cheaper than an index.
constexpr std::size_t kFew = 16;

bool has_label(const Series& series, const Label& wanted) {
  const auto found =
      std::find_if(series.labels.begin(), series.labels.end(),
                   [&wanted](const Label& label) { return label.name == wanted.name; });
  return found == series.labels.end() ? wanted.value.empty() : found->value == wanted.value;
}

bool has_labels(const Series& series, const std::vector<Label>& wanted) {
  return std::all_of(wanted.begin(), wanted.end(),
                     [&series](const Label& label) { return has_label(series, label); });
}

}  // namespace

struct SeriesList::Shared {
  // The places of the series that have a value of one label.
  using ByValue = std::unordered_map<std::string_view, std::vector<std::uint32_t>>;

  std::vector<Series> all;
  // Made for a label when it is first looked for. An answer is used by one thread.
  std::map<std::string, ByValue, std::less<>> index;

  const ByValue& by(const std::string& name) {
    const auto known = index.find(name);
    if (known != index.end()) return known->second;
    ByValue& values = index[name];
    for (std::uint32_t i = 0; i < all.size(); ++i) {
      for (const Label& label : all[i].labels) {
        if (label.name == name) values[label.value].push_back(i);
      }
    }
    return values;
  }
};

SeriesList::SeriesList(std::vector<Series> series) : shared_(std::make_shared<Shared>()) {
  shared_->all = std::move(series);
}

void SeriesList::push_back(Series series) {
  if (!shared_) shared_ = std::make_shared<Shared>();
  shared_->all.push_back(std::move(series));
}

const std::vector<Series>& SeriesList::all() const {
  static const std::vector<Series> none;
  return shared_ ? shared_->all : none;
}

std::vector<const Series*> SeriesList::with(const std::vector<Label>& labels) const {
  std::vector<const Series*> found;
  const bool is_named = std::any_of(labels.begin(), labels.end(),
                                    [](const Label& label) { return !label.value.empty(); });
  if (size() <= kFew || !is_named) {
    for (const Series& series : all()) {
      if (has_labels(series, labels)) found.push_back(&series);
    }
    return found;
  }
  // By the label that the fewest have: a namespace may be everybody's.
  const std::vector<std::uint32_t>* fewest = nullptr;
  for (const Label& label : labels) {
    if (label.value.empty()) continue;
    const Shared::ByValue& values = shared_->by(label.name);
    const auto there = values.find(label.value);
    if (there == values.end()) return found;
    if (fewest == nullptr || there->second.size() < fewest->size()) fewest = &there->second;
  }
  for (const std::uint32_t i : *fewest) {
    if (has_labels(shared_->all[i], labels)) found.push_back(&shared_->all[i]);
  }
  return found;
}

Answer share_of(const Answer& answer, const std::vector<Label>& picks,
                const std::vector<std::string>& added) {
  std::vector<Series> own;
  for (const Series* series : std::get<Vector>(answer.result).series.with(picks)) {
    own.push_back(*series);
    std::erase_if(own.back().labels, [&added](const Label& label) {
      return std::find(added.begin(), added.end(), label.name) != added.end();
    });
  }
  Answer share;
  share.result = Vector{SeriesList(std::move(own))};
  share.warnings = answer.warnings;
  share.partial = answer.partial;
  share.raw = answer.raw;
  share.duration = answer.duration;
  share.shared_with = answer.shared_with;
  return share;
}

}  // namespace rollwatch
