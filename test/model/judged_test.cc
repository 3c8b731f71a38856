// Random answers to random conditions, judged by both: the same outcome, for the same cause, by the
// same number.
#include "test/model/judged.h"

#include <gtest/gtest.h>

#include "analysis/judge.h"
#include "test/analysis/random_rollouts.h"

namespace rollwatch::model {
namespace {

constexpr unsigned kJudgedSeeds = 30'000;
constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

Comparison random_comparison(Dice& dice) {
  return {static_cast<CompareOp>(dice.roll(6)), dice.pick({-1.0, 0.0, 1.0, 2.0})};
}

ConditionPlan random_rule(Dice& dice) {
  ConditionPlan plan = condition("c", "> 1");
  ThresholdCondition& t = threshold(plan);
  t.rule.fail_if = random_comparison(dice);
  if (dice.one_in(2)) t.rule.pass_if = random_comparison(dice);
  if (t.rule.pass_if && dice.one_in(3)) t.rule.fail_if.reset();
  if (dice.one_in(6)) t.rule = {SeriesRule::kAnySeriesFails, std::nullopt, std::nullopt};
  if (dice.one_in(6)) t.rule = {SeriesRule::kNoSeriesFails, std::nullopt, std::nullopt};
  t.reduce = static_cast<Reduce>(dice.roll(6));
  if (dice.one_in(2)) windowed(plan, "30s");
  if (dice.one_in(2)) t.evidence = query(dice.pick({"requests", "requests[{{window}}]"}));
  return plan;
}

Answer random_numbers(Dice& dice, bool counts) {
  Answer answer;
  answer.partial = dice.one_in(15);
  if (dice.one_in(12)) {
    answer.result = QueryFailure{static_cast<FailureKind>(dice.roll(7)), "it broke", 0};
  } else if (dice.one_in(20)) {
    answer.result = Unusable{"matrix"};
  } else {
    const auto number = [&] {
      if (dice.one_in(8)) return dice.pick({kNaN, kInf, -kInf, 1e308});
      return counts ? dice.pick({0.0, 12.0, 50.0, 100.0, -5.0})
                    : dice.pick({-2.0, -1.0, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0});
    };
    if (dice.one_in(6)) {
      answer.result = Scalar{number()};
    } else {
      Vector vector;
      for (int i = dice.roll(4); i > 0; --i) {
        Series series{{}, number()};
        if (!dice.one_in(4))
          series.labels.push_back({"app", dice.one_in(3) ? "another" : "checkout"});
        vector.series.push_back(std::move(series));
      }
      answer.result = std::move(vector);
    }
  }
  return answer;
}

Judged of_the_real_one(const Judgement& j) { return {j.outcome, j.cause, j.value, j.evidence}; }

std::string show(const Judged& j) {
  return std::string(name_of(j.outcome)) + " " + std::string(name_of(j.cause)) + " " +
         (j.value ? format_exact(*j.value) : "-") + " [" +
         (j.evidence ? format_exact(*j.evidence) : "-") + "]";
}

TEST(JudgedTest, BothSayTheSame) {
  const SysTime began(Millis(1'000'000));
  std::array<int, 27> causes{};
  for (unsigned seed = 1; seed <= kJudgedSeeds; ++seed) {
    Dice dice(seed);
    const ConditionPlan plan = random_rule(dice);
    const auto& t = std::get<ThresholdCondition>(plan.kind);
    const Answer value = random_numbers(dice, false);
    std::optional<Answer> evidence;
    if (t.evidence) evidence = random_numbers(dice, true);
    JudgeContext context;
    context.evaluated_at = began + Millis(dice.pick({-1'000, 0, 1'000, 29'999, 30'000, 60'000}));
    if (!dice.one_in(5)) context.step_since = began;
    if (dice.one_in(3)) context.select = {{"app", dice.one_in(4) ? "" : "checkout"}};
    const Answer* counted = evidence ? &*evidence : nullptr;
    const Judged expected =
        judge(plan, value, counted, context.select, context.evaluated_at, context.step_since);
    const Judged real = of_the_real_one(rollwatch::judge(plan, value, counted, context));
    ASSERT_EQ(show(real), show(expected))
        << "seed " << seed << ": fail_if " << (t.rule.fail_if ? to_string(*t.rule.fail_if) : "-")
        << ", pass_if " << (t.rule.pass_if ? to_string(*t.rule.pass_if) : "-") << ", reduce "
        << static_cast<int>(t.reduce) << ", rule " << static_cast<int>(t.rule.series);
    ++causes[static_cast<std::size_t>(real.cause)];
  }
  for (std::size_t i = 0; i < static_cast<std::size_t>(Cause::kMissedDowntime); ++i)
    EXPECT_GT(causes[i], 0) << "none was " << name_of(static_cast<Cause>(i));
}

}  // namespace
}  // namespace rollwatch::model
