// How often is a good release rolled back, and how soon a bad one found? Simulated rollouts of 60
// slots, judged by thresholds and comparisons as rollwatchd judges (judged_rollout.h), and by
// textbook tests that are looked at again and again; the tables of docs/statistics.md. Seeded: the
// same on every run.
//
//   rollwatch_bench_statistics [--replications N] [--seed N]
//
// Ends with 1 when ours rolls back more good releases of the first table than it promises.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "analysis/statistics/rate.h"
#include "analysis/statistics/rate_report.h"
#include "test/bench/simulated_rollout.h"
#include "test/bench/statistics_judges.h"
#include "test/bench/statistics_tables.h"

namespace rollwatch::bench {
namespace {

using statistics::DispersionMode;
using statistics::RateRules;

World world(double traffic, double candidate_rate) {
  World one;
  one.traffic = traffic;
  one.candidate_rate = candidate_rate;
  return one;
}

// ---- The tables

bool false_alarms(const Options& options) {
  std::printf("### Good releases rolled back within 60 slots\n\n");
  World shared_small = world(1000, 0.005), shared_large = world(10'000, 0.005);
  shared_small.incident_share = shared_large.incident_share = 0.1;
  World ramp = world(1000, 0.005);
  ramp.ramps = true;
  const auto all = procedures();
  auto found = tried(all,
                     {world(100, 0.005), world(1000, 0.005), world(10'000, 0.005), shared_small,
                      shared_large, ramp},
                     options.replications, options.seed);
  Table table({"", "100 requests a slot", "1,000", "10,000", "shared incidents, 1,000",
               "shared incidents, 10,000", "5, 25, 50 %, 1,000"});
  bool is_kept = true;
  double most_of_alpha = 0, error_at_alpha = 0;
  for (std::size_t p = 0; p < all.size(); ++p) {
    std::vector<std::string> row{all[p].name};
    for (const Found& one : found[p]) {
      row.push_back(one.percent());
      if (all[p].alpha < 0) continue;
      // Three standard errors of what would be seen at alpha itself.
      error_at_alpha = one.standard_error(all[p].alpha);
      is_kept = is_kept && one.share() <= all[p].alpha + 3 * error_at_alpha;
      most_of_alpha = std::max(most_of_alpha, one.share() / all[p].alpha);
    }
    table.add(std::move(row));
  }
  table.print();
  say_error(options.replications, 0.01);
  std::printf("The most false rollbacks of ours are %.2f of alpha. Promise: %s.\n\n", most_of_alpha,
              is_kept ? "kept" : "broken");
  return is_kept;
}

void detection(const Options& options) {
  std::printf("### Bad releases found within 60 slots, and the median slot in which they were\n\n");
  std::vector<World> worlds;
  std::vector<std::string> head{"stable has 0.5 % errors"};
  for (const double traffic : {100.0, 1000.0, 10'000.0})
    for (const double rate : {0.01, 0.02, 0.05}) {
      worlds.push_back(world(traffic, rate));
      std::array<char, 32> text{};
      std::snprintf(text.data(), text.size(), "%.0f, %.0f %%", traffic, 100 * rate);
      head.emplace_back(text.data());
    }
  const auto all = procedures();
  auto found = tried(all, worlds, options.replications / 2, options.seed + 100);
  Table table(head);
  for (std::size_t p = 0; p < all.size(); ++p) {
    std::vector<std::string> row{all[p].name};
    for (const Found& one : found[p]) row.push_back(one.with_delay());
    table.add(std::move(row));
  }
  table.print();
}

void late_regressions(const Options& options) {
  std::printf(
      "### Bad from slot 31 on: found, and median slot after that (alpha 0.05, no tolerance)\n\n");
  std::vector<World> worlds;
  for (const double traffic : {1000.0, 10'000.0})
    for (const double rate : {0.01, 0.02, 0.05}) {
      worlds.push_back(world(traffic, rate));
      worlds.back().worse_from = 31;
    }
  // What is said before is none of it.
  const auto later = [judge = by_rate(rules_with(1, 0), 0.05)](const SimulatedRollout& rollout) {
    return std::max(kNever, judge(rollout) - 30);
  };
  Table table({"1,000 requests a slot, 1 %", "2 %", "5 %", "10,000, 1 %", "2 %", "5 %"});
  const auto found = tried({{"", later}}, worlds, options.replications / 3, options.seed + 150);
  std::vector<std::string> row;
  for (const Found& one : found[0]) row.push_back(one.with_delay());
  table.add(std::move(row));
  table.print();
}

// The rollouts in which an interval held the true ratio in all slots; and its ends in the last.
struct Held {
  int missed = 0;
  statistics::Interval last;
};

Held held(const SimulatedRollout& rollout, double ratio) {
  std::vector<statistics::FedTick> ticks;
  Held held;
  for (const SimulatedSlot& slot : rollout.slots()) {
    ticks.push_back({{slot.candidate, statistics::sum_of(slot.pods)}, 1});
    for (const auto side : {statistics::Side::kHarm, statistics::Side::kPromote})
      if (plain_evidence(ticks, side, {ratio, 0}) >= std::log(2 / 0.05)) held.missed = 1;
  }
  held.last = rate_intervals(ticks, 0.05).ratio;
  return held;
}

void intervals(const Options& options) {
  std::printf(
      "### The 95 %% interval of the ratio: rollouts in which it held the truth in all slots, and "
      "its median ends in slot 60\n\n");
  Table table({"requests a slot", "true ratio", "held", "from", "to"});
  const int count = std::max(20, options.replications / 10);
  for (const auto& [traffic, ratio] :
       {std::pair{1000.0, 1.0}, std::pair{10'000.0, 1.0}, std::pair{10'000.0, 2.0}}) {
    const World one = world(traffic, 0.005 * ratio);
    std::vector<Held> all(static_cast<std::size_t>(count));
    each_in_parallel(count, [&, ratio = ratio](int i) {
      Chance chance = Chance::of(options.seed + 170, static_cast<std::uint64_t>(i));
      all[static_cast<std::size_t>(i)] = held(SimulatedRollout(one, chance), ratio);
    });
    const auto median = [&all](double statistics::Interval::*end) {
      std::ranges::sort(all, {}, [end](const Held& held) { return held.last.*end; });
      return text_of("%.2f", all[all.size() / 2].last.*end);
    };
    const auto missed = std::ranges::count(all, 1, &Held::missed);
    table.add({text_of("%.0f", traffic), text_of("%.0f", ratio),
               text_of("%.1f%%", 100 * (1 - static_cast<double>(missed) / count)),
               median(&statistics::Interval::low), median(&statistics::Interval::high)});
  }
  table.print();
  say_error(count, 0.01);
}

void bursts(const Options& options) {
  std::printf(
      "### Errors that are not independent: good releases rolled back at alpha 0.05 (found, and "
      "median slot, of those with three times the errors)\n\n");
  const std::vector<Procedure> all{
      {"formula, dispersion off, no cap", trusting_formula(0.05)},
      {"formula, measured, default tolerance", formula(RateRules{}, 0.05)},
      {"dispersion off", by_rate(rules_with(1, 0, DispersionMode::kOff), 0.05)},
      {"measured", by_rate(rules_with(1, 0), 0.05)},
      {"measured, default tolerance", by_rate(RateRules{}, 0.05)}};
  std::vector<std::string> head{"noise", "requests a slot"};
  for (const Procedure& one : all) head.push_back(one.name);
  Table table(head);
  struct Noise {
    const char* name;
    double burst, pod_slot, pod;
  };
  for (const Noise& noise :
       {Noise{"none", 1, 0, 0}, Noise{"bursts of 5 on average", 5, 0, 0},
        Noise{"bursts of 20 on average", 20, 0, 0}, Noise{"a pod's rate varies by half", 1, 0.5, 0},
        Noise{"a pod's rate varies by all of it", 1, 1, 0},
        Noise{"pods differ for good by 0.3", 1, 0, 0.3}})
    for (const double traffic : {1000.0, 10'000.0}) {
      std::vector<World> worlds;
      for (const double rate : {0.005, 0.015}) {
        World one = world(traffic, rate);
        one.burst = noise.burst;
        one.pod_slot_variation = noise.pod_slot;
        one.pod_variation = noise.pod;
        worlds.push_back(one);
      }
      auto found = tried(all, worlds, options.replications / 3, options.seed + 200);
      std::vector<std::string> row{noise.name, std::to_string(static_cast<int>(traffic))};
      for (auto& by_world : found)
        row.push_back(by_world[0].percent() + " (" + by_world[1].with_delay() + ")");
      table.add(std::move(row));
    }
  table.print();
  say_error(options.replications / 3, 0.03);
}

void early_promotion(const Options& options) {
  std::printf("### Early promotion: margin 0.5 pp above stable's 0.5 %%, alpha_promote 0.05\n\n");
  // What is promoted is all that is tolerated, so that nothing else ends a rollout before.
  RateRules rules = rules_with(1, 0.005);
  rules.margin = rules.tolerance;
  Table table({"the candidate has", "1,000 requests a slot", "10,000"});
  for (const double rate : {0.004, 0.005, 0.0075, 0.01, 0.012}) {
    std::vector<std::string> row{text_of("%.2f %%", 100 * rate)};
    const auto found =
        tried({{"", promoting_early(rules, 0.01)}}, {world(1000, rate), world(10'000, rate)},
              options.replications / 3, options.seed + 300);
    for (const Found& one : found[0]) row.push_back(one.with_delay());
    table.add(std::move(row));
  }
  table.print();
  say_error(options.replications / 3, 0.05);
}

bool take_number(std::string_view text, auto& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

int run(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; i += 2) {
    const std::string_view name = argv[i];
    const std::string_view value = i + 1 < argc ? argv[i + 1] : "";
    const bool is_known = (name == "--replications" && take_number(value, options.replications) &&
                           options.replications >= 20) ||
                          (name == "--seed" && take_number(value, options.seed));
    if (is_known) continue;
    std::fputs("rollwatch_bench_statistics [--replications N] [--seed N]   (N from 20 on)\n",
               stderr);
    return 64;
  }
  std::printf("%d replications, seed %llu\n\n", options.replications,
              static_cast<unsigned long long>(options.seed));
  const bool is_kept = false_alarms(options);
  detection(options);
  late_regressions(options);
  intervals(options);
  bursts(options);
  early_promotion(options);
  latency(options);
  gauges(options);
  return is_kept ? 0 : 1;
}

}  // namespace
}  // namespace rollwatch::bench

int main(int argc, char** argv) { return rollwatch::bench::run(argc, argv); }
