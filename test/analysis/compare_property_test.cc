// What is true of every rollout that compares, whatever its pods do: random ones, through the whole
// judging path. Seeds are fixed, and said where something fails.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <random>

#include "analysis/judge.h"
#include "analysis/state_codec.h"
#include "test/analysis/compare_fixture.h"

namespace rollwatch {
namespace {

using Random = std::mt19937_64;
using Arms = std::vector<Answer>;

int drawn(Random& random, int from, int to) {
  return std::uniform_int_distribution<int>(from, to)(random);
}
bool likely(Random& random, double probability) {
  return std::bernoulli_distribution(probability)(random);
}

// ---- Worlds

// Everything that one pod exports.
struct Exports {
  std::string pod;
  double events = 0, bad = 0, killed = 0;
  std::array<double, 3> buckets{};
};

// The pods of one version. They restart, go, are replaced, and are not always scraped.
class Version {
 public:
  Version(std::string name, int pods) : name_(std::move(name)) {
    for (int i = 0; i < pods; ++i) start();
  }

  void serve(Random& random) {
    if (likely(random, 0.05)) start();
    if (likely(random, 0.05) && pods_.size() > 1) pods_.erase(pods_.begin());
    for (Exports& pod : pods_) {
      if (likely(random, 0.05)) pod = {.pod = pod.pod};
      for (int left = drawn(random, 0, 60); left > 0; --left) serve_one(pod, random);
      if (likely(random, 0.02)) ++pod.killed;
    }
  }
  Answer answer(Random& random, double Exports::*which) const {
    std::vector<Series> series;
    for (const Exports& pod : pods_)
      if (!likely(random, 0.03)) series.push_back({labels(pod), pod.*which});
    return Answer{Vector{SeriesList(std::move(series))}, {}, false, nullptr, {}};
  }
  Answer buckets(Random& random) const {
    static constexpr std::array kNames{"0.1", "0.5", "+Inf"};
    std::vector<Series> series;
    for (const Exports& pod : pods_)
      for (std::size_t k = 0; k < kNames.size(); ++k) {
        series.push_back({labels(pod), pod.buckets[k]});
        series.back().labels.push_back({"le", kNames[k]});
      }
    if (likely(random, 0.05)) series.resize(3);
    return Answer{Vector{SeriesList(std::move(series))}, {}, false, nullptr, {}};
  }

 private:
  void start() { pods_.push_back({.pod = name_ + "-" + std::to_string(started_++)}); }
  std::vector<Label> labels(const Exports& pod) const {
    return {{"job", "checkout"}, {"pod", pod.pod}, {"code", "5.."}, {"version", name_}};
  }
  static void serve_one(Exports& pod, Random& random) {
    ++pod.events;
    if (likely(random, 0.02)) ++pod.bad;
    const int bucket = drawn(random, 0, 99);
    pod.buckets[0] += bucket < 80 ? 1 : 0;
    pod.buckets[1] += bucket < 97 ? 1 : 0;
    pod.buckets[2] += 1;
  }

  std::string name_;
  int started_ = 0;
  std::vector<Exports> pods_;
};

Answer a_number(double value) {
  return Answer{Vector{{Series{{}, value}}}, {}, false, nullptr, {}};
}

Answer unanswered() {
  return {QueryFailure{FailureKind::kTimeout, "no answer", 0}, {}, false, nullptr, {}};
}

// One condition of each kind, with steps that end.
Plan everything() {
  ConditionPlan oom = condition("oom", "> 50");
  threshold(oom).counts = true;
  ConditionPlan observed = compared_rate("bursty");
  observed.on_fail = OnFail::kObserve;
  std::get<statistics::RateRules>(comparison(observed).rules).dispersion.mode =
      statistics::DispersionMode::kAuto;
  statistics::GaugeRules memory;
  memory.mode = statistics::GaugeMode::kDifference;
  Plan plan = two_steps({compared_rate("errors"), observed,
                         compared("latency", statistics::HistogramRules{}),
                         compared("memory", memory), compared("queue", RankRules{}), oom});
  for (StepPlan& step : plan.steps) step.hold = duration("3m");
  plan.conditions[3].on_fail = plan.conditions[4].on_fail = OnFail::kPause;
  return plan;
}

// What one slot of a condition comes to: arms (or one answer), or that it was missed.
struct Slot {
  std::string condition;
  Arms answers;
};

class PropertyWorld {
 public:
  explicit PropertyWorld(unsigned seed) : random_(seed) {}

  // The slots of all conditions, after both versions have served.
  std::vector<Slot> next() {
    candidate_.serve(random_);
    stable_.serve(random_);
    std::vector<Slot> slots{{"errors", rates()}, {"bursty", rates()}};
    slots.push_back({"latency", {candidate_.buckets(random_), stable_.buckets(random_)}});
    slots.push_back({"memory", numbers()});
    slots.push_back({"queue", numbers()});
    slots.push_back({"oom", {candidate_.answer(random_, &Exports::killed)}});
    for (Slot& slot : slots) {
      if (likely(random_, 0.04)) slot.answers.clear();
      for (Answer& answer : slot.answers) {
        if (likely(random_, 0.02)) answer = unanswered();
        if (likely(random_, 0.02)) answer = Answer{Vector{}, {}, false, nullptr, {}};
      }
    }
    return slots;
  }
  Random& random() { return random_; }

 private:
  Arms rates() {
    Arms arms;
    for (const Version* version : {&candidate_, &stable_})
      for (const auto which : {&Exports::events, &Exports::bad})
        arms.push_back(version->answer(random_, which));
    return arms;
  }
  Arms numbers() {
    std::normal_distribution<double> noise;
    return {a_number(5 + noise(random_)), a_number(5 + noise(random_))};
  }

  Random random_;
  Version candidate_{"candidate", 2}, stable_{"stable", 7};
};

void take(Rollout& rollout, const Slot& slot) {
  if (slot.answers.empty()) return rollout.missed(slot.condition);
  if (slot.answers.size() == 1) return rollout.answer(slot.condition, slot.answers.front());
  rollout.answer_arms(slot.condition, slot.answers);
}

// To both: what follows by itself, so that the story goes on.
void go_on(Rollout& rollout) {
  if (rollout.state.order) rollout.ack();
  if (rollout.state.state == State::kPaused) rollout.person(DecisionKind::kResume, "goes on");
}

// Two that are to be alike, one of which is treated differently. Returns how many slots were
// played.
int alike(unsigned seed, const std::function<Slot(PropertyWorld&, const Slot&)>& asked,
          const std::function<void(Rollout&)>& afterwards) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  PropertyWorld world(seed);
  Rollout plain(everything()), other(everything());
  for (Rollout* each : {&plain, &other}) each->play("begin ack");
  int played = 0;
  for (int slot = 0; slot < 45; ++slot) {
    for (const Slot& one : world.next()) {
      if (!is_watching(plain.state)) return played;
      take(plain, one);
      take(other, asked(world, one));
      for (Rollout* each : {&plain, &other}) go_on(*each);
      ++played;
      const std::string bytes = encode_state(plain.state);
      if (bytes != encode_state(other.state)) {
        ADD_FAILURE() << one.condition << " in slot " << slot << ": "
                      << describe(plain.evaluations.back().judgement) << "\nis not "
                      << describe(other.evaluations.back().judgement);
        return played;
      }
      afterwards(other);
    }
  }
  EXPECT_EQ(plain.decided(), other.decided());
  EXPECT_EQ(plain.evaluations.size(), other.evaluations.size());
  return played;
}

constexpr unsigned kWorlds = 100;

TEST(CompareProperty, OneThatIsSavedAndResumedAfterEverySlotIsTheOneThatWasNot) {
  int played = 0;
  for (unsigned seed = 0; seed < kWorlds && !testing::Test::HasFailure(); ++seed)
    played += alike(
        seed, [](PropertyWorld&, const Slot& slot) { return slot; },
        [](Rollout& rollout) {
          const std::string bytes = encode_state(rollout.state);
          auto again = decode_state(bytes);
          ASSERT_TRUE(again) << again.error();
          ASSERT_EQ(encode_state(*again), bytes);
          rollout.state = *std::move(again);
        });
  EXPECT_GT(played, 100 * 100) << "most were played to their end";
}

Answer shuffled(Random& random, const Answer& answer) {
  const auto* vector = std::get_if<Vector>(&answer.result);
  if (vector == nullptr) return answer;
  std::vector<Series> series(vector->series.begin(), vector->series.end());
  for (Series& one : series) std::ranges::shuffle(one.labels, random);
  std::ranges::shuffle(series, random);
  Answer other = answer;
  other.result = Vector{SeriesList(std::move(series))};
  return other;
}

TEST(CompareProperty, TheOrderOfSeriesAndOfTheirLabelsMakesNoDifference) {
  int played = 0;
  for (unsigned seed = 0; seed < kWorlds && !testing::Test::HasFailure(); ++seed)
    played += alike(
        seed + 1000,
        [](PropertyWorld& world, const Slot& slot) {
          Slot other = slot;
          Random random = world.random();  // the world itself goes on as it would
          for (Answer& answer : other.answers) answer = shuffled(random, answer);
          return other;
        },
        [](Rollout&) {});
  EXPECT_GT(played, 100 * 100);
}

// ---- Who of the pods had it

// Whole numbers, so that sums are the same in any order.
void deal_out(Random& random, Pods& pods, const std::string& version, int count, Counts counts) {
  const auto one = [&]() -> Counts& {
    return pods[version + "-" + std::to_string(drawn(random, 0, count - 1))];
  };
  for (double left = counts.events; left > 0;) {
    const double part = std::min(left, static_cast<double>(drawn(random, 1, 40)));
    one().events += part;
    left -= part;
  }
  for (double left = counts.bad; left > 0; --left) ++one().bad;
}

std::string said(const Evaluation& evaluation) {
  return std::string(name_of(evaluation.judgement.outcome)) + " " + describe(evaluation.judgement) +
         " " + std::to_string(*evaluation.judgement.evidence);
}

TEST(CompareProperty, WhichPodHadTheEventsMakesNoDifferenceWithoutDispersion) {
  // From five of stable's pods on they are held against each other, and then who had it matters: it
  // may hold back, and is no evidence.
  for (const int pods : {4, 12})
    for (unsigned seed = 0; seed < 50; ++seed) {
      SCOPED_TRACE(std::to_string(pods) + " pods, seed " + std::to_string(seed));
      Random random(seed);
      Compared one(long_steps(compared_rate())), other(long_steps(compared_rate()));
      for (Compared* each : {&one, &other}) {
        each->stable = Pods("stable", pods);
        each->play("begin ack");
        each->serve({0, 0}, {0, 0});
      }
      for (int slot = 0; slot < 30 && one.state.state == State::kAnalyzing; ++slot) {
        const Counts served{static_cast<double>(drawn(random, 20, 200)),
                            static_cast<double>(drawn(random, 0, 6))};
        const Counts of_stable{static_cast<double>(drawn(random, 200, 2000)),
                               static_cast<double>(drawn(random, 0, 30))};
        for (Compared* each : {&one, &other}) {
          deal_out(random, each->candidate, "candidate", 2, served);
          deal_out(random, each->stable, "stable", pods, of_stable);
          each->ask("errors");
        }
        ASSERT_EQ(one.log_evidence(), other.log_evidence());
        if (pods == 4) {
          ASSERT_EQ(said(one.evaluations.back()), said(other.evaluations.back()));
        }
        if (one.state.state != other.state.state) break;  // one of them was held back
      }
      if (pods == 4) {
        EXPECT_EQ(one.decided(), other.decided());
        EXPECT_EQ(one.show(), other.show());
      }
    }
}

}  // namespace
}  // namespace rollwatch
