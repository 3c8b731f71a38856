// Stable's own pods as pretended candidates.
#include "analysis/compare/calibrate.h"

#include <gmock/gmock.h>

#include <array>
#include <functional>
#include <random>
#include <set>

#include "analysis/compare/calibrate_total.h"
#include "test/analysis/compare_fixture.h"

namespace rollwatch {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const SysTime kBegins = *parse_time("2026-01-02T03:00:00Z");

// Stable's pods through time: each serves, some of it is bad, and things happen to processes.
class World {
 public:
  explicit World(int pods, unsigned seed = 1) : random_(seed) {
    for (int i = 0; i < pods; ++i) rates_["stable-" + std::to_string(i)] = 0.01;
    for (const auto& [pod, rate] : rates_) counters_[pod];
  }

  void set_rate(const std::string& pod, double rate) { rates_[pod] = rate; }
  // Before the slot with this number.
  void at_slot(std::size_t slot, std::function<void(World&)> happens) {
    happens_.emplace(slot, std::move(happens));
  }
  void restart(const std::string& pod) { counters_[pod] = {}; }
  void remove(const std::string& pod) { counters_.erase(pod); }
  void bear(const std::string& pod, double rate = 0.01) {
    rates_[pod] = rate;
    counters_[pod] = {};
  }

  PastWindow window(const Plan& plan, const Calibration& calibration, double events = 100) {
    PastWindow window{kBegins, {}};
    const ConditionPlan& condition = plan.conditions[calibration.conditions.front()];
    const PastTimes times = times_of(condition, calibration, kBegins);
    std::vector<HistorySlot>& slots = window.answers.emplace_back();
    for (SysTime at = times.first; at <= times.last; at += condition.interval) {
      for (auto [it, end] = happens_.equal_range(slots.size()); it != end; ++it) it->second(*this);
      serve(events);
      slots.push_back({at, answer(&Counts::events), answer(&Counts::bad)});
    }
    return window;
  }

 private:
  void serve(double events) {
    for (auto& [pod, counts] : counters_) {
      const auto served = std::poisson_distribution<int>(events)(random_);
      counts.events += served;
      counts.bad += std::binomial_distribution<int>(served, rates_[pod])(random_);
    }
  }
  Answer answer(double Counts::*which) const {
    std::vector<Series> series;
    for (const auto& [pod, counts] : counters_)
      series.push_back({{{"app", "checkout"}, {"pod", pod}}, counts.*which});
    return Answer{Vector{SeriesList(std::move(series))}, {}, false, nullptr, {}};
  }

  std::mt19937 random_;
  std::map<std::string, double> rates_;
  std::map<std::string, Counts> counters_;
  std::multimap<std::size_t, std::function<void(World&)>> happens_;
};

// Ten minutes in slots of ten seconds, and a warm-up.
Plan ten_minutes(std::vector<ConditionPlan> conditions) {
  Plan plan = two_steps(std::move(conditions));
  for (StepPlan& step : plan.steps) step.hold = duration("5m");
  return plan;
}
Plan ten_minutes() { return ten_minutes({compared_rate()}); }

struct Played {
  std::map<std::string, PretendedEnd> ends;
  CalibrationTotal total{0.01};

  std::vector<std::string> rolled_back() const {
    std::vector<std::string> names;
    for (const auto& [name, end] : ends)
      if (end.rolled_back) names.push_back(name);
    return names;
  }
};

void play(const Plan& plan, const Calibration& calibration, const PastPods& pods, Played& played) {
  for (const std::size_t pod : pods.played(0)) {
    PretendedRollout rollout(plan, calibration, pods, pod);
    while (rollout.go_on()) {
    }
    played.ends[pods.names()[pod]] = rollout.end();
    played.total.add(pods.names()[pod], rollout.end());
  }
}

Played play(const Plan& plan, World& world, double events = 100) {
  const Calibration calibration = *calibration_of(plan, {});
  const auto pods = PastPods::of(plan, calibration, world.window(plan, calibration, events));
  Played played;
  play(plan, calibration, *pods, played);
  return played;
}

TEST(Calibrate, PlaysWhatSharesThePromiseAndSaysWhyNotTheRest) {
  ConditionPlan watched = compared_rate("watched");
  watched.on_fail = OnFail::kObserve;
  const Plan plan = ten_minutes({compared_rate(), condition("latency", "> 0.05"),
                                 compared("cpu", statistics::GaugeRules{}), watched});
  const auto calibration = calibration_of(plan, {});
  ASSERT_TRUE(calibration.has_value());
  EXPECT_THAT(calibration->conditions, ElementsAre(0));
  ASSERT_THAT(calibration->left_out, SizeIs(3));
  EXPECT_THAT(calibration->left_out[0].why, HasSubstr("thresholds are guards"));
  EXPECT_THAT(calibration->left_out[1].why, HasSubstr("one number of each version"));
  EXPECT_THAT(calibration->left_out[2].why, HasSubstr("name it"));
  EXPECT_EQ(calibration->rollout, duration("10m"));
  EXPECT_EQ(calibration->history, duration("5m"));
  EXPECT_EQ(calibration->slots, 60u);

  const auto by_itself = calibration_of(plan, "watched");
  ASSERT_TRUE(by_itself.has_value());
  EXPECT_THAT(by_itself->conditions, ElementsAre(3));
  EXPECT_THAT(by_itself->left_out, IsEmpty());
  EXPECT_THAT(calibration_of(plan, "cpu").error(), HasSubstr("\"cpu\" cannot be calibrated: "));
  EXPECT_THAT(calibration_of(ten_minutes({condition("latency", "> 0.05")}), {}).error(),
              HasSubstr("there is no promise to be measured; latency: "));
}

TEST(Calibrate, WithoutHoldsARolloutTakesSixtySlots) {
  Plan plan = two_steps({compared_rate()});
  for (StepPlan& step : plan.steps) step.hold = Millis{0};
  EXPECT_EQ(calibration_of(plan, {})->rollout, duration("10m"));
  plan.steps.clear();
  EXPECT_EQ(calibration_of(plan, {})->slots, 60u);
  plan = ten_minutes();
  plan.steps.front().hold = Millis{0};
  EXPECT_EQ(calibration_of(plan, {})->rollout, duration("5m40s"))
      << "a step that holds for nothing takes what it takes to pass";
}

TEST(Calibrate, WindowsDoNotOverlapAndLongRangesAreThinnedEvenly) {
  const Calibration calibration = *calibration_of(ten_minutes(), {});
  const auto of_an_hour = windows_of(calibration, kBegins, kBegins + duration("1h"));
  ASSERT_THAT(of_an_hour.begins, SizeIs(5));
  EXPECT_EQ(of_an_hour.begins.front(), kBegins + duration("5m")) << "its history is in the range";
  for (std::size_t i = 1; i < of_an_hour.begins.size(); ++i)
    EXPECT_EQ(of_an_hour.begins[i] - of_an_hour.begins[i - 1], duration("10m"));

  const auto of_a_week = windows_of(calibration, kBegins, kBegins + duration("7d"));
  EXPECT_EQ(of_a_week.possible, 1007u);
  ASSERT_THAT(of_a_week.begins, SizeIs(200));
  EXPECT_GT(of_a_week.begins.back(), kBegins + duration("6d22h"));
  EXPECT_LE(of_a_week.begins.back() + calibration.rollout, kBegins + duration("7d"));
  EXPECT_THAT(windows_of(calibration, kBegins, kBegins + duration("14m")).begins, IsEmpty());

  // Slots of half a second, for a day.
  ConditionPlan quick = compared_rate();
  quick.interval = duration("500ms");
  Plan of_a_day = two_steps({quick});
  of_a_day.steps.front().hold = duration("1d");
  EXPECT_THAT(windows_of(*calibration_of(of_a_day, {}), kBegins, kBegins + duration("60d")).begins,
              SizeIs(1));
}

// 20 windows of 12 pods that are alike: the promise is 1 %.
TEST(Calibrate, PodsThatAreAlikeAreHardlyEverRolledBack) {
  const Plan plan = ten_minutes();
  CalibrationTotal total(0.01);
  for (unsigned seed = 1; seed <= 20; ++seed) {
    World world(12, seed);
    for (const auto& [pod, end] : play(plan, world).ends) total.add(pod, end);
  }
  EXPECT_EQ(total.trials(), 240u);
  EXPECT_LE(total.rolled_back(), 4u);
  EXPECT_NE(total.meaning(), CalibrationTotal::Meaning::kAbove);
}

TEST(Calibrate, APodThatIsWorseAllTheTimeIsFoundAndNamed) {
  World world(12);
  world.set_rate("stable-7", 0.08);
  const Played played = play(ten_minutes(), world);
  EXPECT_THAT(played.rolled_back(), ElementsAre("stable-7"));
  const PretendedEnd& end = played.ends.at("stable-7");
  EXPECT_GE(end.slot, 3u + 3) << "the first only remembers, two warm up";
  EXPECT_LE(end.slot, 20u);
  EXPECT_EQ(end.at, kBegins + static_cast<std::int64_t>(end.slot - 1) * duration("10s"));
  EXPECT_THAT(end.causes, ElementsAre(0));
  EXPECT_EQ(played.total.worst_pods(10).front().name, "stable-7");
}

// Where every other pod is worse than the rest, whoever is taken for the candidate has its like.
TEST(Calibrate, TheGuardIsPartOfIt) {
  World world(12);
  for (int i = 0; i < 12; i += 2) world.set_rate("stable-" + std::to_string(i), 0.04);
  EXPECT_THAT(play(ten_minutes(), world).rolled_back(), IsEmpty());
  World few(4);
  few.set_rate("stable-0", 0.04);
  few.set_rate("stable-2", 0.04);
  EXPECT_THAT(play(ten_minutes(), few).rolled_back(), SizeIs(2)) << "too few to be held apart";
}

TEST(Calibrate, RestartsAndPodsThatComeAndGoAreNobodysFault) {
  World world(8);
  world.at_slot(40, [](World& w) { w.restart("stable-2"); });
  world.at_slot(45, [](World& w) { w.remove("stable-3"); });
  world.at_slot(50, [](World& w) { w.bear("stable-8"); });
  world.at_slot(60, [](World& w) { w.restart("stable-2"); });
  world.at_slot(85, [](World& w) { w.bear("stable-9"); });
  const Played played = play(ten_minutes(), world);
  EXPECT_THAT(played.rolled_back(), IsEmpty());
  EXPECT_TRUE(played.ends.at("stable-2").counts);
  EXPECT_FALSE(played.ends.at("stable-3").counts) << "it served for less than half of it";
  EXPECT_TRUE(played.ends.at("stable-8").counts);
  EXPECT_FALSE(played.ends.at("stable-9").counts);
  EXPECT_EQ(played.total.trials(), 8u);
}

TEST(Calibrate, WhatAllPodsHaveIsNobodysFault) {
  World world(8);
  world.at_slot(50, [](World& w) {
    for (int i = 0; i < 8; ++i) w.set_rate("stable-" + std::to_string(i), 0.3);
  });
  EXPECT_THAT(play(ten_minutes(), world).rolled_back(), IsEmpty());
}

// It is the very code that judges rollouts: the same answers, the same end.
TEST(Calibrate, ARealRolloutOfTheSameAnswersEndsAtTheSameSlot) {
  const Plan plan = ten_minutes();
  const Calibration calibration = *calibration_of(plan, {});
  World world(12);
  world.set_rate("stable-7", 0.05);
  const PastWindow window = world.window(plan, calibration);
  const auto pods = PastPods::of(plan, calibration, window);
  Played played;
  play(plan, calibration, *pods, played);

  Compared real(plan);
  real.now = kBegins;
  real.play("begin ack");
  const auto one = [&](std::size_t slot, bool candidate) {
    const std::size_t pod = 9;  // in the order of their names: 0 1 10 11 2 3 4 5 6 7
    return candidate ? pods->only(0, slot, pod) : pods->without(0, slot, pod);
  };
  ASSERT_EQ(pods->names()[9], "stable-7");
  std::vector<HistorySlot> history;
  for (std::size_t slot = 0; slot <= 30; ++slot) history.push_back(one(slot, false));
  real.happens(HistoryRead{0, history, ""});
  std::size_t slots = 0;
  for (std::size_t slot = 30; slot < window.answers[0].size(); ++slot) {
    if (real.state.state != State::kAnalyzing) break;
    ++slots;
    const HistorySlot candidate = one(slot, true), stable = one(slot, false);
    real.answer_arms("errors", {candidate.counted, *candidate.bad, stable.counted, *stable.bad});
    if (real.state.order) real.play("ack");
  }
  ASSERT_TRUE(played.ends.at("stable-7").rolled_back);
  EXPECT_EQ(slots, played.ends.at("stable-7").slot);
}

TEST(Calibrate, BucketsAreOfPodsToo) {
  const ConditionPlan slow = compared("latency", statistics::HistogramRules{});
  const Plan plan = ten_minutes({slow});
  const Calibration calibration = *calibration_of(plan, {});
  PastWindow window{kBegins, {{}}};
  std::mt19937 random(1);
  std::map<std::string, std::array<double, 3>> counters;
  const PastTimes times = times_of(plan.conditions[0], calibration, kBegins);
  for (SysTime at = times.first; at <= times.last; at += duration("10s")) {
    std::vector<Series> series;
    for (int i = 0; i < 8; ++i) {
      const std::string pod = "stable-" + std::to_string(i);
      auto& counts = counters[pod];
      for (int request = 0; request < 100; ++request) {
        const double slow_part = i == 5 ? 0.5 : 0.1;
        const bool is_slow = std::bernoulli_distribution(slow_part)(random);
        for (std::size_t k = is_slow ? 1 : 0; k < 3; ++k) ++counts.at(k);
      }
      const char* les[] = {"0.1", "1", "+Inf"};
      for (std::size_t k = 0; k < 3; ++k)
        series.push_back({{{"pod", pod}, {"le", les[k]}}, counts.at(k)});
    }
    Answer answer;
    answer.result = Vector{SeriesList(std::move(series))};
    window.answers[0].push_back({at, std::move(answer), std::nullopt});
  }
  const auto pods = PastPods::of(plan, calibration, window);
  ASSERT_TRUE(pods.has_value()) << pods.error();
  Played played;
  play(plan, calibration, *pods, played);
  EXPECT_THAT(played.rolled_back(), ElementsAre("stable-5"));
  EXPECT_EQ(played.total.trials(), 8u);
}

TEST(Calibrate, CountersThatAreNobodysSayWhatToChange) {
  const Plan plan = ten_minutes();
  const Calibration calibration = *calibration_of(plan, {});
  PastWindow window{kBegins, {{}}};
  Answer summed;
  summed.result = Vector{{{{{"app", "checkout"}}, 7}}};
  window.answers[0].push_back({kBegins, summed, summed});
  EXPECT_THAT(PastPods::of(plan, calibration, window).error(),
              HasSubstr("errors: none of its series has a label \"pod\" or \"instance\""));
  // Two processes are told apart by `instance` as well.
  summed.result = Vector{{{{{"instance", "a:1"}}, 7}, {{{"instance", "b:1"}}, 7}}};
  window.answers[0] = {{kBegins, summed, summed}};
  EXPECT_THAT(PastPods::of(plan, calibration, window)->names(), ElementsAre("a:1", "b:1"));
  std::vector<Series> many;
  for (int i = 0; i < 5'001; ++i) many.push_back({{{"pod", std::to_string(i)}}, 1});
  summed.result = Vector{SeriesList(many)};
  window.answers[0] = {{kBegins, summed, summed}};
  EXPECT_THAT(PastPods::of(plan, calibration, window).error(), HasSubstr("at most 5000"));
}

// A rollout has 30,000 series of a histogram, and so has calibrating; each condition is told of its
// own number.
TEST(Calibrate, AsMuchIsCountedAsInARollout) {
  const Plan plan =
      ten_minutes({compared("latency", statistics::HistogramRules{}), compared_rate()});
  const Calibration calibration = *calibration_of(plan, {});
  const auto answer_of = [](int series) {
    std::vector<Series> many;
    for (int i = 0; i < series; ++i) many.push_back({{{"pod", std::to_string(i)}, {"le", "1"}}, 1});
    return Answer{Vector{SeriesList(std::move(many))}, {}, false, nullptr, {}};
  };
  const Answer few = answer_of(2);
  PastWindow window{kBegins, {{{kBegins, answer_of(6'000), {}}}, {{kBegins, few, few}}}};
  EXPECT_TRUE(PastPods::of(plan, calibration, window).has_value());
  window.answers[0] = {{kBegins, answer_of(30'001), {}}};
  EXPECT_THAT(PastPods::of(plan, calibration, window).error(),
              AllOf(HasSubstr("latency: 30001 series"), HasSubstr("sum by (pod, le)")));
  window.answers[0] = {{kBegins, few, {}}};
  window.answers[1] = {{kBegins, answer_of(5'001), few}};
  EXPECT_THAT(PastPods::of(plan, calibration, window).error(), HasSubstr("errors: 5001 series"));
}

// "0 of 40 were rolled back, that is within the promise", of bad events that nobody counted.
TEST(Calibrate, BadEventsOfOthersThanTheEventsSayWhatToChange) {
  const Plan plan = ten_minutes();
  const Calibration calibration = *calibration_of(plan, {});
  PastWindow window{kBegins, {{}}};
  for (int i = 0; i < 3; ++i) {
    Answer events, bad;
    events.result = Vector{{{{{"pod", "a"}}, 100.0 * i}, {{{"pod", "b"}}, 100.0 * i}}};
    bad.result = Vector{{{{{"instance", "10.0.0.1:80"}}, 1.0 * i}, {{{"pod", "b"}}, 7}}};
    window.answers[0].push_back({kBegins + i * duration("10s"), events, bad});
  }
  EXPECT_THAT(
      PastPods::of(plan, calibration, window).error(),
      HasSubstr("errors: bad_events counts \"10.0.0.1:80\", of which events has no series"));
}

TEST(Calibrate, OfManyPodsEachHasItsTurn) {
  const Plan plan = ten_minutes();
  const Calibration calibration = *calibration_of(plan, {});
  World world(120);
  const auto pods = PastPods::of(plan, calibration, world.window(plan, calibration));
  std::set<std::size_t> seen;
  for (std::size_t window = 0; window < 3; ++window) {
    EXPECT_THAT(pods->played(window), SizeIs(kMostPlayed));
    for (const std::size_t pod : pods->played(window)) seen.insert(pod);
  }
  EXPECT_THAT(seen, SizeIs(120));
  World lonely(1);
  EXPECT_THAT(PastPods::of(plan, calibration, lonely.window(plan, calibration))->played(0),
              IsEmpty());
}

TEST(Calibrate, SharesHaveAnInterval) {
  struct Row {
    std::size_t found, of;
    double low, high;
  };
  const Row rows[] = {{0, 0, 0, 1},
                      {0, 600, 0, 0.00636},
                      {3, 600, 0.0017, 0.0146},
                      {30, 600, 0.0352, 0.0705},
                      {5, 5, 0.5655, 1}};
  for (const Row& row : rows) {
    const auto interval = interval_of_share(row.found, row.of);
    EXPECT_NEAR(interval.low, row.low, 0.0001) << row.found;
    EXPECT_NEAR(interval.high, row.high, 0.0001) << row.found;
  }
}

// ---- What it means

CalibrationTotal total_of(std::size_t trials, std::size_t rolled_back, bool same_pod) {
  CalibrationTotal total(0.01);
  for (std::size_t i = 0; i < trials; ++i) {
    PretendedEnd end;
    end.counts = true;
    end.rolled_back = i < rolled_back;
    if (end.rolled_back) end.causes = {0};
    total.add(same_pod && i < 2 * rolled_back ? "bad-1" : "pod-" + std::to_string(i % 12), end);
  }
  return total;
}

std::string words_of(const CalibrationTotal& total, std::size_t pods = 12) {
  std::string text;
  for (const std::string& sentence : total.words(pods)) text += sentence + "\n";
  return text;
}

TEST(Calibrate, SaysWhatItMeans) {
  EXPECT_EQ(
      words_of(total_of(1000, 2, false)),
      "2 of 1000 pretended rollouts of stable itself were rolled back: 0.2 % (95 %: 0.055 % to "
      "0.726 %); alpha promises at most 1 %\nthat is within the promise\n");
  EXPECT_THAT(words_of(total_of(60, 0, false)), HasSubstr("on too few trials to be sure"));
  EXPECT_THAT(words_of(total_of(60, 1, false)), HasSubstr("may still be chance"));
  const std::string above = words_of(total_of(600, 60, false));
  EXPECT_THAT(above, HasSubstr("more than is promised"));
  EXPECT_THAT(above, HasSubstr("a wider tolerance"));
  EXPECT_THAT(above, testing::Not(HasSubstr("more pods of stable")));
  EXPECT_THAT(words_of(total_of(600, 60, false), 4), HasSubstr("more pods of stable"));
  EXPECT_THAT(words_of(total_of(600, 60, true)), HasSubstr("most of it is the pod bad-1, which"));
  EXPECT_EQ(total_of(600, 60, false).meaning(), CalibrationTotal::Meaning::kAbove);
  EXPECT_EQ(total_of(600, 60, false).by_condition().at(0), 60u);
}

TEST(Calibrate, SaysWhyNothingWasMeasured) {
  const CalibrationTotal none(0.01);
  EXPECT_THAT(words_of(none, 0), HasSubstr("stable had no series"));
  EXPECT_THAT(words_of(none, 1), HasSubstr("one pod only"));
  EXPECT_THAT(words_of(none, 9), HasSubstr("no pod served for half of a window"));
}

}  // namespace
}  // namespace rollwatch
