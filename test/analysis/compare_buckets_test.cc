// Histograms whose boundaries are not the same everywhere: pods of another build, or of a library's
// other version.
#include <gmock/gmock.h>

#include <cmath>
#include <map>

#include "analysis/compare/samples.h"
#include "analysis/comparison.h"
#include "analysis/judge.h"
#include "analysis/state_codec.h"
#include "test/analysis/compare_fixture.h"

namespace rollwatch {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

using Bounds = std::vector<double>;

// What the pods of one version export.
class HistogramPods {
 public:
  void start(const std::string& pod, Bounds bounds) {
    std::vector<double> none(bounds.size() + 1);
    pods_[pod] = {std::move(bounds), std::move(none)};
  }
  void stop(const std::string& pod) { pods_.erase(pod); }
  // So many requests of each pod took so long.
  void serve(double requests, double latency) {
    for (auto& [name, pod] : pods_)
      for (std::size_t k = 0; k < pod.counts.size(); ++k)
        if (k == pod.bounds.size() || latency <= pod.bounds[k]) pod.counts[k] += requests;
  }
  Answer answer(const std::string& without = "") const {
    std::vector<Series> series;
    for (const auto& [name, pod] : pods_)
      for (std::size_t k = 0; k < pod.counts.size(); ++k) {
        const std::string le = k == pod.bounds.size() ? "+Inf" : format_number(pod.bounds[k]);
        if (name + " " + le != without)
          series.push_back({{{"pod", name}, {"le", le}}, pod.counts[k]});
      }
    return Answer{Vector{SeriesList(std::move(series))}, {}, false, nullptr, {}};
  }

 private:
  struct Pod {
    Bounds bounds;
    std::vector<double> counts;
  };
  std::map<std::string, Pod> pods_;
};

ConditionPlan exact_latency() {
  statistics::HistogramRules rules;
  rules.dispersion.mode = statistics::DispersionMode::kOff;
  return compared("latency", rules);
}

class BucketsWorld {
 public:
  HistogramPods candidate, stable;
  Compared rollout{long_steps(exact_latency())};

  void begin() { rollout.play("begin ack"); }
  const Judgement& ask(const std::string& stable_without = "") {
    rollout.answer_arms("latency", {candidate.answer(), stable.answer(stable_without)});
    return rollout.judged();
  }
  // A slot in which the candidate is somewhat slower.
  const Judgement& slot() {
    candidate.serve(60, 0.05);
    candidate.serve(30, 0.3);
    candidate.serve(10, 0.8);
    stable.serve(300, 0.05);
    stable.serve(80, 0.3);
    stable.serve(20, 0.8);
    return ask();
  }
  const statistics::ComparisonState& memory() const {
    return *rollout.state.conditions[0].memory.comparison();
  }
  Bounds bounds() const { return std::get<statistics::HistogramState>(memory().process).bounds; }
};

TEST(CompareBuckets, OnlyWhatAllHistogramsHaveIsComparedAndThatIsExact) {
  BucketsWorld mixed, plain;
  for (int pod = 0; pod < 6; ++pod) {
    const std::string name = "stable-" + std::to_string(pod);
    mixed.stable.start(name, pod < 3 ? Bounds{0.1, 0.5, 1} : Bounds{0.1, 0.25, 0.5, 0.75, 1});
    plain.stable.start(name, {0.1, 0.5, 1});
  }
  mixed.candidate.start("candidate-0", {0.1, 0.2, 0.5, 1});
  plain.candidate.start("candidate-0", {0.1, 0.5, 1});
  for (BucketsWorld* each : {&mixed, &plain}) each->begin();
  for (int i = 0; i < 30 && plain.rollout.state.state == State::kAnalyzing; ++i) {
    const Judgement of_mixed = mixed.slot(), of_plain = plain.slot();
    ASSERT_EQ(of_mixed.cause, of_plain.cause) << i;
    ASSERT_EQ(mixed.rollout.log_evidence(), plain.rollout.log_evidence()) << i;
  }
  EXPECT_THAT(mixed.bounds(), ElementsAre(0.1, 0.5, 1));
  EXPECT_EQ(mixed.rollout.state.state, State::kRollingBack);
  EXPECT_THAT(
      describe(mixed.rollout.judged()),
      HasSubstr("boundaries that not all histograms have are left out: 0.2, 0.25 and 0.75"));
  EXPECT_THAT(describe(plain.rollout.judged()), Not(HasSubstr("left out")));
}

TEST(CompareBuckets, VersionsWithOtherBoundariesAreComparedByThoseThatBothHave) {
  BucketsWorld world;
  world.stable.start("a", {0.1, 0.5});
  world.candidate.start("b", {0.1, 0.25});
  world.begin();
  for (int i = 0; i < 6; ++i) world.slot();
  EXPECT_THAT(world.bounds(), ElementsAre(0.1));
  EXPECT_NE(world.rollout.log_evidence(), 0);
}

TEST(CompareBuckets, WithoutAnyInCommonTheyCannotBeComparedAndItSaysWhy) {
  BucketsWorld world;
  world.stable.start("a", {0.1, 0.5});
  world.candidate.start("b", {0.2, 0.4});
  world.begin();
  EXPECT_EQ(world.ask().cause, Cause::kIncomparable);
  EXPECT_THAT(describe(world.rollout.judged()),
              HasSubstr("no boundary is left that all histograms have: the candidate's are 0.2 and "
                        "0.4, stable's 0.1 and 0.5"));
}

// What takes time and memory by the square of them stopped the daemon with one histogram.
TEST(CompareBuckets, TooManyBoundariesAreRefusedAndSaySo) {
  BucketsWorld world;
  Bounds many;
  while (many.size() <= kMostBoundaries) many.push_back(static_cast<double>(many.size() + 1));
  world.stable.start("a", many);
  world.candidate.start("b", many);
  world.begin();
  EXPECT_EQ(world.ask().cause, Cause::kTooLarge);
  EXPECT_THAT(describe(world.rollout.judged()),
              HasSubstr("301 boundaries, at most 300 are compared; ask for those that matter"));
  many.pop_back();
  world.stable.start("fewer", many);
  EXPECT_EQ(world.ask().cause, Cause::kCountingBegins) << "what is compared is what all have";
  EXPECT_EQ(world.bounds().size(), kMostBoundaries);
}

TEST(CompareBuckets, APodWithFewerThatComesLaterLeavesTheEvidenceAsItIs) {
  BucketsWorld world;
  for (const char* pod : {"a", "b", "c"}) world.stable.start(pod, {0.1, 0.25, 0.5, 1});
  world.candidate.start("d", {0.1, 0.25, 0.5, 1});
  world.begin();
  for (int i = 0; i < 5; ++i) world.slot();
  const double before = world.rollout.log_evidence();
  ASSERT_GT(before, 0);
  ASSERT_LT(before, std::log(100));
  world.stable.start("new", {0.1, 0.5});
  EXPECT_EQ(world.ask().cause, Cause::kNoCandidate) << "nobody was served meanwhile";
  EXPECT_THAT(world.bounds(), ElementsAre(0.1, 0.5));
  EXPECT_NEAR(world.rollout.log_evidence(), before, 1e-9);
  const auto saved = decode_state(encode_state(world.rollout.state));
  ASSERT_TRUE(saved) << saved.error();
  world.rollout.state = *saved;
  for (int i = 0; i < 20 && world.rollout.state.state == State::kAnalyzing; ++i) world.slot();
  EXPECT_EQ(world.rollout.state.state, State::kRollingBack);
  EXPECT_THAT(world.rollout.decisions.back().reason, HasSubstr("left out: 0.25 and 1"));
}

TEST(CompareBuckets, OneThatIsLostOnTheWayIsNotOneThatIsNotThere) {
  BucketsWorld world;
  for (const char* pod : {"a", "b"}) world.stable.start(pod, {0.1, 0.5});
  world.candidate.start("c", {0.1, 0.5});
  world.begin();
  for (int i = 0; i < 4; ++i) world.slot();
  world.candidate.serve(10, 0.05);
  world.stable.serve(100, 0.05);
  world.ask("a 0.5");
  EXPECT_THAT(world.bounds(), ElementsAre(0.1, 0.5));
  EXPECT_THAT(world.memory().left_out, IsEmpty());
}

TEST(CompareBuckets, AHistogramWithoutItsLastBucketIsNamed) {
  BucketsWorld world;
  for (const char* pod : {"a", "b"}) world.stable.start(pod, {0.1, 0.5});
  world.candidate.start("c", {0.1, 0.5});
  world.begin();
  EXPECT_EQ(world.ask("a +Inf").cause, Cause::kIncomparable);
  EXPECT_THAT(describe(world.rollout.judged()), HasSubstr("no bucket le=\"+Inf\""));
}

TEST(CompareBuckets, OfThePastWhatHasTodaysBoundariesIsUsed) {
  BucketsWorld world;
  HistogramPods before, now;
  before.start("old", {0.1});
  now.start("new", {0.1, 0.5});
  std::vector<HistorySlot> past;
  for (int i = 0; i < 31; ++i) {
    for (HistogramPods* pods : {&before, &now}) pods->serve(100, i % 10 == 0 ? 0.3 : 0.05);
    past.push_back({SysTime(Millis(10'000 * i)), (i < 16 ? before : now).answer(), std::nullopt});
  }
  world.rollout.happens(HistoryRead{0, past, ""});
  EXPECT_THAT(world.bounds(), ElementsAre(0.1, 0.5));
  EXPECT_EQ(world.memory().history_slots, 14u) << "the first of fifteen is remembered";
  EXPECT_THAT(world.memory().usual, ElementsAre(1200, 200, 0));
}

}  // namespace
}  // namespace rollwatch
