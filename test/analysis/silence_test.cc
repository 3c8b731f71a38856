// Whose silence it is: the datasource's, which is the trouble of many rollouts, or only this
// query's.
#include "analysis/silence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/state_codec.h"
#include "test/analysis/rollout_fixture.h"

namespace rollwatch {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr Millis kHalfHour{30 * 60'000};

Judgement judged(Outcome outcome, Cause cause) {
  Judgement j;
  j.outcome = outcome;
  j.cause = cause;
  return j;
}

Answer failed(FailureKind kind) {
  return Answer{QueryFailure{kind, "connection refused", 0}, {}, false, nullptr, {}};
}

// The latest event of this type that the rollout told.
Event latest(const Rollout& r, EventType type) {
  for (auto event = r.events.rbegin(); event != r.events.rend(); ++event)
    if (event->type == type) return *event;
  ADD_FAILURE() << "no event " << name_of(type);
  return {};
}

Plan error_rate_soaking() {
  Plan plan = error_rate();
  plan.soak = duration("1h");
  return plan;
}

TEST(Silence, EveryCauseIsTheDatasourcesOrTheQuerys) {
  ConditionPlan plan = condition("errors", "> 1");
  plan.datasource = "d";
  struct Row {
    Cause cause;
    Outcome outcome;
    const char* whose;
    Sign sign;
  };
  const Row rows[] = {
      {Cause::kWithinLimit, Outcome::kPass, "", Sign::kAnswers},
      {Cause::kBeyondLimit, Outcome::kFail, "", Sign::kAnswers},
      {Cause::kBetweenLimits, Outcome::kInconclusive, "", Sign::kAnswers},
      {Cause::kSeriesCameBack, Outcome::kFail, "", Sign::kAnswers},
      {Cause::kNoSeriesCameBack, Outcome::kFail, "", Sign::kAnswers},
      {Cause::kNoSeries, Outcome::kNoData, "", Sign::kAnswers},
      {Cause::kNotANumber, Outcome::kNoData, "", Sign::kAnswers},
      {Cause::kInfinite, Outcome::kNoData, "", Sign::kAnswers},
      {Cause::kPartial, Outcome::kNoData, "", Sign::kAnswers},
      {Cause::kNoEvents, Outcome::kNoData, "", Sign::kAnswers},
      {Cause::kFewEvents, Outcome::kInconclusive, "", Sign::kAnswers},
      {Cause::kReachesBack, Outcome::kInconclusive, "", Sign::kAnswers},
      {Cause::kManySeries, Outcome::kError, "", Sign::kAnswers},
      {Cause::kUnusableKind, Outcome::kError, "", Sign::kAnswers},
      {Cause::kUnreachable, Outcome::kError, "d", Sign::kSilent},
      {Cause::kTimeout, Outcome::kError, "d", Sign::kSilent},
      {Cause::kBadQuery, Outcome::kError, "", Sign::kAnswers},
      {Cause::kHttpStatus, Outcome::kError, "d", Sign::kSilent},
      {Cause::kMalformed, Outcome::kError, "d", Sign::kSilent},
      {Cause::kTooLarge, Outcome::kError, "", Sign::kAnswers},
      {Cause::kNotAsked, Outcome::kError, "", Sign::kNone},
      {Cause::kMissedDowntime, Outcome::kMissed, "", Sign::kNone},
      {Cause::kMissedLate, Outcome::kMissed, "", Sign::kNone},
      {Cause::kMissedOverlap, Outcome::kMissed, "d", Sign::kSilent},
      {Cause::kMissedClockJump, Outcome::kMissed, "", Sign::kNone},
      {Cause::kMissedStore, Outcome::kMissed, "", Sign::kNone},
      {Cause::kMissedOverload, Outcome::kMissed, "d", Sign::kSilent},
      {Cause::kMissedEnded, Outcome::kMissed, "", Sign::kNone},
      {Cause::kMissedDelay, Outcome::kMissed, "", Sign::kNone},
      {Cause::kNotWorse, Outcome::kPass, "", Sign::kAnswers},
      {Cause::kWorseThanStable, Outcome::kFail, "", Sign::kAnswers},
      {Cause::kSuspicious, Outcome::kInconclusive, "", Sign::kAnswers},
      {Cause::kWarmingUp, Outcome::kInconclusive, "", Sign::kAnswers},
      {Cause::kCountingBegins, Outcome::kInconclusive, "", Sign::kAnswers},
      {Cause::kNotLookedYet, Outcome::kInconclusive, "", Sign::kAnswers},
      {Cause::kNoStable, Outcome::kNoData, "", Sign::kAnswers},
      {Cause::kIncomparable, Outcome::kError, "", Sign::kAnswers},
      {Cause::kNoCandidate, Outcome::kNoData, "", Sign::kAnswers},
      {Cause::kFewCompared, Outcome::kInconclusive, "", Sign::kAnswers},
  };
  const Plan whole = two_steps(plan);
  int cause = 0;
  for (const Row& row : rows) {
    SCOPED_TRACE(name_of(row.cause));
    EXPECT_EQ(static_cast<int>(row.cause), cause++) << "a row for every cause, in order";
    const Judgement j = judged(row.outcome, row.cause);
    EXPECT_EQ(silent_datasource(plan, j), row.whose);
    Evaluation evaluation;
    evaluation.judgement = j;
    const std::vector<Evaluation> evaluations = {evaluation};
    EXPECT_EQ(sign_of({{}, whole, {}, {}, {}, evaluations}, "d"), row.sign);
    EXPECT_EQ(sign_of({{}, whole, {}, {}, {}, evaluations}, "another"), Sign::kNone);
  }
  EXPECT_FALSE(is_known(static_cast<Cause>(cause))) << "a row for every cause";
}

TEST(Silence, AStepsLastWordOfEachConditionCounts) {
  const Plan plan = two_steps({condition("errors", "> 1"), condition("latency", "> 1")});
  Evaluation silent, answered, of_other;
  silent.judgement = judged(Outcome::kError, Cause::kTimeout);
  answered.judgement = judged(Outcome::kPass, Cause::kWithinLimit);
  of_other = answered;
  of_other.condition = 1;
  const auto sign = [&plan](const std::vector<Evaluation>& evaluations) {
    return sign_of({{}, plan, {}, {}, {}, evaluations}, "default");
  };
  EXPECT_EQ(sign({}), Sign::kNone);
  EXPECT_EQ(sign({silent, answered}), Sign::kAnswers);
  EXPECT_EQ(sign({answered, silent}), Sign::kSilent);
  EXPECT_EQ(sign({of_other, silent}), Sign::kSilent);
  EXPECT_EQ(sign({silent, of_other}), Sign::kSilent);
}

TEST(Silence, APauseForItNamesTheDatasourceAndSoDoesItsEnd) {
  Rollout r(error_rate());
  r.play("begin ack pass error*31");
  EXPECT_EQ(latest(r, EventType::kPaused).datasource, "default");
  EXPECT_THAT(silenced_by(r.fixed(), r.state), ElementsAre("default"));
  const auto silence = silence_of(r.fixed(), r.state, "default");
  ASSERT_TRUE(silence);
  EXPECT_EQ(silence->slot.cause, Cause::kTimeout);
  EXPECT_EQ(silence->since, r.of("error-rate").silent_since);
  EXPECT_FALSE(silence_of(r.fixed(), r.state, "another"));
  r.play("pass");
  EXPECT_EQ(r.state.state, State::kAnalyzing);
  EXPECT_EQ(latest(r, EventType::kResumed).datasource, "default");
  EXPECT_THAT(silenced_by(r.fixed(), r.state), IsEmpty());
  EXPECT_FALSE(silence_of(r.fixed(), r.state, "default"));
}

TEST(Silence, APauseForWantOfSeriesIsTheRolloutsOwn) {
  Rollout r(error_rate());
  r.play("begin ack pass empty*31");
  EXPECT_EQ(r.state.state, State::kPaused);
  EXPECT_EQ(latest(r, EventType::kPaused).datasource, "");
  EXPECT_THAT(silenced_by(r.fixed(), r.state), IsEmpty());
}

TEST(Silence, AReminderKnowsWhetherItIsStillTheDatasources) {
  struct Row {
    const char* name;
    const char* before_it;
    const char* datasource;
    const char* by_now;
  };
  const Row rows[] = {
      {"no answer since", "error*9", "default", ""},
      {"nobody asked since", "away=1m", "default", ""},
      {"answers, but there is nothing", "empty*9", "",
       "; by now error-rate: no data: the query found no series"},
      {"one of the two only answers", "empty*9 latency:error", "default", ""},
      {"answers, and the other one has not passed again", "latency:empty pass", "",
       "; by now latency: no data: the query found no series"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    Rollout r(two_steps({condition("error-rate", "> 0.05"), condition("latency", "> 0.5")}));
    r.play("begin ack pass latency:pass error*31");
    ASSERT_EQ(r.state.question->datasource, "default");
    r.play(row.before_it);
    r.wait(kHalfHour);
    const Event reminder = latest(r, EventType::kReminder);
    EXPECT_EQ(reminder.datasource, row.datasource);
    EXPECT_EQ(r.state.question->datasource, row.datasource);
    const std::string text =
        "still waits for a person: error-rate gave no answer for 5m: no answer within the "
        "timeout: no answer within 10s";
    EXPECT_EQ(reminder.summary, text + row.by_now);
    // What lifts the pause then is told as what the reminder was.
    r.play("pass latency:pass");
    EXPECT_EQ(latest(r, EventType::kResumed).datasource, row.datasource);
  }
}

TEST(Silence, ReadinessThatIsNotKnownForItNamesTheDatasourceToo) {
  Plan plan = error_rate();
  needs_three_ready(plan);
  plan.ready->attempts = 1;
  Rollout r(std::move(plan));
  r.answer("ready", failed(FailureKind::kUnreachable));
  r.wait(duration("2m"));
  ASSERT_EQ(r.state.question->kind, QuestionKind::kNotReady);
  EXPECT_EQ(latest(r, EventType::kPaused).datasource, "default");
  EXPECT_THAT(silenced_by(r.fixed(), r.state), ElementsAre("default"));
  r.play("ready:error");
  EXPECT_FALSE(has_answered(r.fixed(), r.state, "default"));
  r.play("ready:empty");
  EXPECT_TRUE(has_answered(r.fixed(), r.state, "default"));
  r.play("ready:pass");
  EXPECT_EQ(r.state.state, State::kWaiting);
  EXPECT_EQ(latest(r, EventType::kResumed).datasource, "default");

  Rollout never_asked([] {
    Plan unready = error_rate();
    needs_three_ready(unready);
    unready.ready->attempts = 1;
    return unready;
  }());
  never_asked.wait(duration("2m"));
  ASSERT_EQ(never_asked.state.question->kind, QuestionKind::kNotReady);
  EXPECT_EQ(latest(never_asked, EventType::kPaused).datasource, "");

  Plan twice = error_rate();
  needs_three_ready(twice);
  Rollout in_the_attempt_before(std::move(twice));
  in_the_attempt_before.play("ready:error wait=1m wait=30s wait=1m");
  ASSERT_EQ(in_the_attempt_before.state.question->kind, QuestionKind::kNotReady);
  EXPECT_EQ(latest(in_the_attempt_before, EventType::kPaused).datasource, "");
}

TEST(Silence, ASoakWithoutAnswersIsUnwatchedFromPatienceOnUntilOneComes) {
  Rollout r(error_rate_soaking());
  r.play("begin ack pass*4 ack pass*5 ack pass error*29");
  ASSERT_EQ(r.state.state, State::kSoaking);
  EXPECT_THAT(silenced_by(r.fixed(), r.state), IsEmpty()) << "not for patience yet";
  r.play("error*2");
  EXPECT_THAT(silenced_by(r.fixed(), r.state), ElementsAre("default"));
  EXPECT_EQ(latest(r, EventType::kNote).datasource, "default");
  EXPECT_TRUE(latest(r, EventType::kNote).is_news);
  r.play("pass");
  EXPECT_THAT(silenced_by(r.fixed(), r.state), IsEmpty());
}

TEST(Silence, ASoakAfterARestartHasForgottenIt) {
  Rollout r(error_rate_soaking());
  r.play("begin ack pass*4 ack pass*5 ack pass error*31 away=1m");
  ASSERT_EQ(r.state.state, State::kSoaking);
  EXPECT_THAT(silenced_by(r.fixed(), r.state), IsEmpty());
}

TEST(News, OfTypesThatAreMostlyForTheRecord) {
  struct Row {
    const char* name;
    Plan plan;
    const char* story;
    EventType type;
    const char* summary;
    bool is_news;
  };
  const auto with = [](const std::function<void(Plan&)>& change) {
    Plan plan = error_rate();
    plan.soak = duration("1h");
    change(plan);
    return plan;
  };
  const auto pauses = [](Plan& plan) { plan.conditions[0].on_fail = OnFail::kPause; };
  const auto waits = [](Plan& plan) { needs_three_ready(plan); };
  const Row rows[] = {
      {"a rollback says it", with([](Plan&) {}), "begin ack pass fail*3",
       EventType::kConditionFailed, "error-rate", false},
      {"a pause says it", with(pauses), "begin ack pass fail*3", EventType::kConditionFailed,
       "error-rate", false},
      {"on_fail = pause in the soak", with(pauses), "begin ack pass*4 ack pass*5 ack pass fail*3",
       EventType::kConditionFailed, "error-rate", true},
      {"on_fail = pause while a person paused it", with(pauses), "begin ack pass pause ack fail*3",
       EventType::kConditionFailed, "error-rate", true},
      {"only observed", with([](Plan& plan) { plan.conditions[0].on_fail = OnFail::kObserve; }),
       "begin ack pass fail*3", EventType::kConditionFailed, "would have", false},
      {"an attempt to get ready failed", with(waits), "ready:fail wait=1m", EventType::kReady,
       "not ready within 1m", true},
      {"looks again", with(waits), "ready:fail wait=95s", EventType::kReady, "looks again whether",
       false},
      {"ready", with(waits), "ready:pass", EventType::kReady, "ready: 3 of 3", false},
      {"a soak's own silence", with([](Plan&) {}), "begin ack pass*4 ack pass*5 ack pass empty*31",
       EventType::kNote, "gave no answer", true},
      {"whether it recovered is not known", with([](Plan&) {}),
       "begin ack pass fail*3 ack empty*9 wait=10m", EventType::kNote, "is not known", true},
      {"a reported weight", with([](Plan&) {}), "begin ack report=25", EventType::kNote,
       "reported by argo", false},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    Rollout r(row.plan);
    r.play(row.story);
    const Event event = latest(r, row.type);
    EXPECT_THAT(event.summary, HasSubstr(row.summary));
    EXPECT_EQ(event.is_news, row.is_news);
  }
}

}  // namespace
}  // namespace rollwatch
