#include "analysis/statistics/counters.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <iterator>
#include <tuple>
#include <utility>

namespace rollwatch::statistics {
namespace {

// FNV-1a.
constexpr std::uint64_t kNothingYet = 0xcbf29ce484222325;
std::uint64_t fold(std::uint64_t hash, std::string_view text) {
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

// The bits of each byte over all (the last step of MurmurHash3).
std::uint64_t spread(std::uint64_t hash) {
  hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccd;
  hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53;
  return hash ^ (hash >> 33);
}

template <class Counter>
auto place_of(const Counter& counter) {
  return std::tie(counter.source, counter.part, counter.series);
}

// Those of one source at the front of a list that is in order.
template <class Counter>
std::span<const Counter> of_source(std::span<const Counter> list, std::uint64_t source) {
  const auto end = std::find_if(list.begin(), list.end(),
                                [source](const Counter& one) { return one.source != source; });
  return list.first(static_cast<std::size_t>(end - list.begin()));
}

void put_in_order(std::vector<CounterSample>& samples) {
  std::erase_if(samples, [](const CounterSample& sample) {
    return !std::isfinite(sample.value) || sample.value < 0;
  });
  std::sort(samples.begin(), samples.end(), [](const auto& a, const auto& b) {
    return std::tuple(place_of(a), a.value) < std::tuple(place_of(b), b.value);
  });
  // The same series twice: the larger.
  const auto first =
      std::unique(samples.rbegin(), samples.rend(),
                  [](const auto& a, const auto& b) { return place_of(a) == place_of(b); });
  samples.erase(samples.begin(), first.base());
}

// Calls with what is known, what was read, or both, of each series in turn.
template <class Each>
void walk(std::span<const CounterSeries> known, std::span<const CounterSample> read,
          const Each& each) {
  std::size_t i = 0, j = 0;
  while (i < known.size() || j < read.size()) {
    const bool takes_known =
        i < known.size() && (j == read.size() || place_of(known[i]) <= place_of(read[j]));
    const bool takes_read =
        j < read.size() && (i == known.size() || place_of(read[j]) <= place_of(known[i]));
    each(takes_known ? &known[i] : nullptr, takes_read ? &read[j] : nullptr);
    i += takes_known ? 1 : 0;
    j += takes_read ? 1 : 0;
  }
}

// Calls with each source's own part of what is known and of what was read.
template <class Each>
void walk_sources(std::span<const CounterSeries> known, std::span<const CounterSample> read,
                  const Each& each) {
  while (!known.empty() || !read.empty()) {
    const std::uint64_t source = known.empty() ? read.front().source
                                 : read.empty()
                                     ? known.front().source
                                     : std::min(known.front().source, read.front().source);
    const auto known_here = of_source(known, source);
    const auto read_here = of_source(read, source);
    each(source, known_here, read_here);
    known = known.subspan(known_here.size());
    read = read.subspan(read_here.size());
  }
}

// Not in the last digits, in which a sum of floats differs from itself.
bool fell(const CounterSeries& before, double value) {
  constexpr double kRounding = 1e-9;
  return value < before.last * (1 - kRounding);
}

// What fell of a process' counters: did it begin anew, or was it read where it is a little behind?
class Falls {
 public:
  void add(const CounterSeries& before, double value) {
    before_ += before.last;
    now_ += value;
    largest_ = std::max(largest_, before.last);
    if (!fell(before, value)) return;
    any_ = true;
    by_half_ =
        by_half_ || (before.last >= CounterTable::kLeastToGoBack && value <= before.last / 2);
  }
  bool began_anew() const {
    return any_ && (by_half_ || largest_ < CounterTable::kLeastToGoBack || now_ <= before_ / 2);
  }

 private:
  double before_ = 0, now_ = 0, largest_ = 0;
  bool any_ = false, by_half_ = false;
};

bool has_events(std::span<const CounterSample> read) {
  return !read.empty() && read.front().part == 0;  // in order
}

// One source in one update.
class SourceUpdate {
 public:
  SourceUpdate(std::span<const CounterSeries> known, std::span<const CounterSample> read,
               std::uint64_t source, bool anchors)
      : known_(known), read_(read), source_(source), anchors_(anchors) {
    if (anchors_ || source_ == kUnknownSource) return;
    Falls falls;
    walk(known_, read_, [&](const CounterSeries* before, const CounterSample* now) {
      if (before != nullptr && now != nullptr) falls.add(*before, now->value);
    });
    began_anew_ = falls.began_anew();
    held_ = !has_events(read_) || (!began_anew_ && waits());
  }

  void apply(std::vector<CounterSeries>& after, Increments& increments) const {
    if (!anchors_ && !held_ && !read_.empty()) {
      increments.sources.push_back(source_);
      increments.counts.resize(increments.counts.size() + increments.parts, 0.0);
    }
    walk(known_, read_, [&](const CounterSeries* before, const CounterSample* now) {
      if (now == nullptr) {
        keep_missing(*before, after);
      } else if (before != nullptr && is_behind(*before, now->value)) {
        keep_behind(*before, now->value, after);
      } else if (held_) {
        keep_held(before, *now, after);
      } else {
        if (!anchors_)
          *(increments.counts.end() - static_cast<std::ptrdiff_t>(increments.parts) + now->part) +=
              increment(before, now->value);
        const bool goes_on = before != nullptr && !began_anew_ && !fell(*before, now->value);
        after.push_back({now->source, now->series, now->part, 0,
                         goes_on ? std::max(before->last, now->value) : now->value});
      }
    });
  }

 private:
  // Something of it that cannot be read now comes again, as far as anybody can tell.
  bool waits() const {
    std::vector<std::uint64_t> read_series;  // only where something is missing
    bool found = false;
    walk(known_, read_, [&](const CounterSeries* before, const CounterSample* now) {
      if (found || before == nullptr || before->missing + 1 >= CounterTable::kGoneAfter) return;
      if (now != nullptr) {
        found = is_behind(*before, now->value);
        return;
      }
      if (read_series.empty()) {
        for (const CounterSample& sample : read_) read_series.push_back(sample.series);
        std::ranges::sort(read_series);
      }
      // Where another part of the same series is there, this one was lost on the way.
      found = std::ranges::binary_search(read_series, before->series) || !others_go_on(*before);
    });
    return found;
  }

  // Others that count the same; of the bad events of some labels: others of all events, if those
  // labels had events of their own.
  bool others_go_on(const CounterSeries& ended) const {
    const auto place = [](const CounterSeries& one) { return std::pair(one.part, one.series); };
    const bool had_events =
        std::ranges::binary_search(known_, std::pair(0U, ended.series), {}, place);
    const std::uint32_t part = had_events ? 0 : ended.part;
    return std::ranges::binary_search(read_, part, {}, &CounterSample::part);
  }

  bool is_behind(const CounterSeries& before, double value) const {
    if (anchors_ || began_anew_ || !fell(before, value)) return false;
    if (source_ != kUnknownSource) return true;
    Falls falls;
    falls.add(before, value);
    return !falls.began_anew();
  }

  void keep_missing(const CounterSeries& before, std::vector<CounterSeries>& after) const {
    if (began_anew_ || before.missing + 1 >= CounterTable::kForgottenAfter) return;
    after.push_back(before);
    ++after.back().missing;
  }

  // As if it were missing; what stays behind for too long is where it is from now on.
  void keep_behind(const CounterSeries& before, double value,
                   std::vector<CounterSeries>& after) const {
    after.push_back(before);
    if (++after.back().missing < CounterTable::kGoneAfter || held_) return;
    after.back().missing = 0;
    after.back().last = value;
  }

  // What is born since is counted whole when the source is. That somebody had bad events before any
  // event is remembered, to be noticed when it stays so.
  void keep_held(const CounterSeries* before, const CounterSample& now,
                 std::vector<CounterSeries>& after) const {
    if (before != nullptr) {
      after.push_back(*before);
      after.back().missing = 0;
    } else if (!has_events(read_) && (known_.empty() || known_.front().part != 0)) {
      after.push_back({now.source, now.series, now.part, 0, 0});
    }
  }

  double increment(const CounterSeries* before, double value) const {
    if (before == nullptr || began_anew_ || fell(*before, value)) return value;
    return std::max(0.0, value - before->last);
  }

  std::span<const CounterSeries> known_;
  std::span<const CounterSample> read_;
  std::uint64_t source_;
  bool anchors_;
  bool began_anew_ = false;
  bool held_ = false;
};

void forget_who_went_first(std::vector<CounterSeries>& series) {
  std::vector<std::uint32_t> missing;
  for (const CounterSeries& one : series)
    if (one.missing >= CounterTable::kLongGoneAfter) missing.push_back(one.missing);
  if (missing.size() <= CounterTable::kMostLongGone) return;
  // So long and longer: who stays does not depend on any order.
  const auto limit = missing.begin() + static_cast<std::ptrdiff_t>(CounterTable::kMostLongGone);
  std::nth_element(missing.begin(), limit, missing.end());
  std::erase_if(series, [&](const CounterSeries& one) { return one.missing >= *limit; });
}

}  // namespace

std::uint64_t series_key(std::string_view text) {
  const std::uint64_t hash = spread(fold(kNothingYet, text));
  return hash == kUnknownSource ? 1 : hash;
}

std::uint64_t label_key(std::string_view name, std::string_view value) {
  return spread(fold(fold(fold(kNothingYet, name), std::string_view("\0", 1)), value));
}

double Increments::total(std::size_t part) const {
  double sum = 0;
  for (std::size_t i = part; i < counts.size(); i += parts) sum += counts[i];
  return sum;
}

CounterTable CounterTable::start(std::uint32_t parts) {
  assert(parts > 0 && "something is counted");
  CounterTable table;
  table.parts = parts;
  return table;
}

bool CounterTable::update(SysTime at, std::vector<CounterSample>& samples, Increments& increments) {
  increments.parts = parts;
  increments.sources.clear();
  increments.counts.clear();
  if (last_at && at <= *last_at) return false;
  put_in_order(samples);
  std::erase_if(samples, [this](const CounterSample& sample) { return sample.part >= parts; });

  std::vector<CounterSeries> after;
  after.reserve(std::max(series.size(), samples.size()));
  walk_sources(series, samples, [&](std::uint64_t source, auto known, auto read) {
    SourceUpdate(known, read, source, !last_at).apply(after, increments);
  });
  forget_who_went_first(after);
  series = std::move(after);
  last_at = at;
  return true;
}

std::vector<std::uint64_t> CounterTable::without_events(std::vector<CounterSample>& samples) const {
  put_in_order(samples);
  std::vector<std::uint64_t> found;
  walk_sources(series, samples, [&](std::uint64_t source, auto known, auto read) {
    if (source == kUnknownSource || has_events(read)) return;
    const bool may_come = std::ranges::any_of(
        known, [](const CounterSeries& one) { return one.part == 0 && one.missing < kGoneAfter; });
    if (may_come) return;
    bool counts = false;
    walk(known, read, [&](const CounterSeries* before, const CounterSample* now) {
      if (before == nullptr || now == nullptr) return;
      counts = counts || (now->value > 0 && now->value != before->last);
    });
    if (counts) found.push_back(source);
  });
  return found;
}

}  // namespace rollwatch::statistics
