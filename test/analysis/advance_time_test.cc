// What time alone does: timers, deadlines, reminders; and what happens when watching had stopped.
#include <gtest/gtest.h>

#include "test/analysis/rollout_fixture.h"

namespace rollwatch {
namespace {

std::string in(const Rollout& r, std::optional<SysTime> at) {
  return at ? "in " + format_duration(*at - r.now) : "never";
}

TEST(TimersTest, RingWhenSomethingWouldChange) {
  const auto soak = [](Plan& p) { p.soak = duration("10m"); };
  const auto observe = [](Plan& p) { p.conditions[0].on_fail = OnFail::kObserve; };
  const auto approve = [](Plan& p) { p.approve_start = true; };
  struct Row {
    const char* name;
    std::function<void(Plan&)> plan;
    const char* story;
    const char* next;
  };
  const Row rows[] = {
      {"waiting: the deadline", {}, "", "in 1d"},
      {"waiting for an approval: a reminder", approve, "", "in 30m"},
      {"analyzing: the deadline", {}, "begin", "in 1d"},
      {"analyzing: conditions end the step, not time", {}, "begin ack", "in 1d"},
      {"analyzing without gates: the hold", observe, "begin ack", "in 30s"},
      {"not while an order is out", observe, "begin ack wait=30s", "in 23h59m30s"},
      {"paused: a reminder", {}, "begin ack pause", "in 30m"},
      {"promoting: only the deployer", {}, "begin promote", "never"},
      {"soaking: its end, once all of it was looked at", soak, "begin promote ack pass*60",
       "in 0s"},
      {"soaking: an hour later if it is not", soak, "begin promote ack pass*59", "in 1h10s"},
      {"rolling back: a reminder", {}, "begin ack rollback", "in 1m"},
      {"rolling back: the next", {}, "begin ack rollback wait=1m", "in 5m"},
      {"ended", {}, "begin ack rollback ack", "never"},
  };
  for (const Row& row : rows) {
    Plan plan = error_rate();
    if (row.plan) row.plan(plan);
    Rollout r(plan);
    r.play(row.story);
    EXPECT_EQ(in(r, next_timer(r.fixed(), r.state)), row.next) << row.name;
  }
}

TEST(TimersTest, NothingHappensBeforeTheirTime) {
  for (const char* story :
       {"", "begin", "begin ack", "begin ack pause", "begin promote", "begin ack rollback"}) {
    Rollout r(error_rate());
    r.play(story);
    r.happens(TimePassed{});
    EXPECT_FALSE(r.last.changed()) << story;
  }
}

TEST(DeadlineTest, IsFromRegistrationToThePromoteOrder) {
  const auto then = [](OnDeadline what) {
    return [what](Plan& p) {
      p.deadline = duration("10m");
      p.on_deadline = what;
      p.patience = duration("1d");
      p.soak = duration("1h");
    };
  };
  const auto pause = then(OnDeadline::kPause);
  const auto rollback = then(OnDeadline::kRollback);
  expect_stories({
      {"not before", pause, "begin ack wait=9m59s", "analyzing step 0 (5 %) pending"},
      {"asks a person", pause, "begin ack wait=10m",
       "paused step 0 (5 %) pending, asks: deadline, out: pause 5 %"},
      {"counts from the registration", pause, "wait=9m begin ack wait=1m",
       "paused step 0 (5 %) pending, asks: deadline, out: pause 5 %"},
      {"also while an order is out", pause, "begin wait=10m",
       "paused pending, asks: deadline, out: pause 0 %"},
      {"a yes gives another one", pause, "begin ack wait=10m resume wait=9m",
       "analyzing step 0 (5 %) pending, out: resume 5 %"},
      {"that passes, too", pause, "begin ack wait=10m resume wait=10m",
       "paused step 0 (5 %) pending, asks: deadline, out: pause 5 %"},
      {"going on in spite of it gives another one", pause, "begin ack wait=10m advance wait=9m",
       "analyzing step 0 (5 %) pending, out: advance 25 %"},
      {"it passes quietly while paused", pause, "begin ack pause wait=20m",
       "paused step 0 (5 %) pending, asks: person_paused, out: pause 5 %"},
      {"and a person's yes is not undone by it", pause, "begin ack pause wait=20m resume wait=1m",
       "analyzing step 0 (5 %) pending, out: resume 5 %"},
      {"nor turned into a rollback", rollback, "begin ack pause wait=20m resume wait=1m",
       "analyzing step 0 (5 %) pending, out: resume 5 %"},
      {"or rolls back", rollback, "begin ack wait=10m",
       "rolling_back step 0 (5 %) pending, out: rollback 0 %"},
      {"not once it is promoted", rollback, "begin promote wait=1d",
       "promoting pending, out: promote 100 %"},
      {"not even if that was taken back", rollback, "begin promote wait=11m ack report=5 wait=5s",
       "analyzing step 0 (5 %) pending"},
      {"nor in the soak", rollback, "begin ack promote ack wait=30m",
       "soaking step 1 (100 %) pending"},
  });
}

TEST(RemindersTest, PeopleAreToldAgain) {
  struct Row {
    const char* name;
    const char* story;
    int reminders;
    const char* summary;
  };
  const Row rows[] = {
      {"not yet", "begin ack pause wait=29m", 0, ""},
      {"after half an hour", "begin ack pause wait=30m", 1,
       "still waits for a person: pause by alice"},
      {"every half hour", "begin ack pause wait=95m", 3,
       "still waits for a person: pause by alice"},
      {"not once it is answered", "begin ack pause wait=30m resume wait=2h", 1, ""},
      {"a rollback after a minute", "begin ack rollback wait=1m", 1,
       "the rollback is not acknowledged after 1m"},
      {"and every five", "begin ack rollback wait=12m", 3,
       "the rollback is not acknowledged after 11m"},
      {"an accepted one as well", "begin ack rollback accept wait=1m", 1,
       "the rollback is not acknowledged after 1m"},
      {"not once it is acknowledged", "begin ack rollback ack wait=1h", 0, ""},
  };
  for (const Row& row : rows) {
    Rollout r(error_rate());
    r.play(row.story);
    EXPECT_EQ(r.told(EventType::kReminder), row.reminders) << row.name;
    if (*row.summary != '\0') {
      EXPECT_EQ(r.events.back().summary, row.summary) << row.name;
    }
  }
}

TEST(WatchResumedTest, PatienceStartsAgainAndNothingAdvancesBeforeANewPass) {
  const auto patience = [](Plan& p) {
    p.patience = duration("1m");
    threshold(p.conditions[0]).rule.pass_if = comparison("< 0.02");
  };
  const auto three = [](Plan& p) { p.conditions[0].min_passes = 3; };
  const auto soak = [](Plan& p) { p.soak = duration("10m"); };
  expect_stories({
      {"the hold is over, but nobody saw it",
       {},
       "begin ack pass pass away=5m",
       "analyzing step 0 (5 %) unknown"},
      {"a new pass goes on",
       {},
       "begin ack pass pass away=5m pass",
       "analyzing step 0 (5 %) passing, out: advance 25 %"},
      {"as many as are asked for", three, "begin ack pass*2 away=5m pass pass",
       "analyzing step 0 (5 %) pending"},
      {"and then goes on", three, "begin ack pass*2 away=5m pass*3",
       "analyzing step 0 (5 %) passing, out: advance 25 %"},
      {"a short absence, between two slots",
       {},
       "begin ack pass*2 away=1s",
       "analyzing step 0 (5 %) pending"},
      {"long away is no silence", patience, "begin ack pass away=5h",
       "analyzing step 0 (5 %) unknown"},
      {"nor does it end one in a pause", patience, "begin ack pass empty*3 away=5h",
       "analyzing step 0 (5 %) unknown"},
      {"patience begins anew", patience, "begin ack pass empty*6 away=5h empty*6",
       "analyzing step 0 (5 %) unknown"},
      {"also after a moment between two slots", patience, "begin ack pass empty*6 away=1s empty",
       "analyzing step 0 (5 %) unknown"},
      {"and for inconclusive answers", patience, "begin ack between*6 away=1s between",
       "analyzing step 0 (5 %) pending"},
      {"and runs out", patience, "begin ack pass empty*6 away=5h empty*7",
       "paused step 0 (5 %) unknown, asks: no_answers, out: pause 5 %"},
      {"also for inconclusive answers", patience, "begin ack between*6 away=5h between*6",
       "analyzing step 0 (5 %) pending"},
      {"failing slots count over it",
       {},
       "begin ack fail fail away=5m fail",
       "rolling_back step 0 (5 %) failed, out: rollback 0 %"},
      {"a pause stays",
       {},
       "begin ack pause away=5h",
       "paused step 0 (5 %) unknown, asks: person_paused, out: pause 5 %"},
      {"a pause for want of answers is lifted by a new pass only", patience,
       "begin ack empty*7 away=5h pass", "analyzing step 0 (5 %) passing, out: resume 5 %"},
      {"an order stays out", {}, "begin away=5h", "analyzing pending, out: advance 5 %"},
      {"a rollback stays out",
       {},
       "begin ack fail*3 away=1h",
       "rolling_back step 0 (5 %) failed, out: rollback 0 %"},
      {"the soak is measured in time", soak, "begin promote ack away=10m wait=0s",
       "promoted step 1 (100 %) passed"},
      {"an ended one stays ended", {}, "begin cancel away=1h", "cancelled pending"},
  });
}

TEST(WatchResumedTest, MissedSlotsAreOneRecordWithACount) {
  Rollout r(error_rate());
  r.play("begin ack pass away=5m");
  const Evaluation& missed = r.evaluations.back();
  EXPECT_EQ(missed.judgement.outcome, Outcome::kMissed);
  EXPECT_EQ(missed.judgement.cause, Cause::kMissedDowntime);
  EXPECT_EQ(missed.last_slot - missed.slot + 1, 30);
  EXPECT_EQ(r.of("error-rate").counts[static_cast<std::size_t>(Outcome::kMissed)], 30U);
  EXPECT_EQ(r.told(EventType::kWatchResumed), 1);
  const std::int64_t last = r.of("error-rate").last_slot;
  r.play("pass");
  EXPECT_EQ(r.of("error-rate").last_slot, last + 1) << "no gap";
}

// Missed slots are counted once, whoever reports them and however they overlap.
TEST(SlotsMissedTest, NoSlotHasTwoEnds) {
  Rollout r(error_rate());
  r.play("begin ack pass");
  const std::int64_t last = r.of("error-rate").last_slot;
  struct Row {
    const char* name;
    std::int64_t first, end;
    std::int64_t recorded;
  };
  const Row rows[] = {{"all known", -5, 0, 0},
                      {"partly known", -5, 2, 2},
                      {"the same again", 1, 2, 0},
                      {"the next", 3, 3, 1}};
  for (const Row& row : rows) {
    r.evaluations.clear();
    r.happens(SlotsMissed{0, last + row.first, last + row.end, r.now, Cause::kMissedLate});
    std::int64_t recorded = 0;
    for (const Evaluation& e : r.evaluations) recorded += e.last_slot - e.slot + 1;
    EXPECT_EQ(recorded, row.recorded) << row.name;
  }
  r.evaluations.clear();
  r.happens(
      SlotAnswered{0, last + 3, r.now, Answer{Scalar{0.9}, {}, false, nullptr, {}}, std::nullopt});
  EXPECT_TRUE(r.evaluations.empty()) << "an answer that came after its slot was given up";
}

// The clock is put back by an hour: the grid goes on from where it is now.
TEST(ClockPutBackTest, NothingStandsStill) {
  struct Row {
    const char* name;
    const char* story;
    const char* then;
    const char* ends;
  };
  const Row rows[] = {
      {"slots go on", "begin ack pass pass", "pass*3",
       "analyzing step 0 (5 %) passing, out: advance 25 %"},
      {"before the first slot", "begin ack", "pass*2", "analyzing step 0 (5 %) passing"},
      {"the soak begins again", "begin promote ack pass", "pass*61 wait=0s",
       "promoted step 1 (100 %) passed"},
      {"reminders go on", "begin ack pause", "wait=30m",
       "paused step 0 (5 %) pending, asks: person_paused, out: pause 5 %"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    Plan plan = error_rate();
    plan.soak = duration("10m");
    Rollout r(plan);
    r.play(row.story);
    r.now -= duration("1h");
    r.happens(WatchResumed{Cause::kMissedClockJump});
    const SysTime back = r.now;
    const int reminders = r.told(EventType::kReminder);
    r.play(row.then);
    EXPECT_EQ(r.show(), row.ends);
    EXPECT_LE(r.now - back, duration("31m")) << "nothing waited for the old time";
    if (std::string(row.then) == "wait=30m") {
      EXPECT_EQ(r.told(EventType::kReminder), reminders + 1);
    }
  }
}

TEST(ClockPutBackTest, AnInitialDelayIsStillKept) {
  Plan plan = error_rate();
  plan.conditions[0].initial_delay = duration("5m");
  Rollout r(plan);
  r.play("begin ack");
  r.now -= duration("1h");
  r.happens(WatchResumed{Cause::kMissedClockJump});
  const SysTime back = r.now;
  r.play("pass");
  EXPECT_EQ(r.now - back, duration("5m10s"));
}

}  // namespace
}  // namespace rollwatch
