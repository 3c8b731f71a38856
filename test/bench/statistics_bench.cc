// How often is a good release rolled back, and how soon a bad one found? Simulated rollouts of 60
// slots, judged by thresholds, by textbook tests that are looked at again and again, and by
// analysis/statistics; the tables of docs/statistics.md. Seeded: the same on every run.
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

#include "analysis/statistics/gauge.h"
#include "analysis/statistics/histogram.h"
#include "analysis/statistics/rate.h"
#include "analysis/statistics/rate_report.h"
#include "test/bench/simulated_rollout.h"
#include "test/bench/statistics_judges.h"

namespace rollwatch::bench {
namespace {

using statistics::DispersionMode;
using statistics::RateRules;

struct Options {
  int replications = 3000;
  std::uint64_t seed = 20'240'601;
};

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
  double z_most = 0, most = 0;
  for (std::size_t p = 0; p < all.size(); ++p) {
    std::vector<std::string> row{all[p].name};
    for (const Found& one : found[p]) {
      row.push_back(one.percent());
      if (p == kRepeatedZTest) z_most = std::max(z_most, one.share());
      if (p == kOursAt5Percent) most = std::max(most, one.share());
    }
    table.add(std::move(row));
  }
  table.print();
  // Three standard deviations of what would be seen at alpha itself.
  const double noise = 3 * std::sqrt(0.05 * 0.95 / options.replications);
  const bool is_kept = most <= 0.05 + noise;
  std::printf(
      "At alpha 0.05 the most false rollbacks of ours are %.2f of alpha; the z-test that is "
      "looked at in every slot has %.1f of it. Promise at 0.05: %s.\n\n",
      most / 0.05, z_most / 0.05, is_kept ? "kept" : "broken");
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
  const auto later = [judge = ours(rules_with(1, 0), 0.05)](const SimulatedRollout& rollout) {
    return std::max(kNever, judge(rollout) - 30);
  };
  Table table({"1,000 requests a slot, 1 %", "2 %", "5 %", "10,000, 1 %", "2 %", "5 %"});
  const auto found = tried({{"", later}}, worlds, options.replications / 3, options.seed + 150);
  std::vector<std::string> row;
  for (const Found& one : found[0]) row.push_back(one.with_delay());
  table.add(std::move(row));
  table.print();
}

// A "detection" is a slot in which the 95 % interval does not hold the true ratio.
void intervals(const Options& options) {
  std::printf(
      "### The 95 %% interval of the ratio: rollouts in which it held the truth in all slots, and "
      "its "
      "median ends in slot 60\n\n");
  Table table({"requests a slot", "true ratio", "held", "from", "to"});
  for (const auto& [traffic, ratio] :
       {std::pair{1000.0, 1.0}, std::pair{10'000.0, 1.0}, std::pair{10'000.0, 2.0}}) {
    std::vector<double> lows, highs;
    const auto misses = [&](const SimulatedRollout& rollout) {
      std::vector<statistics::FedTick> ticks;
      int missed = kNever;
      for (const SimulatedSlot& slot : rollout.slots()) {
        ticks.push_back({{slot.candidate, statistics::sum_of(slot.pods)}, 1});
        for (const auto side : {statistics::Side::kHarm, statistics::Side::kPromote})
          if (missed == kNever && plain_evidence(ticks, side, {ratio, 0}) >= std::log(2 / 0.05))
            missed = static_cast<int>(ticks.size());
      }
      const statistics::Interval last = rate_intervals(ticks, 0.05).ratio;
      lows.push_back(last.low);
      highs.push_back(last.high);
      return missed;
    };
    const Found found = tried({{"", misses}}, {world(traffic, 0.005 * ratio)},
                              std::max(20, options.replications / 15), options.seed + 170)[0][0];
    const auto middle = [](std::vector<double>& values) {
      std::sort(values.begin(), values.end());
      std::array<char, 32> text{};
      std::snprintf(text.data(), text.size(), "%.2f", values[values.size() / 2]);
      return std::string(text.data());
    };
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.1f%%", 100 * (1 - found.share()));
    table.add({std::to_string(static_cast<int>(traffic)), std::to_string(static_cast<int>(ratio)),
               text.data(), middle(lows), middle(highs)});
  }
  table.print();
}

void bursts(const Options& options) {
  std::printf(
      "### Errors that are not independent: good releases rolled back at alpha 0.05 (found, and "
      "median slot, of those with three times the errors)\n\n");
  const std::vector<Procedure> all{
      {"dispersion off, no cap", ours_trusting(0.05)},
      {"off, with the cap", ours(rules_with(1, 0, DispersionMode::kOff), 0.05)},
      {"measured", ours(rules_with(1, 0), 0.05)},
      {"measured, default tolerance", ours(rules_with(1.25, 0.0005), 0.05)},
      {"and the placebo guard", ours(rules_with(1.25, 0.0005), 0.05, true), 3}};
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
}

void early_promotion(const Options& options) {
  std::printf("### Early promotion: margin 0.5 pp above stable's 0.5 %%, alpha_promote 0.05\n\n");
  RateRules rules;
  rules.margin = {1, 0.005};
  Table table({"the candidate has", "1,000 requests a slot", "10,000"});
  for (const double rate : {0.004, 0.005, 0.0075, 0.01, 0.012}) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.2f %%", 100 * rate);
    std::vector<std::string> row{text.data()};
    const auto found =
        tried({{"", ours_promoting(rules, 0.05)}}, {world(1000, rate), world(10'000, rate)},
              options.replications / 3, options.seed + 300);
    for (const Found& one : found[0]) row.push_back(one.with_delay());
    table.add(std::move(row));
  }
  table.print();
}

// Requests that take log-normal times around 100 ms, one by one.
std::vector<double> latencies(Chance& chance, int requests, double slower, double stuck) {
  static constexpr std::array kBounds{5.,   10.,   25.,   50.,   100., 250.,
                                      500., 1000., 2500., 5000., 1e4};
  std::vector<double> counts(kBounds.size() + 1, 0.0);
  for (int i = 0; i < requests; ++i) {
    double took = slower * 100 * std::exp(0.8 * chance.normal());
    if (stuck > 0 && chance.uniform() < stuck) took += 1000;
    std::size_t bucket = 0;
    while (bucket < kBounds.size() && took > kBounds[bucket]) ++bucket;
    ++counts[bucket];
  }
  return counts;
}

void latency(const Options& options) {
  std::printf("### Latency from buckets: rolled back, and median slot (alpha 0.05)\n\n");
  const std::vector<double> bounds{5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10'000};
  statistics::HistogramRules none;
  none.tolerance = {0, 1, 0};
  none.dispersion.mode = DispersionMode::kOff;
  statistics::HistogramRules tolerant = none;
  tolerant.tolerance = {0.1, 1, 0.002};
  Table table({"requests a slot", "the candidate", "no tolerance", "10 % slower + 0.2 pp"});
  struct Shift {
    const char* name;
    double slower, stuck;
  };
  for (const int traffic : {200, 1000})
    for (const Shift& shift :
         {Shift{"as stable", 1, 0}, Shift{"10 % slower", 1.1, 0}, Shift{"20 % slower", 1.2, 0},
          Shift{"50 % slower", 1.5, 0}, Shift{"2 % of requests 1 s more", 1, 0.02}}) {
      std::array<Found, 2> found;
      Chance chance(options.seed + 400);
      for (int i = 0; i < std::max(2, options.replications / 20); ++i) {
        std::vector<std::vector<double>> past, candidate, stable;
        for (int slot = 0; slot < 10; ++slot)
          past.push_back(latencies(chance, traffic * 19 / 20, 1, 0));
        for (int slot = 0; slot < SimulatedRollout::kSlots; ++slot) {
          candidate.push_back(latencies(chance, traffic / 20, shift.slower, shift.stuck));
          stable.push_back(latencies(chance, traffic * 19 / 20, 1, 0));
        }
        for (std::size_t r = 0; r < 2; ++r) {
          const statistics::HistogramRules& rules = r == 0 ? none : tolerant;
          const statistics::HistogramScales scales(rules, bounds);
          auto state = statistics::HistogramState::start(bounds);
          for (const auto& slot : past) state.observe(rules, scales, slot);
          int at = kNever;
          for (std::size_t slot = 0; slot < candidate.size() && at == kNever; ++slot) {
            state.update(rules, scales, candidate[slot], stable[slot]);
            if (state.log_evidence(rules) >= statistics::log_threshold(0.05))
              at = static_cast<int>(slot) + 1;
          }
          found[r].add(at);
        }
      }
      table.add(
          {std::to_string(traffic), shift.name, found[0].with_delay(), found[1].with_delay()});
    }
  table.print();
}

void gauges(const Options& options) {
  std::printf("### One number a slot: rolled back, and median slot (alpha 0.05)\n\n");
  Table table({"noise of the difference", "true shift, of its spread", "gauge",
               "asymptotic interval, from slot 20"});
  struct Noise {
    const char* name;
    double correlation;
    bool heavy;
  };
  for (const Noise& noise : {Noise{"normal", 0, false}, Noise{"heavy tails (Student, 3)", 0, true},
                             Noise{"each resembles the last (0.5)", 0.5, false},
                             Noise{"each resembles the last (0.8)", 0.8, false}})
    for (const double shift : {0.0, 1.0, 2.0}) {
      Chance chance(options.seed + 500);
      Found gauge, interval;
      for (int i = 0; i < options.replications / 3; ++i) {
        auto state = statistics::GaugeState::start();
        const statistics::GaugeRules rules{statistics::GaugeMode::kDifference, true, 0, 0};
        int at = kNever, at_interval = kNever;
        double last = chance.normal();
        for (int slot = 1; slot <= SimulatedRollout::kSlots; ++slot) {
          last =
              noise.correlation * last + std::sqrt(1 - noise.correlation * noise.correlation) *
                                             (noise.heavy ? chance.student_3() : chance.normal());
          state.update(rules, last + shift, 0);
          if (at == kNever && state.harm.reaches(0.05)) at = slot;
          if (at_interval != kNever || slot < 20) continue;
          if (statistics::mean_limits(state.differences, 0.05)->at_least > 0) at_interval = slot;
        }
        gauge.add(at);
        interval.add(at_interval);
      }
      std::array<char, 32> text{};
      std::snprintf(text.data(), text.size(), "%.0f", shift);
      table.add({noise.name, text.data(), gauge.with_delay(), interval.with_delay()});
    }
  table.print();
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
                           options.replications >= 30) ||
                          (name == "--seed" && take_number(value, options.seed));
    if (is_known) continue;
    std::fputs("rollwatch_bench_statistics [--replications N] [--seed N]   (N from 30 on)\n",
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
