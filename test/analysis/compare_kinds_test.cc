// Comparisons of numbers, of latencies and by ranks.
#include <gmock/gmock.h>

#include <cmath>

#include "analysis/compare/histogram_words.h"
#include "analysis/compare/see.h"
#include "analysis/compare/words.h"
#include "analysis/judge.h"
#include "analysis/state_codec.h"
#include "test/analysis/compare_fixture.h"

namespace rollwatch {
namespace {

using testing::HasSubstr;

TEST(Compare, AGaugeThatIsTypicallyHigherIsFound) {
  statistics::GaugeRules rules;
  rules.margin = std::log(1.1);
  rules.promote_margin = std::log(1.25);
  Compared r(long_steps(compared("memory", rules)));
  r.play("begin ack");
  int slots = 0;
  for (; r.state.state == State::kAnalyzing && slots < 60; ++slots)
    r.answer_arms("memory", {gauge_answer(150 + slots % 3), gauge_answer(100 + slots % 2)});
  EXPECT_EQ(r.state.state, State::kRollingBack);
  EXPECT_GT(slots, 9);
  EXPECT_THAT(r.decisions.back().reason, HasSubstr("on average, stable"));
  Compared equal(long_steps(compared("memory", rules)));
  equal.play("begin ack");
  for (int i = 0; i < 50; ++i)
    equal.answer_arms("memory", {gauge_answer(100 + i % 3), gauge_answer(100 + (i + 1) % 3)});
  EXPECT_EQ(equal.show(), "analyzing step 0 (5 %) passing");
}

TEST(Compare, AGaugeNeedsOneNumberOfEachVersion) {
  Compared r(long_steps(compared("memory", statistics::GaugeRules{})));
  r.play("begin ack");
  const Answer two{
      Vector{{Series{{{"pod", "a"}}, 1}, Series{{{"pod", "b"}}, 2}}}, {}, false, nullptr, {}};
  r.answer_arms("memory", {two, gauge_answer(1)});
  EXPECT_EQ(r.judged().cause, Cause::kManySeries);
  r.answer_arms("memory", {gauge_answer(std::nan("")), gauge_answer(1)});
  EXPECT_EQ(r.judged().outcome, Outcome::kNoData);
  r.answer_arms("memory", {gauge_answer(1), Answer{Vector{}, {}, false, nullptr, {}}});
  EXPECT_EQ(r.judged().cause, Cause::kNoStable);
}

TEST(Compare, ASlowerHistogramIsFound) {
  statistics::HistogramRules rules;
  rules.dispersion.mode = statistics::DispersionMode::kOff;
  Compared r(long_steps(compared("latency", rules)));
  r.play("begin ack");
  int slots = 0;
  for (; r.state.state == State::kAnalyzing && slots < 60; ++slots)
    r.answer_arms("latency", {bucket_answer(50 * slots, 50 * slots, 10 * slots),
                              bucket_answer(900 * slots, 90 * slots, 10 * slots)});
  EXPECT_EQ(r.state.state, State::kRollingBack);
  EXPECT_THAT(r.decisions.back().reason, HasSubstr("slower than 0.1 of "))
      << "what decided, and not the boundary that 1 % of stable's requests exceed";
  Compared equal(long_steps(compared("latency", rules)));
  equal.play("begin ack");
  for (int i = 0; i < 50; ++i)
    equal.answer_arms("latency",
                      {bucket_answer(90 * i, 9 * i, i), bucket_answer(900 * i, 90 * i, 10 * i)});
  EXPECT_EQ(equal.show(), "analyzing step 0 (5 %) passing");
}

// The evidence of each score, the ranks' first, and the buckets of both versions.
statistics::ComparisonState latencies(std::vector<double> evidence, std::vector<double> candidate,
                                      std::vector<double> stable) {
  statistics::ComparisonState state;
  auto histogram = statistics::HistogramState::start(std::vector{0.1, 0.5});
  for (std::size_t i = 0; i < evidence.size(); ++i)
    histogram.scores[i].harm.log_evidence = evidence[i];
  histogram.promote_boundary = 2;
  histogram.fed = 5;
  state.process = std::move(histogram);
  state.candidate_buckets = std::move(candidate);
  state.stable_buckets = std::move(stable);
  return state;
}

TEST(Compare, AHistogramSaysWhichOfItsBoundariesSpeaksOrTheWhole) {
  ConditionPlan plan = compared("latency", statistics::HistogramRules{});
  const struct {
    const char* name;
    std::vector<double> evidence;
    const char* says;
  } rows[] = {
      {"nothing speaks",
       {-1, -2, -3},
       "8 slower than 0.5 of 100 (8 %), stable 10 of 1,000 (1 %): 8 times"},
      {"a boundary",
       {1, 4, -3},
       "40 slower than 0.1 of 100 (40 %), stable 100 of 1,000 (10 %): 4 times"},
      {"the other", {1, 2, 4}, "8 slower than 0.5 of 100 (8 %), stable 10 of 1,000 (1 %): 8 times"},
      {"the ranks, which weigh 4/3 of a boundary",
       {4, 4, -3},
       "slower as a whole (of 100 pairs of requests the candidate's took longer in 65), 40 slower "
       "than 0.1 of 100 (40 %), stable 100 of 1,000 (10 %): 4 times"},
  };
  for (const auto& row : rows)
    EXPECT_EQ(measured(comparison(plan), latencies(row.evidence, {60, 32, 8}, {900, 90, 10})),
              row.says)
        << row.name;
  comparison(plan).counted = query("http_seconds_bucket{version=\"{{version}}\"}");
  EXPECT_THAT(measured(comparison(plan), latencies({1, 4, 1}, {60, 32, 8}, {900, 90, 10})),
              HasSubstr("slower than 0.1 s of"));
  comparison(plan).counted = query("http_milliseconds_bucket{version=\"{{version}}\"}");
  EXPECT_THAT(measured(comparison(plan), latencies({1, 4, 1}, {60, 32, 8}, {900, 90, 10})),
              HasSubstr("slower than 0.1 ms of"));
}

// What was compared before buckets were kept is known at one boundary only, and more is not made
// up.
TEST(Compare, AHistogramThatAnOlderProgramSavedGoesOnAsItDid) {
  const auto rules = statistics::HistogramRules{};
  const ConditionPlan plan = compared("latency", rules);
  statistics::ComparisonState old = latencies({1, 4, -3}, {}, {});
  old.fed = {{{{100, 8}, {1000, 10}}, 1}};
  EXPECT_EQ(measured(std::get<CompareCondition>(plan.kind), old),
            "8 slower than 0.5 of 100 (8 %), stable 10 of 1,000 (1 %): 8 times");
  old.candidate = old.stable = statistics::CounterTable::start(3);
  std::get<statistics::HistogramState>(old.process).history = {900, 90, 10};
  ComparedSlot slot;
  const Answer of_candidate = bucket_answer(60, 32, 8), of_stable = bucket_answer(900, 90, 10);
  slot.evaluated_at = SysTime(Millis(10'000));
  slot.candidate.counted = &of_candidate;
  slot.stable.counted = &of_stable;
  old.candidate.last_at = old.stable.last_at = SysTime(Millis(0));
  const SeenSlot seen = see(std::get<CompareCondition>(plan.kind), &old, slot);
  EXPECT_FALSE(seen.end);
  EXPECT_EQ(seen.state.fed.size(), 2u);
  EXPECT_THAT(seen.state.candidate_buckets, testing::IsEmpty());
}

TEST(Compare, MannWhitneyLooksOnceAStepWhenItCouldEnd) {
  Plan plan = two_steps(compared("queue", RankRules{}));
  plan.steps[0].hold = plan.steps[1].hold = duration("3m");
  Compared r(plan);
  r.play("begin ack");
  std::vector<Cause> causes;
  for (int i = 0; i < 40 && r.state.state == State::kAnalyzing && r.state.step == 0; ++i) {
    r.answer_arms("queue", {gauge_answer(5 + i % 7), gauge_answer(5 + (i + 3) % 7)});
    causes.push_back(r.judged().cause);
    if (r.state.order) break;
  }
  EXPECT_EQ(std::ranges::count(causes, Cause::kNotWorse), 1);
  EXPECT_EQ(causes.back(), Cause::kNotWorse);
  EXPECT_THAT(r.ordered(), HasSubstr("advance 25 %"));
  r.ack();
  for (int i = 0; i < 40 && r.state.state == State::kAnalyzing; ++i)
    r.answer_arms("queue", {gauge_answer(50 + i % 7), gauge_answer(5 + i % 7)});
  EXPECT_EQ(r.state.state, State::kRollingBack);
}

// A deployer that went back and forth between two weights had each step looked at as often as it
// was reported, and alpha spent as often.
TEST(Compare, MannWhitneyDoesNotLookAgainAtAStepThatComesAgain) {
  Plan plan = two_steps(compared("queue", RankRules{}));
  plan.steps[0].hold = plan.steps[1].hold = duration("3m");
  Compared r(plan);
  r.play("begin ack");
  for (int i = 0; i < 40 && !r.state.order; ++i)
    r.answer_arms("queue", {gauge_answer(5 + i % 7), gauge_answer(5 + (i + 3) % 7)});
  ASSERT_EQ(r.judged().cause, Cause::kNotWorse);
  r.ack();
  for (int i = 0; i < 5; ++i)
    r.answer_arms("queue", {gauge_answer(5 + i % 7), gauge_answer(5 + (i + 3) % 7)});
  EXPECT_EQ(r.report(5), "");
  const auto saved = decode_state(encode_state(r.state));
  ASSERT_TRUE(saved) << saved.error();
  r.state = *saved;
  int slots = 0;
  for (; slots < 40 && !r.state.order && r.state.state == State::kAnalyzing; ++slots) {
    r.answer_arms("queue", {gauge_answer(50 + slots % 7), gauge_answer(5 + slots % 7)});
    ASSERT_EQ(r.judged().cause, Cause::kNotWorse) << describe(r.judged());
  }
  EXPECT_THAT(describe(r.judged()),
              HasSubstr("looked at when this step was here before: typically"));
  EXPECT_GT(slots, 12);
  EXPECT_EQ(r.log_evidence(), 0);
  EXPECT_THAT(r.ordered(), HasSubstr("advance 25 %"));
  // The other step was left before it could be looked at: it has its look still.
  r.ack();
  for (int i = 0; i < 40 && r.state.state == State::kAnalyzing; ++i)
    r.answer_arms("queue", {gauge_answer(50 + i % 7), gauge_answer(5 + i % 7)});
  EXPECT_EQ(r.state.state, State::kRollingBack);
}

TEST(Compare, HowFarTwoListsOfNumbersLieApartIsToldAsItIs) {
  const struct {
    const char* name;
    double candidate, tolerated;
    bool larger_is_worse;
    const char* says;
  } rows[] = {
      {"higher", 50, 1, true, "typically 40 higher than stable"},
      {"within what is tolerated, and higher all the same", 15, 2, true,
       "typically 5 higher than stable"},
      {"lower", 7, 1, true, "typically 3 lower than stable"},
      {"lower is worse", 7, 1, false, "typically 3 lower than stable"},
      {"equal", 10, 1, true, "typically the same as stable"},
  };
  for (const auto& row : rows) {
    Plan plan = two_steps(compared("queue", RankRules{row.larger_is_worse, row.tolerated}));
    plan.steps[0].hold = plan.steps[1].hold = duration("3m");
    Compared r(plan);
    r.play("begin ack");
    for (int i = 0; i < 40 && !r.state.order && r.state.state == State::kAnalyzing; ++i)
      r.answer_arms("queue", {gauge_answer(row.candidate), gauge_answer(10)});
    EXPECT_THAT(describe(r.judged()), HasSubstr(row.says)) << row.name;
  }
}

}  // namespace
}  // namespace rollwatch
