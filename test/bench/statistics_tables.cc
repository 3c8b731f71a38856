#include "test/bench/statistics_tables.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <span>
#include <string>
#include <vector>

#include "analysis/statistics/gauge.h"
#include "analysis/statistics/histogram.h"
#include "test/bench/judged_rollout.h"
#include "test/bench/statistics_judges.h"

namespace rollwatch::bench {
namespace {

using statistics::GaugeMode;
using statistics::GaugeRules;
using statistics::HistogramRules;

// Counts each case of each replication, in no order.
template <std::size_t Cases>
std::array<Found, Cases> counted(int replications, std::uint64_t seed,
                                 const std::function<std::array<int, Cases>(Chance&)>& one) {
  std::vector<std::array<int, Cases>> said(static_cast<std::size_t>(replications));
  each_in_parallel(replications, [&](int i) {
    Chance chance = Chance::of(seed, static_cast<std::uint64_t>(i));
    said[static_cast<std::size_t>(i)] = one(chance);
  });
  std::array<Found, Cases> found;
  for (const auto& cases : said)
    for (std::size_t i = 0; i < Cases; ++i) found[i].add(cases[i]);
  return found;
}

// ---- Latency

constexpr std::array kBounds{5., 10., 25., 50., 100., 250., 500., 1000., 2500., 5000., 1e4};
constexpr std::array kBoundNames{"5",   "10",   "25",   "50",   "100",   "250",
                                 "500", "1000", "2500", "5000", "10000", "+Inf"};
using Buckets = std::array<double, kBoundNames.size()>;

struct Shift {
  const char* name;
  double slower, stuck;
};

// Requests that take log-normal times around 100 ms, one by one, join those of before.
void add_latencies(Buckets& cumulative, Chance& chance, int requests, const Shift& shift) {
  for (int i = 0; i < requests; ++i) {
    double took = shift.slower * 100 * std::exp(0.8 * chance.normal());
    if (shift.stuck > 0 && chance.uniform() < shift.stuck) took += 1000;
    const auto bucket = std::ranges::lower_bound(kBounds, took) - kBounds.begin();
    for (auto k = static_cast<std::size_t>(bucket); k < cumulative.size(); ++k) ++cumulative[k];
  }
}

Answer exported(const Buckets& cumulative, const std::string& pod) {
  std::vector<Series> series;
  for (std::size_t k = 0; k < cumulative.size(); ++k)
    series.push_back({{{"le", kBoundNames[k]}, {"pod", pod}}, cumulative[k]});
  return Answer{Vector{SeriesList(std::move(series))}, {}, false, nullptr, {}};
}

// A process that serves what all pods of stable do: noise of pods is not what is shown here.
std::array<int, 2> slowed(Chance& chance, int traffic, const Shift& shift,
                          std::span<const ConditionPlan, 2> conditions) {
  constexpr Shift kAsBefore{"", 1, 0};
  constexpr int kPast = 10;
  Buckets stable{}, candidate{};
  std::vector<HistorySlot> history;
  for (int slot = 0; slot <= kPast; ++slot) {
    if (slot > 0) add_latencies(stable, chance, traffic * 19 / 20, kAsBefore);
    history.push_back({SysTime(Millis(1000 * slot)), exported(stable, "stable"), {}});
  }
  std::vector<SlotAnswered> slots(SimulatedRollout::kSlots + 1);
  for (std::size_t slot = 0; slot < slots.size(); ++slot) {
    if (slot > 0) add_latencies(candidate, chance, traffic / 20, shift);
    if (slot > 0) add_latencies(stable, chance, traffic * 19 / 20, kAsBefore);
    slots[slot].arms = {exported(candidate, "candidate"), exported(stable, "stable")};
  }
  std::array<int, 2> rolled_back{};
  for (std::size_t i = 0; i < conditions.size(); ++i) {
    const auto answers = [&slots](int slot, int) { return slots[static_cast<std::size_t>(slot)]; };
    rolled_back[i] = played(conditions[i], {}, answers, history).rolled_back;
  }
  return rolled_back;
}

// ---- Gauges

struct Noise {
  const char* name;
  double correlation;
  bool heavy;
};

std::array<int, 2> shifted(Chance& chance, const Noise& noise, double shift,
                           const ConditionPlan& condition) {
  std::vector<double> differences;
  double last = chance.normal();
  for (int slot = 0; slot < SimulatedRollout::kSlots; ++slot) {
    last = noise.correlation * last + std::sqrt(1 - noise.correlation * noise.correlation) *
                                          (noise.heavy ? chance.student_3() : chance.normal());
    differences.push_back(last + shift);
  }
  int at_interval = kNever;
  for (std::size_t slot = 20; slot <= differences.size() && at_interval == kNever; ++slot)
    if (statistics::mean_limits(std::span(differences).first(slot), 0.05)->at_least > 0)
      at_interval = static_cast<int>(slot);
  const auto answers = [&differences](int slot, int) {
    SlotAnswered answered;
    const double difference = differences[static_cast<std::size_t>(std::max(slot, 1) - 1)];
    answered.arms = {one_number(100 + difference), one_number(100)};
    return answered;
  };
  return {played(condition, {}, answers).rolled_back, at_interval};
}

}  // namespace

void latency(const Options& options) {
  std::printf("### Latency from buckets: rolled back, and median slot (alpha 0.05)\n\n");
  HistogramRules none;
  none.tolerance = {0, 1, 0};
  none.dispersion.mode = statistics::DispersionMode::kOff;
  HistogramRules tolerant = none;
  tolerant.tolerance = {0.1, 1, 0.002};
  const std::array conditions{comparing_condition(none, 0.05), comparing_condition(tolerant, 0.05)};
  const int replications = std::max(2, options.replications / 10);
  Table table({"requests a slot", "the candidate", "no tolerance", "10 % slower + 0.2 pp"});
  for (const int traffic : {200, 1000})
    for (const Shift& shift :
         {Shift{"as stable", 1, 0}, Shift{"10 % slower", 1.1, 0}, Shift{"20 % slower", 1.2, 0},
          Shift{"50 % slower", 1.5, 0}, Shift{"2 % of requests 1 s more", 1, 0.02}}) {
      const auto found = counted<2>(replications, options.seed + 400, [&](Chance& chance) {
        return slowed(chance, traffic, shift, conditions);
      });
      table.add(
          {std::to_string(traffic), shift.name, found[0].with_delay(), found[1].with_delay()});
    }
  table.print();
  say_error(replications, 0.05);
}

void gauges(const Options& options) {
  std::printf("### One number a slot: rolled back, and median slot (alpha 0.05)\n\n");
  const ConditionPlan condition =
      comparing_condition(GaugeRules{GaugeMode::kDifference, true, 0, 0}, 0.05);
  const int replications = options.replications / 2;
  Table table({"noise of the difference", "true shift, of its spread", "`gauge`",
               "asymptotic interval, from slot 20"});
  for (const Noise& noise : {Noise{"normal", 0, false}, Noise{"heavy tails (Student, 3)", 0, true},
                             Noise{"each resembles the last (0.5)", 0.5, false},
                             Noise{"each resembles the last (0.8)", 0.8, false}})
    for (const double shift : {0.0, 1.0, 2.0}) {
      const auto found = counted<2>(replications, options.seed + 500, [&](Chance& chance) {
        return shifted(chance, noise, shift, condition);
      });
      table.add({noise.name, text_of("%.0f", shift), found[0].with_delay(), found[1].with_delay()});
    }
  table.print();
  say_error(replications, 0.05);
}

}  // namespace rollwatch::bench
