// Comparisons of numbers, of latencies and by ranks.
#include <gmock/gmock.h>

#include <cmath>

#include "analysis/judge.h"
#include "test/analysis/compare_fixture.h"

namespace rollwatch {
namespace {

using testing::HasSubstr;

Answer number(double value) { return Answer{Vector{{Series{{}, value}}}, {}, false, nullptr, {}}; }

TEST(Compare, AGaugeThatIsTypicallyHigherIsFound) {
  statistics::GaugeRules rules;
  rules.margin = std::log(1.1);
  rules.promote_margin = std::log(1.25);
  Compared r(long_steps(compared("memory", rules)));
  r.play("begin ack");
  int slots = 0;
  for (; r.state.state == State::kAnalyzing && slots < 60; ++slots)
    r.answer_arms("memory", {number(150 + slots % 3), number(100 + slots % 2)});
  EXPECT_EQ(r.state.state, State::kRollingBack);
  EXPECT_GT(slots, 9);
  EXPECT_THAT(r.decisions.back().reason, HasSubstr("on average, stable"));
  Compared equal(long_steps(compared("memory", rules)));
  equal.play("begin ack");
  for (int i = 0; i < 50; ++i)
    equal.answer_arms("memory", {number(100 + i % 3), number(100 + (i + 1) % 3)});
  EXPECT_EQ(equal.show(), "analyzing step 0 (5 %) passing");
}

TEST(Compare, AGaugeNeedsOneNumberOfEachVersion) {
  Compared r(long_steps(compared("memory", statistics::GaugeRules{})));
  r.play("begin ack");
  const Answer two{
      Vector{{Series{{{"pod", "a"}}, 1}, Series{{{"pod", "b"}}, 2}}}, {}, false, nullptr, {}};
  r.answer_arms("memory", {two, number(1)});
  EXPECT_EQ(r.judged().cause, Cause::kManySeries);
  r.answer_arms("memory", {number(std::nan("")), number(1)});
  EXPECT_EQ(r.judged().outcome, Outcome::kNoData);
  r.answer_arms("memory", {number(1), Answer{Vector{}, {}, false, nullptr, {}}});
  EXPECT_EQ(r.judged().cause, Cause::kNoStable);
}

// Cumulative buckets of one pod with boundaries 0.1, 0.5 and infinity.
Answer buckets(double fast, double slow, double slowest, const std::string& upper = "0.5") {
  std::vector<Series> series;
  series.push_back({{{"le", "0.1"}, {"pod", "a"}}, fast});
  series.push_back({{{"le", upper}, {"pod", "a"}}, fast + slow});
  series.push_back({{{"le", "+Inf"}, {"pod", "a"}}, fast + slow + slowest});
  return Answer{Vector{SeriesList(std::move(series))}, {}, false, nullptr, {}};
}

TEST(Compare, ASlowerHistogramIsFound) {
  statistics::HistogramRules rules;
  rules.dispersion.mode = statistics::DispersionMode::kOff;
  Compared r(long_steps(compared("latency", rules)));
  r.play("begin ack");
  int slots = 0;
  for (; r.state.state == State::kAnalyzing && slots < 60; ++slots)
    r.answer_arms("latency", {buckets(50 * slots, 50 * slots, 10 * slots),
                              buckets(900 * slots, 90 * slots, 10 * slots)});
  EXPECT_EQ(r.state.state, State::kRollingBack);
  EXPECT_THAT(r.decisions.back().reason, HasSubstr("slower than"));
  Compared equal(long_steps(compared("latency", rules)));
  equal.play("begin ack");
  for (int i = 0; i < 50; ++i)
    equal.answer_arms("latency", {buckets(90 * i, 9 * i, i), buckets(900 * i, 90 * i, 10 * i)});
  EXPECT_EQ(equal.show(), "analyzing step 0 (5 %) passing");
}

TEST(Compare, HistogramsWithOtherBoundariesAreAnError) {
  Compared r(long_steps(compared("latency", statistics::HistogramRules{})));
  r.play("begin ack");
  r.answer_arms("latency", {buckets(1, 1, 1, "0.25"), buckets(1, 1, 1)});
  EXPECT_EQ(r.judged().cause, Cause::kIncomparable);
  EXPECT_THAT(describe(r.judged()), HasSubstr("other boundaries"));
}

TEST(Compare, MannWhitneyLooksOnceAStepWhenItCouldEnd) {
  Plan plan = two_steps(compared("queue", RankRules{}));
  plan.steps[0].hold = plan.steps[1].hold = duration("3m");
  Compared r(plan);
  r.play("begin ack");
  std::vector<Cause> causes;
  for (int i = 0; i < 40 && r.state.state == State::kAnalyzing && r.state.step == 0; ++i) {
    r.answer_arms("queue", {number(5 + i % 7), number(5 + (i + 3) % 7)});
    causes.push_back(r.judged().cause);
    if (r.state.order) break;
  }
  EXPECT_EQ(std::ranges::count(causes, Cause::kNotWorse), 1);
  EXPECT_EQ(causes.back(), Cause::kNotWorse);
  EXPECT_THAT(r.ordered(), HasSubstr("advance 25 %"));
  r.ack();
  for (int i = 0; i < 40 && r.state.state == State::kAnalyzing; ++i)
    r.answer_arms("queue", {number(50 + i % 7), number(5 + i % 7)});
  EXPECT_EQ(r.state.state, State::kRollingBack);
}

}  // namespace
}  // namespace rollwatch
