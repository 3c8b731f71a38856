#include "daemon/delivery/teller.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "notifiers/grafana.h"
#include "notifiers/notification.h"
#include "notifiers/slack.h"
#include "notifiers/slack_thread.h"
#include "test/delivery/memory_store.h"
#include "test/support/run.h"

namespace rollwatch {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

constexpr SysTime kNow{Millis{1'767'323'045'678}};

// A rollout's step, kept so that a TakenStep can borrow from it.
struct Step {
  RolloutSpec spec;
  Plan plan;
  RolloutState before, after;
  std::vector<Event> events;
  std::vector<Evaluation> evaluations;
  TakenStep taken() const { return {spec, plan, before, after, events, evaluations}; }
};

Step step_of(const std::string& id, EventType type) {
  Step step;
  step.spec.id = id;
  step.spec.ns = "payments";
  Event event;
  event.type = type;
  event.at = kNow;
  event.by = "engine";
  event.summary = "paused: for a reason";
  step.events.push_back(std::move(event));
  return step;
}

// Paused because its datasource gives no answers, or going on because it does.
Step paused(const std::string& id) {
  Step step = step_of(id, EventType::kPaused);
  OpenQuestion question;
  question.datasource = "default";
  step.after.question = question;
  step.events[0].datasource = "default";
  return step;
}
Step lifted(const std::string& id) {
  Step step = step_of(id, EventType::kResumed);
  step.before = paused(id).after;
  step.events[0].datasource = "default";
  step.after.updated_at = step.events[0].at = kNow + Millis{60'000};
  return step;
}

std::vector<TakenStep> taken(const std::vector<Step>& steps) {
  std::vector<TakenStep> all;
  for (const Step& step : steps) all.push_back(step.taken());
  return all;
}

std::size_t notifications(const Told& told) {
  std::size_t count = 0;
  for (const Told::Step& step : told.steps) count += step.notifications.size();
  return count;
}

class TellerTest : public testing::Test {
 protected:
  TellerTest() {
    teller_.configure({{"people", {}, {}, slack_webhook_tells}});
    load(teller_, {});
  }

  void load(Teller& teller, const std::vector<RolloutView>& active) {
    net::io_context io;
    run<bool>(io, [&]() -> awaitable<bool> {
      co_await teller.load(store_, active);
      co_return true;
    });
  }

  // As the engine does.
  std::size_t record(Teller& teller, const std::vector<Step>& steps) {
    const Told told = teller.tell(taken(steps), {});
    for (const Told::Step& step : told.steps)
      for (const Memo& memo : step.memos) store_.shared_memos[memo.key] = memo.value;
    if (told.on_disk) told.on_disk();
    return notifications(told);
  }

  std::uint64_t random_ = 0xabc;
  Teller teller_{[this] { return random_++; }};
  MemoryStore store_;
};

TEST_F(TellerTest, OneDeliveryPerNotifierThatIsTold) {
  teller_.configure({{"pay", {{"namespace", "payments"}}, {}, slack_webhook_tells},
                     {"sre", {{"namespace", "payments"}}, {"paused"}, slack_webhook_tells},
                     {"ends", {{"namespace", "payments"}}, {"promoted"}, slack_webhook_tells}});
  const Told all = teller_.tell(taken({step_of("ro_01jg", EventType::kPaused)}), {});
  ASSERT_THAT(all.steps, SizeIs(1));
  EXPECT_THAT(all.steps[0].memos, IsEmpty());
  EXPECT_FALSE(all.on_disk) << "nothing to remember of what concerns one rollout";
  const auto& told = all.steps[0].notifications;
  ASSERT_THAT(told, SizeIs(2));
  EXPECT_EQ(told[0].id, "no_01jg-0000000000000abc");
  EXPECT_EQ(told[1].id, "no_01jg-0000000000000abd");
  EXPECT_EQ(told[0].target, "pay");
  EXPECT_EQ(told[1].target, "sre");
  EXPECT_EQ(told[0].cls, DeliveryClass::kNotification);
  EXPECT_EQ(told[0].kind, "paused");
  EXPECT_EQ(told[0].rollout, "ro_01jg");
  EXPECT_EQ(told[0].state, DeliveryState::kPending);
  EXPECT_EQ(told[0].created_at, kNow);
  EXPECT_EQ(told[0].expires_at, kNow + std::chrono::hours{24});
  const auto notice = from_payload(told[0].payload);
  ASSERT_TRUE(notice.has_value());
  EXPECT_EQ(notice->summary, "paused: for a reason");
}

ConditionPlan errors_condition() {
  return {.name = "errors",
          .kind =
              ThresholdCondition{
                  promql::parse_query_template("up").value(), {}, Reduce::kEach, std::nullopt, 100},
          .timeout = std::nullopt,
          .steps = {}};
}

// Whoever shows how a rollout stands gets that with everything about this rollout, and a
// condition's first failing check as well.
TEST_F(TellerTest, HowItStandsIsForThoseWhoShowIt) {
  teller_.configure({{"bot", {}, {}, slack_bot_tells, true, true},
                     {"board", {}, {}, grafana_tells, true},
                     {"few", {}, {"promoted"}, slack_bot_tells, true, true},
                     {"webhook", {}, {}, slack_webhook_tells}});
  teller_.show_graphs_of([](const std::string& name) { return "http://" + name; });
  Step step = step_of("ro_1", EventType::kStarted);
  step.plan.steps = {{5, Millis{0}, false}};
  step.plan.conditions.push_back(errors_condition());
  step.before.conditions.resize(1);
  step.after.conditions.resize(1);
  step.after.revision = 7;
  ConditionState& errors = step.after.conditions[0];
  errors.last.emplace().outcome = Outcome::kFail;
  errors.counts[static_cast<std::size_t>(Outcome::kFail)] = 1;
  const Told all = teller_.tell(taken({step, paused("ro_2")}), {});

  const auto& told = all.steps[0].notifications;
  ASSERT_THAT(told, SizeIs(4));
  EXPECT_EQ(told[0].target + " " + told[0].kind, "bot started");
  EXPECT_EQ(told[1].target + " " + told[1].kind, "board started");
  EXPECT_EQ(told[2].target + " " + told[2].kind, "webhook started");
  EXPECT_EQ(told[3].target + " " + told[3].kind, "bot verdict") << "it costs the others a message";
  const auto standing = standing_in(told[0].payload);
  ASSERT_TRUE(standing.has_value());
  EXPECT_EQ(standing->number, 7U);
  EXPECT_THAT(standing->graph, testing::StartsWith("http://default/graph?"));
  EXPECT_TRUE(standing_in(told[1].payload).has_value());
  EXPECT_FALSE(standing_in(told[2].payload).has_value());
  EXPECT_TRUE(standing_in(told[3].payload).has_value());

  const auto& shared = all.steps[1].notifications;
  ASSERT_THAT(shared, SizeIs(2));
  EXPECT_EQ(shared[0].target + " " + shared[0].kind, "bot paused");
  EXPECT_FALSE(standing_in(shared[0].payload).has_value()) << "it concerns many";
}

TEST_F(TellerTest, NobodyToTell) {
  teller_.configure({});
  EXPECT_EQ(record(teller_, {step_of("ro_1", EventType::kPaused)}), 0U);
}

TEST_F(TellerTest, ManyInOneBatchAreToldOnceWithTheFirst) {
  const std::vector<Step> steps = {paused("ro_1"), paused("ro_2"), paused("ro_3")};
  const Told told = teller_.tell(taken(steps), {});
  EXPECT_THAT(told.steps[0].notifications, SizeIs(1));
  ASSERT_THAT(told.steps[0].memos, SizeIs(1));
  EXPECT_TRUE(told.steps[0].memos[0].is_shared);
  for (const std::size_t later : {1U, 2U}) {
    EXPECT_THAT(told.steps[later].notifications, IsEmpty());
    EXPECT_THAT(told.steps[later].memos, IsEmpty()) << "nothing more to remember";
  }
}

// A batch that could not be recorded was not told: the next one tells it.
TEST_F(TellerTest, NothingIsRememberedThatIsNotOnDisk) {
  const std::vector<Step> steps = {paused("ro_1")};
  EXPECT_EQ(notifications(teller_.tell(taken(steps), {})), 1U);
  EXPECT_EQ(record(teller_, {paused("ro_2")}), 1U);
  EXPECT_EQ(record(teller_, {paused("ro_1")}), 0U);
  EXPECT_EQ(record(teller_, {lifted("ro_1"), lifted("ro_2")}), 1U);
}

TEST_F(TellerTest, TheNextProcessKnowsWhatWasTold) {
  EXPECT_EQ(record(teller_, {paused("ro_1"), paused("ro_2")}), 1U);
  Teller next([this] { return random_++; });
  next.configure({{"people", {}, {}, slack_webhook_tells}});
  const Step still = paused("ro_1");
  const Step too = paused("ro_2");
  std::vector<RolloutView> active;
  for (const Step* step : {&still, &too})
    active.push_back(
        {step->spec, nullptr, std::make_shared<const Plan>(step->plan), step->after, 0, {}});
  load(next, active);
  EXPECT_EQ(record(next, {paused("ro_3")}), 0U);
  EXPECT_EQ(record(next, {lifted("ro_1"), lifted("ro_3")}), 0U);
  EXPECT_EQ(record(next, {lifted("ro_2")}), 1U) << "the last one: it answers again";
  EXPECT_EQ(record(next, {paused("ro_4")}), 1U);
}

// Each memo says what it takes the place of, in the very words on disk, so that a store can refuse
// one that was written over unseen.
TEST_F(TellerTest, AMemoKnowsWhatItTakesThePlaceOf) {
  teller_.configure(
      {{"people", {}, {}, slack_webhook_tells}, {"sre", {}, {}, slack_webhook_tells}});
  Step second = paused("ro_2");
  second.after.question->datasource = second.events[0].datasource = "other";
  const std::vector<Step> both = {paused("ro_1"), second};
  const Told told = teller_.tell(taken(both), {});
  ASSERT_THAT(told.steps[0].memos, SizeIs(1));
  ASSERT_THAT(told.steps[1].memos, SizeIs(1));
  EXPECT_EQ(told.steps[0].memos[0].before, "") << "nothing was there";
  EXPECT_EQ(told.steps[1].memos[0].before, told.steps[0].memos[0].value);
  const std::string on_disk = told.steps[1].memos[0].value;
  told.on_disk();
  store_.shared_memos["told_once"] = on_disk;

  // What a reload lets it forget is on disk still.
  teller_.configure({{"people", {}, {}, slack_webhook_tells}});
  const std::vector<Step> ends = {lifted("ro_1")};
  const Told next = teller_.tell(taken(ends), {});
  ASSERT_THAT(next.steps[0].memos, SizeIs(1));
  EXPECT_EQ(next.steps[0].memos[0].before, on_disk);

  // Another node has told something since: once it has read that, it goes on from there.
  store_.shared_memos["told_once"] = on_disk + " ";
  load(teller_, {});
  const std::vector<Step> more = {paused("ro_3")};
  const Told third = teller_.tell(taken(more), {});
  for (const Told::Step& step : third.steps)
    for (const Memo& memo : step.memos) EXPECT_EQ(memo.before, on_disk + " ");
}

// Read again when rollouts go from node to node: a datasource's answers were seen all the same, and
// a reminder would say that there are none.
TEST_F(TellerTest, ThatADatasourceAnswersIsNotForgottenWhenWhatWasToldIsReadAgain) {
  const auto answered = [](const std::string& id, Millis after) {
    Step step = paused(id);
    step.events.clear();
    step.plan.conditions.push_back(errors_condition());
    step.after.conditions.resize(1);
    step.before = step.after;
    step.after.updated_at = kNow + after;
    step.evaluations.resize(1);
    step.evaluations[0].judgement.outcome = Outcome::kPass;
    return step;
  };
  for (const bool is_read_again : {false, true}) {
    SCOPED_TRACE(is_read_again);
    Teller teller([] { return 1; });
    store_.shared_memos.clear();
    teller.configure({{"people", {}, {}, slack_webhook_tells}});
    load(teller, {});
    EXPECT_EQ(record(teller, {paused("ro_1"), paused("ro_2")}), 1U);
    EXPECT_EQ(record(teller, {answered("ro_1", Millis{10'000})}), 0U);
    std::vector<RolloutView> active(2);
    for (std::size_t i = 0; i < active.size(); ++i) {
      Step step = paused("ro_" + std::to_string(i + 1));
      active[i].spec = step.spec;
      active[i].plan = std::make_shared<const Plan>();
      active[i].state = step.after;
    }
    if (is_read_again) load(teller, active);
    EXPECT_EQ(record(teller, {answered("ro_1", Millis{75'000})}), 1U) << "a minute of answers";
  }
}

// A notifier that a reload takes away in the middle of it hears nothing of its end. Given back, it
// is told of the next time, however soon that is.
TEST_F(TellerTest, WhatWasToldToANotifierThatIsGoneIsForgotten) {
  const NotifierRoute people{"people", {{"namespace", "payments"}}, {}, slack_webhook_tells};
  const NotifierRoute shop{"shop", {{"namespace", "payments"}}, {}, slack_webhook_tells};
  NotifierRoute elsewhere = shop;
  elsewhere.match = {{"namespace", "other"}};
  const std::vector<std::vector<NotifierRoute>> without = {{people}, {people, elsewhere}};
  for (const auto& routes : without) {
    for (const bool in_flight : {false, true}) {
      teller_.configure({people, shop});
      EXPECT_EQ(record(teller_, {paused("ro_1")}), 2U);
      const std::vector<Step> joins = {paused("ro_2")};
      const Told told = teller_.tell(taken(joins), {});
      if (!in_flight) told.on_disk();
      teller_.configure(routes);
      if (in_flight) told.on_disk();
      EXPECT_EQ(record(teller_, {lifted("ro_1"), lifted("ro_2")}), 1U) << "people, of its end";
      teller_.configure({people, shop});
      EXPECT_EQ(record(teller_, {paused("ro_1")}), 2U) << "it is news to both";
      EXPECT_EQ(record(teller_, {lifted("ro_1")}), 2U);
    }
  }
}

}  // namespace
}  // namespace rollwatch
