// What a comparison does to a rollout, slot by slot.
#include <gmock/gmock.h>

#include <cmath>
#include <set>

#include "analysis/compare/standing.h"
#include "analysis/compare/words.h"
#include "analysis/judge.h"
#include "analysis/state_codec.h"
#include "test/analysis/compare_fixture.h"

namespace rollwatch {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Compare, TheFirstSlotRemembersAndTheWarmUpIsNotCompared) {
  Compared r(long_steps(compared_rate()));
  r.play("begin ack");
  std::vector<std::string> causes;
  for (int i = 0; i < 6; ++i) {
    r.serve(kFine, kStable);
    causes.emplace_back(name_of(r.judged().cause));
  }
  EXPECT_THAT(causes, testing::ElementsAre("counting_begins", "warming_up", "warming_up",
                                           "not_worse", "not_worse", "not_worse"));
  EXPECT_EQ(r.show(), "analyzing step 0 (5 %) passing");
  EXPECT_EQ(r.judged().evidence, 300) << "the candidate's requests that were compared";
}

TEST(Compare, FewEventsOnlyLengthenTheStep) {
  Compared r(long_steps(compared_rate()));
  r.warm_up({10, 0});
  EXPECT_EQ(r.judged().cause, Cause::kFewCompared);
  EXPECT_THAT(describe(r.judged()), HasSubstr("only 10 of 100 compared so far"));
  r.serve_times(60, {0.1, 0}, kStable);
  EXPECT_EQ(r.show(), "analyzing step 0 (5 %) pending") << "no patience is used up";
}

TEST(Compare, ACandidateThatIsWorseIsRolledBackAndTheReasonSaysHowMuch) {
  Compared r(long_steps(compared_rate()));
  r.warm_up();
  int slots = 0;
  while (r.state.state == State::kAnalyzing && slots < 60) {
    r.serve(kBad, kStable);
    ++slots;
  }
  EXPECT_EQ(r.show(), "rolling_back step 0 (5 %) failed, out: rollback 0 %");
  EXPECT_GE(slots, 3) << "one slot adds at most 2 nats, and alpha is 0.01";
  EXPECT_LE(slots, 12);
  EXPECT_THAT(r.decisions.back().reason,
              AllOf(HasSubstr("errors worse than stable: "), HasSubstr(" bad of "),
                    HasSubstr("evidence "), HasSubstr(" of 100")));
  EXPECT_EQ(r.decisions.back().condition, 0u);
}

TEST(Compare, WhatBothHaveIsSharedAndNotBlamedOnTheCandidate) {
  Compared r(long_steps(compared_rate()));
  r.happens(HistoryRead{0, history_of_stable(31, kStable), ""});
  r.warm_up(kFine, kStable);
  r.serve_times(5, kFine, kStable);
  const double before = r.log_evidence();
  r.serve_times(10, {100, 20}, {1900, 380});
  EXPECT_EQ(r.judged().outcome, Outcome::kPass);
  EXPECT_THAT(describe(r.judged()),
              HasSubstr("stable too: 20 % of its events were bad in this slot"));
  EXPECT_LE(r.log_evidence(), before + 0.5);
  EXPECT_EQ(r.show(), "analyzing step 0 (5 %) passing");
}

TEST(Compare, WithoutHistoryTheSlotsBeforeSayWhatIsUsual) {
  Compared r(long_steps(compared_rate()));
  r.warm_up(kFine, kStable);
  r.serve_times(5, kFine, kStable);
  r.serve({100, 20}, {1900, 380});
  EXPECT_THAT(describe(r.judged()), HasSubstr("stable too: 20 %"));
  r.serve(kFine, kStable);
  EXPECT_THAT(describe(r.judged()), testing::Not(HasSubstr("stable too")));
}

TEST(Compare, SuspicionKeepsTheWeightWithoutAQuestion) {
  Plan plan = two_steps(compared_rate());
  Compared r(plan);
  r.warm_up();
  while (r.judged().cause != Cause::kSuspicious && r.now < *parse_time("2026-01-02T04:00:00Z"))
    r.serve({100, 3.2}, kStable);
  ASSERT_EQ(r.judged().cause, Cause::kSuspicious);
  EXPECT_THAT(describe(r.judged()), HasSubstr("; the weight is kept; evidence "));
  EXPECT_THAT(r.show(), HasSubstr("analyzing step 0 (5 %) pending"));
  EXPECT_FALSE(r.state.question);
  r.serve_times(40, {100, 0}, kStable);
  EXPECT_THAT(r.ordered(), HasSubstr("advance 25 %")) << "it went away";
}

TEST(Compare, SuspicionKeepsNoWeightWhereTheConditionOnlyObserves) {
  ConditionPlan observes = compared_rate();
  observes.on_fail = OnFail::kObserve;
  Compared r(long_steps({observes, condition("guard", "> 0.5")}));
  r.warm_up();
  while (r.judged().cause != Cause::kSuspicious && r.now < *parse_time("2026-01-02T04:00:00Z"))
    r.serve({100, 3.2}, kStable);
  ASSERT_EQ(r.judged().cause, Cause::kSuspicious);
  EXPECT_THAT(describe(r.judged()), testing::Not(HasSubstr("weight")));
}

TEST(Compare, NothingServedIsNoDataAndUsesUpPatience) {
  Compared r(long_steps(compared_rate()));
  r.warm_up();
  r.serve_times(29, {0, 0}, kStable);
  EXPECT_EQ(r.judged().cause, Cause::kNoCandidate);
  EXPECT_THAT(describe(r.judged()), HasSubstr("the candidate served nothing"));
  EXPECT_EQ(r.show(), "analyzing step 0 (5 %) unknown");
  r.serve_times(3, {0, 0}, kStable);
  EXPECT_THAT(r.show(), HasSubstr("paused step 0 (5 %) unknown, asks: no_answers"));
  r.serve(kFine, kStable);
  EXPECT_THAT(r.show(), HasSubstr("analyzing")) << "lifted by the next answer";
}

TEST(Compare, StableServingNothingIsNoDataToo) {
  Compared r(long_steps(compared_rate()));
  r.warm_up();
  r.serve(kFine, {0, 0});
  EXPECT_EQ(r.judged().cause, Cause::kNoStable);
  EXPECT_EQ(r.judged().outcome, Outcome::kNoData);
}

TEST(Compare, AnAnswerThatIsAnErrorIsOneAndTheCountersWaitForTheNext) {
  Compared with(long_steps(compared_rate())), without(long_steps(compared_rate()));
  with.warm_up();
  without.warm_up();
  with.candidate.add(kFine);
  with.stable.add(kStable);
  const Answer failed{QueryFailure{FailureKind::kTimeout, "no answer", 0}, {}, false, nullptr, {}};
  with.answer_arms("errors",
                   {with.candidate.events(), failed, with.stable.events(), with.stable.bad()});
  EXPECT_EQ(with.judged().cause, Cause::kTimeout);
  EXPECT_THAT(describe(with.judged()), HasSubstr("candidate's bad_events"));
  with.serve(kFine, kStable);
  without.missed("errors");
  without.serve({200, 2}, {3800, 38});
  EXPECT_EQ(with.log_evidence(), without.log_evidence()) << "each event once, with the next slot";
}

// ---- What happens to processes and not to the release

double evidence_after(const std::function<void(Compared&)>& happens) {
  Compared r(long_steps(compared_rate()));
  r.warm_up(kFine, kStable);
  r.serve_times(3, {100, 2}, kStable);
  happens(r);
  r.serve_times(3, {100, 2}, kStable);
  return r.log_evidence();
}

TEST(Compare, RestartsNewPodsAndGapsChangeNothing) {
  const double usual = evidence_after([](Compared& r) { r.serve({100, 2}, kStable); });
  EXPECT_DOUBLE_EQ(evidence_after([](Compared& r) {
                     r.candidate["candidate-0"] = {};  // its container began anew
                     r.stable["stable-3"] = {};
                     r.serve({100, 2}, kStable);
                   }),
                   usual);
  EXPECT_DOUBLE_EQ(evidence_after([](Compared& r) {
                     // A pod in the place of another, and its first requests.
                     r.candidate.remove("candidate-1");
                     r.candidate["candidate-9"] = {};
                     r.serve({100, 2}, kStable);
                   }),
                   usual);
}

TEST(Compare, ASeriesThatIsBornOnTheWayCountsFromZero) {
  Compared r(long_steps(compared_rate()));
  r.warm_up();
  r.serve({100, 0}, kStable);
  const double before = r.log_evidence();
  r.candidate["candidate-new"] = {50, 25};
  r.serve({100, 0}, kStable);
  EXPECT_GT(r.log_evidence(), before) << "its first errors are not lost";
}

TEST(Compare, ItIsSavedInTheMiddleAndGoesOnTheSame) {
  Compared r(long_steps(compared_rate()));
  r.warm_up();
  r.serve_times(5, kFine, kStable);
  const auto saved = decode_state(encode_state(r.state));
  ASSERT_TRUE(saved) << saved.error();
  EXPECT_EQ(encode_state(*saved), encode_state(r.state));
  Compared again = r;
  again.state = *saved;
  for (Compared* each : {&r, &again}) each->serve_times(5, {100, 3}, kStable);
  EXPECT_EQ(encode_state(again.state), encode_state(r.state));
}

TEST(Compare, EachPodOfStableIsInAGroupOfItsOwnWhereThereAreAsManyGroups) {
  Compared r(long_steps(compared_rate()));
  r.warm_up();
  r.serve_times(3, kFine, kStable);
  const auto& guard = r.state.conditions[0].memory.comparison()->placebo;
  ASSERT_EQ(guard.groups.size(), 10u);
  std::set<std::uint32_t> groups;
  for (const auto& member : guard.members) groups.insert(member.group);
  EXPECT_EQ(groups.size(), 10u) << "none is empty";
  // A pod in the place of another goes where that one was, once it is gone.
  r.stable.remove("stable-3");
  r.serve_times(statistics::CounterTable::kGoneAfter, kFine, kStable);
  r.stable["stable-new"] = {};
  r.serve(kFine, kStable);
  groups.clear();
  const auto& now = r.state.conditions[0].memory.comparison()->placebo;
  const auto gone = statistics::series_key("stable-3");
  for (const auto& member : now.members)
    if (member.source != gone) groups.insert(member.group);
  EXPECT_EQ(groups.size(), 10u);
}

// ---- One alpha

TEST(Compare, TheThresholdIsAGuardBesideItAndOutsideThePromise) {
  Plan plan = long_steps({compared_rate(), condition("guard", "> 0.5")});
  EXPECT_TRUE(is_in_promise(plan, 0));
  EXPECT_FALSE(is_in_promise(plan, 1));
  plan.conditions[0].on_fail = OnFail::kPause;
  EXPECT_FALSE(is_in_promise(plan, 0)) << "it rolls nothing back";
  Compared r(long_steps({compared_rate(), condition("guard", "> 0.5")}));
  r.play("begin ack");
  for (int i = 0; i < 3; ++i) r.slot("guard", 0.9);
  EXPECT_THAT(r.decisions.back().reason, HasSubstr("guard"));
  EXPECT_EQ(r.state.state, State::kRollingBack);
}

TEST(Compare, AlphaIsSharedSoEachNeedsMoreThanAlone) {
  const Plan one = long_steps(compared_rate());
  const Plan two = long_steps({compared_rate("a"), compared_rate("b")});
  const std::vector<ConditionState> none(2);
  EXPECT_DOUBLE_EQ(standing_of(one, none, 0).log_needed, std::log(100));
  EXPECT_DOUBLE_EQ(standing_of(two, none, 0).log_needed, std::log(200));
}

TEST(Compare, WhatTwoReachTogetherRollsBack) {
  Compared r(long_steps({compared_rate("a"), compared_rate("b")}));
  r.warm_up();
  while (r.state.state == State::kAnalyzing && r.now < *parse_time("2026-01-02T04:00:00Z"))
    r.serve({100, 4}, kStable);
  ASSERT_EQ(r.state.state, State::kRollingBack);
  const double together = standing_of(r.plan(), r.state.conditions, 0).log_together;
  EXPECT_GE(together, std::log(100));
  ASSERT_LT(std::max(r.log_evidence(0), r.log_evidence(1)), std::log(200))
      << "both saw the same, so the mean decides";
  EXPECT_THAT(r.decisions.back().reason,
              AllOf(HasSubstr("worse than stable"), HasSubstr("all comparisons together 1"),
                    HasSubstr(" of 100")));
}

TEST(Compare, OneThatObservesSaysWhatItWouldHaveDoneOnce) {
  ConditionPlan observes = compared_rate();
  observes.on_fail = OnFail::kObserve;
  Compared r(long_steps({observes, condition("guard", "> 0.5")}));
  r.play("begin ack");
  for (int i = 0; i < 20; ++i) r.serve(kBad, kStable);
  EXPECT_EQ(r.decided(), "advance would-have-rollback");
}

TEST(Compare, APersonWhoGoesOnBeginsTheEvidenceAnew) {
  ConditionPlan pauses = compared_rate();
  pauses.on_fail = OnFail::kPause;
  Compared r(long_steps(pauses));
  r.warm_up();
  while (r.state.state == State::kAnalyzing && r.now < *parse_time("2026-01-02T04:00:00Z"))
    r.serve(kBad, kStable);
  ASSERT_THAT(r.show(), HasSubstr("paused step 0 (5 %) failed, asks: condition_failed"));
  EXPECT_EQ(r.person(DecisionKind::kResume, "known"), "");
  EXPECT_EQ(r.log_evidence(), 0);
  r.serve_times(5, kFine, kStable);
  EXPECT_THAT(r.show(), HasSubstr("analyzing"));
}

// ---- Where stable is no fair measure, and what one version alone has lost

TEST(Compare, At100PercentThereIsNothingToCompareWith) {
  Plan plan = two_steps({compared_rate(), condition("guard", "> 0.5")});
  plan.soak = duration("10m");
  Compared r(plan);
  r.play("begin ack");
  EXPECT_EQ(r.person(DecisionKind::kPromote, "now"), "");
  r.ack();
  EXPECT_EQ(r.state.state, State::kSoaking);
  EXPECT_EQ(next_slot(r.plan().conditions[0], r.state.conditions[0], Millis{0}), std::nullopt);
  EXPECT_NE(next_slot(r.plan().conditions[1], r.state.conditions[1], Millis{0}), std::nullopt);
  Plan without = for_duration("1m");
  without.conditions = {compared_rate(), condition("guard", "> 0.5")};
  without.soak = duration("10m");
  Compared plain(without);
  plain.play("begin");
  EXPECT_EQ(plain.person(DecisionKind::kPromote, "now"), "");
  plain.ack();
  EXPECT_EQ(next_slot(plain.plan().conditions[0], plain.state.conditions[0], Millis{0}),
            std::nullopt);
}

TEST(Compare, OnTheWayTo100PercentSlotsAreSeenAndNotCompared) {
  Compared r(long_steps(compared_rate()));
  r.warm_up();
  r.person(DecisionKind::kPromote, "now");
  r.serve(kBad, {1, 0});
  EXPECT_EQ(r.judged().cause, Cause::kWarmingUp);
}

TEST(Compare, WhatAnOutageHidOfTheWarmUpIsNotCompared) {
  Compared r(long_steps(compared_rate()));
  r.play("begin ack");
  r.serve(kFine, kStable);
  r.missed("errors", 6);
  r.serve({100, 100}, kStable);
  EXPECT_EQ(r.judged().cause, Cause::kWarmingUp) << "some of it happened while the step was young";
  r.serve(kFine, kStable);
  EXPECT_EQ(r.judged().cause, Cause::kNotWorse);
}

TEST(Compare, ALostScrapeOfOneVersionHoldsBothBack) {
  Compared with(long_steps(compared_rate())), without(long_steps(compared_rate()));
  for (Compared* each : {&with, &without}) each->warm_up(kFine, kStable);
  with.candidate.add(kFine);
  with.stable.add(kStable);
  const Answer none{Vector{}, {}, false, nullptr, {}};
  with.answer_arms("errors", {none, none, with.stable.events(), with.stable.bad()});
  EXPECT_EQ(with.judged().cause, Cause::kNoCandidate);
  with.serve(kFine, kStable);
  without.missed("errors");
  without.serve({200, 2}, {3800, 38});
  EXPECT_DOUBLE_EQ(with.log_evidence(), without.log_evidence());
}

TEST(Compare, WhoIsNotAskedAtThisWeightAnyMoreStillCounts) {
  ConditionPlan first = compared_rate("first");
  first.steps = {5};
  Plan plan = long_steps({first, compared_rate("second"), condition("guard", "> 0.5")});
  Compared r(plan);
  r.play("begin ack");
  const auto serve = [&r](Counts candidate, const char* only) {
    r.candidate.add(candidate);
    r.stable.add(kStable);
    r.ask(only);
  };
  for (int i = 0; i < 4; ++i) serve(kFine, "first");
  while (r.log_evidence(0) < std::log(80.0) && r.state.state == State::kAnalyzing)
    serve({100, 3}, "first");
  ASSERT_EQ(r.state.state, State::kAnalyzing) << "the mean of two is below 100";
  EXPECT_EQ(r.person(DecisionKind::kAdvance, "go"), "");
  r.ack();
  for (int i = 0; i < 5; ++i) serve(kFine, "second");
  for (int i = 0; i < 60 && r.state.state == State::kAnalyzing; ++i) serve({100, 4}, "second");
  EXPECT_EQ(r.state.state, State::kRollingBack) << r.show();
  EXPECT_THAT(r.decisions.back().reason, HasSubstr("worse than stable"));
}

TEST(Compare, OnlyWhatIsSuspectIsCalledSo) {
  Compared r(long_steps({compared_rate("bad"), compared_rate("good")}));
  r.warm_up(kFine, kStable);
  while (r.log_evidence(0) < std::log(20.0)) {
    r.candidate.add({100, 4});
    r.stable.add(kStable);
    r.ask("bad");
  }
  EXPECT_EQ(r.judged().cause, Cause::kSuspicious);
  r.ask("good");
  EXPECT_NE(r.judged().cause, Cause::kSuspicious);
}

// The slot of one raised what two have together; the other, which is the suspect, had passed
// before. The step ended.
TEST(Compare, WhatAllHaveTogetherKeepsTheWeightWhoeverWasLookedAtLast) {
  Plan plan = long_steps({compared_rate("a"), compared_rate("b"), condition("guard", "> 0.5")});
  for (StepPlan& step : plan.steps) step.hold = duration("10s");
  int held = 0;
  for (int more = 1; more < 16; ++more) {
    Compared r(plan);
    r.play("begin ack");
    Pods candidate{"candidate", 2}, stable{"stable", 10};
    for (int i = 0; i < 40; ++i) {
      r.candidate.add({100, i < 4 ? 1 : 1 + 0.4 * more});
      r.stable.add(kStable);
      candidate.add({100, i < 4 ? 1 : 1 + 0.3 * more});
      stable.add(kStable);
      r.ask("a");
      if (r.state.state != State::kAnalyzing) break;
      r.answer_arms("b", {candidate.events(), candidate.bad(), stable.events(), stable.bad()});
      if (r.state.state != State::kAnalyzing) break;
      const bool both_passed =
          r.of("a").last->outcome == Outcome::kPass && r.of("b").last->outcome == Outcome::kPass;
      const auto standing = standing_of(r.plan(), r.state.conditions, 0);
      if (!both_passed || standing.log_together < std::log(5.0)) continue;
      r.slot("guard", 0.1);
      EXPECT_FALSE(r.state.order) << more << " " << i;
      EXPECT_THAT(r.state.reason, HasSubstr("the evidence of all comparisons together to fall"));
      ++held;
      break;
    }
  }
  EXPECT_GT(held, 0);
}

// ---- History

TEST(Compare, HistorySaysWhatThisRolloutCanSee) {
  Compared r(long_steps(compared_rate()));
  r.happens(HistoryRead{0, history_of_stable(31, {400, 2}), ""});
  const statistics::ComparisonState& memory = *r.state.conditions[0].memory.comparison();
  EXPECT_EQ(memory.history_slots, 30u);
  EXPECT_THAT(memory.outlook, AllOf(HasSubstr("at 40 a second, 5 % of it: a doubling of stable's "
                                              "0.5 %"),
                                    HasSubstr(" is not found before the end")));
  EXPECT_THAT(r.events.back().summary, HasSubstr(memory.outlook));
  r.happens(HistoryRead{0, history_of_stable(31, {400, 2}), ""});
  EXPECT_FALSE(r.last.changed()) << "once";
}

TEST(Compare, WithoutHistoryItSaysSo) {
  Compared r(long_steps(compared_rate()));
  r.happens(HistoryRead{0, {}, "the datasource cannot be reached"});
  EXPECT_THAT(r.events.back().summary,
              HasSubstr("could not be read (the datasource cannot be reached)"));
  EXPECT_TRUE(r.state.conditions[0].memory.comparison()->history_read);
}

}  // namespace
}  // namespace rollwatch
