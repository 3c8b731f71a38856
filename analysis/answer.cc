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
  const auto named = std::find_if(labels.begin(), labels.end(),
                                  [](const Label& label) { return !label.value.empty(); });
  if (size() <= kFew || named == labels.end()) {
    for (const Series& series : all()) {
      if (has_labels(series, labels)) found.push_back(&series);
    }
    return found;
  }
  const Shared::ByValue& values = shared_->by(named->name);
  const auto there = values.find(named->value);
  if (there == values.end()) return found;
  for (const std::uint32_t i : there->second) {
    if (has_labels(shared_->all[i], labels)) found.push_back(&shared_->all[i]);
  }
  return found;
}

}  // namespace rollwatch
