#include "analysis/compare/past_pods.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "analysis/compare/samples.h"

namespace rollwatch {
namespace {

using LabelSet = std::vector<std::pair<std::string, std::string>>;

LabelSet label_set(const Series& series) {
  LabelSet labels;
  labels.reserve(series.labels.size());
  for (const Label& label : series.labels) labels.emplace_back(label.name, label.value);
  std::ranges::sort(labels);
  return labels;
}

const SeriesList* series_of(const Answer& answer) {
  const auto* vector = std::get_if<Vector>(&answer.result);
  return vector == nullptr ? nullptr : &vector->series;
}

// Numbers the different series of a window's answers, which outlive it. One slot's series come in
// much the same order as those of the slot before, so hardly any is looked for.
class Numbering {
 public:
  std::vector<std::uint32_t> numbers_of(const SeriesList& list) {
    std::vector<std::uint32_t> numbers;
    numbers.reserve(list.size());
    std::size_t next = 0;  // in the slot before
    for (const Series& series : list) {
      if (!is_before(next, series) && is_before(next + 1, series)) ++next;
      numbers.push_back(is_before(next, series) ? before_[next] : look_up(series));
      ++next;
    }
    before_ = numbers;
    return numbers;
  }
  const std::vector<const Series*>& series() const { return series_; }

 private:
  bool is_before(std::size_t place, const Series& series) const {
    return place < before_.size() && series_[before_[place]]->labels == series.labels;
  }
  std::uint32_t look_up(const Series& series) {
    const auto [found, is_new] =
        numbers_.try_emplace(label_set(series), static_cast<std::uint32_t>(series_.size()));
    if (is_new) series_.push_back(&series);
    return found->second;
  }

  std::map<LabelSet, std::uint32_t> numbers_;
  std::vector<const Series*> series_;
  std::vector<std::uint32_t> before_;
};

// Series get short labels that tell them apart as their own do: all of them are looked at once for
// every pod that is played. `le` stays, and is no part of what a histogram's series is.
class ShortNames {
 public:
  std::vector<Label> of(const Series& series, std::optional<std::size_t> pod) {
    std::vector<Label> named;
    if (pod) named.push_back({"pod", std::to_string(*pod)});
    LabelSet rest = label_set(series);
    std::erase_if(rest, [&named](const auto& label) {
      const bool is_boundary = label.first == "le";
      if (is_boundary) named.push_back({label.first, label.second});
      return is_boundary;
    });
    const auto id = ids_.try_emplace(std::move(rest), ids_.size()).first->second;
    named.push_back({"series", std::to_string(id)});
    return named;
  }

 private:
  std::map<LabelSet, std::size_t> ids_;
};

// "" if so many are counted.
std::string too_many(const ConditionPlan& condition, std::size_t series) {
  const bool is_histogram = comparison_of(condition)->kind() == CompareKind::kHistogram;
  const std::size_t most = is_histogram ? kMostBuckets : kMostSeries;
  if (series <= most) return "";
  return condition.name + ": " + std::to_string(series) + " series of stable, at most " +
         std::to_string(most) + " are counted; " +
         std::string(is_histogram ? kFewerOfHistogram : kFewerOfRate);
}

// What of a condition was seen of each series, by its number.
class SeenSeries {
 public:
  void add_events(std::uint32_t series) { of(series).has_events = true; }
  void add_bad(std::uint32_t series, double value, bool is_first_slot) {
    Seen& seen = of(series);
    if (seen.slots++ == 0) seen.begins_at = is_first_slot ? value : 0;
    seen.rose = seen.rose || value > seen.begins_at;
  }
  // Who goes on counting bad events and has no event: nothing of it would be counted. "" if nobody.
  std::string without_events(const std::vector<const Series*>& all) const {
    std::set<std::string_view> served;
    for (std::size_t i = 0; i < seen_.size(); ++i)
      if (const std::string* owner = owner_of(*all[i]); owner != nullptr && seen_[i].has_events)
        served.insert(*owner);
    for (std::size_t i = 0; i < seen_.size(); ++i)
      if (const std::string* owner = owner_of(*all[i]);
          owner != nullptr && seen_[i].rose && seen_[i].slots > 1 && !served.contains(*owner))
        return *owner;
    return "";
  }

 private:
  struct Seen {
    bool has_events = false, rose = false;
    std::size_t slots = 0;
    double begins_at = 0;
  };
  Seen& of(std::uint32_t series) {
    if (series >= seen_.size()) seen_.resize(series + std::size_t{1});
    return seen_[series];
  }
  std::vector<Seen> seen_;
};

std::string nobodys(const std::string& condition) {
  return condition +
         ": none of its series has a label \"pod\" or \"instance\", so no pod can be taken out of "
         "them; ask for counters that are not summed up, or with sum by (pod)";
}

}  // namespace

Expected<PastPods, std::string> PastPods::of(const Plan& plan, const Calibration& calibration,
                                             const PastWindow& window) {
  PastPods pods;
  pods.begins_ = window.begins;
  Numbering numbering;
  const auto samples_of = [&](const Answer& answer, std::size_t& most, bool& is_somebodys) {
    std::vector<Sample> samples;
    const SeriesList* list = series_of(answer);
    if (list == nullptr) return samples;
    most = std::max(most, list->size());
    const std::vector<std::uint32_t> numbers = numbering.numbers_of(*list);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      samples.push_back({numbers[i], (*list)[i].value});
      is_somebodys = is_somebodys || owner_of((*list)[i]) != nullptr;
    }
    return samples;
  };
  for (std::size_t i = 0; i < window.answers.size(); ++i) {
    const ConditionPlan& condition = plan.conditions[calibration.conditions[i]];
    std::size_t most = 0;
    bool has_series = false, is_somebodys = false;
    SeenSeries seen;
    std::vector<Slot>& slots = pods.conditions_.emplace_back();
    for (const HistorySlot& answer : window.answers[i]) {
      Slot& slot = slots.emplace_back();
      slot.at = answer.at;
      slot.counted = samples_of(answer.counted, most, is_somebodys);
      for (const Sample& sample : slot.counted) seen.add_events(sample.series);
      if (answer.bad) {
        slot.bad = samples_of(*answer.bad, most, is_somebodys);
        for (const Sample& sample : *slot.bad)
          seen.add_bad(sample.series, sample.value, slots.size() == 1);
      }
      has_series = has_series || !slot.counted.empty();
    }
    if (std::string why = too_many(condition, most); !why.empty())
      return Unexpected(std::move(why));
    if (has_series && !is_somebodys) return Unexpected(nobodys(condition.name));
    if (const std::string owner = seen.without_events(numbering.series()); !owner.empty())
      return Unexpected(condition.name + ": bad_events counts \"" + owner +
                        "\", of which events has no series; " + std::string(kTellTheSame));
  }
  pods.name(numbering.series());
  return pods;
}

void PastPods::name(const std::vector<const Series*>& all) {
  std::set<std::string> names;
  for (const Series* series : all)
    if (const std::string* owner = owner_of(*series)) names.insert(*owner);
  names_.assign(names.begin(), names.end());
  ShortNames short_names;
  for (const Series* series : all) {
    std::optional<std::size_t> pod;
    if (const std::string* owner = owner_of(*series))
      pod = static_cast<std::size_t>(std::ranges::lower_bound(names_, *owner) - names_.begin());
    series_.push_back({pod.value_or(kNobody), short_names.of(*series, pod)});
  }
}

std::vector<std::size_t> PastPods::played(std::size_t window) const {
  std::vector<std::size_t> pods;
  if (names_.size() < 2) return pods;  // there is nobody to hold it against
  const std::size_t many = std::min(names_.size(), kMostPlayed);
  for (std::size_t i = 0; i < many; ++i) pods.push_back((window * many + i) % names_.size());
  return pods;
}

template <class Wanted>
HistorySlot PastPods::chosen(const Slot& slot, const Wanted& wanted) const {
  const auto answer_of = [this, &wanted](const std::vector<Sample>& all) {
    std::vector<Series> series;
    for (const Sample& sample : all)
      if (const Owned& owned = series_[sample.series]; wanted(owned.pod))
        series.push_back({owned.labels, sample.value});
    Answer answer;
    answer.result = Vector{SeriesList(std::move(series))};
    return answer;
  };
  HistorySlot found{slot.at, answer_of(slot.counted), std::nullopt};
  if (slot.bad) found.bad = answer_of(*slot.bad);
  return found;
}

HistorySlot PastPods::only(std::size_t condition, std::size_t slot, std::size_t pod) const {
  return chosen(conditions_[condition][slot], [pod](std::size_t owner) { return owner == pod; });
}

HistorySlot PastPods::without(std::size_t condition, std::size_t slot, std::size_t pod) const {
  return chosen(conditions_[condition][slot], [pod](std::size_t owner) { return owner != pod; });
}

}  // namespace rollwatch
