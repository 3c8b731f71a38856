// Reading: the rollout, the list, the verdict call and the history.
#include <nlohmann/json.hpp>

#include "daemon/api/cursors.h"
#include "test/api/api_fixture.h"

namespace rollwatch {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

class ReadTest : public ApiTest {
 protected:
  ReadTest() { service.rollouts["ro_1"] = sample_rollout(); }
  RolloutView& view() { return service.rollouts["ro_1"]; }
};

TEST_F(ReadTest, ARolloutHasAnEtag) {
  const ServerResponse response = ask("GET", "/api/v1/rollouts/ro_1");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(header(response, "ETag"), "\"r7\"");
  EXPECT_EQ(header(response, "Content-Type"), "application/json");
}

TEST_F(ReadTest, WhatTheClientHasIsNotSentAgain) {
  struct Row {
    const char* tags;
    int status;
  };
  const Row rows[] = {{"\"r7\"", 304}, {"W/\"r7\"", 304}, {"\"r6\", \"r7\"", 304},
                      {"*", 304},      {"\"r6\"", 200},   {"r7", 200},
                      {"", 200}};
  for (const Row& row : rows) {
    const ServerResponse response =
        ask("GET", "/api/v1/rollouts/ro_1", "", {{"if-none-match", row.tags}});
    EXPECT_EQ(response.status, row.status) << row.tags;
    EXPECT_EQ(response.body.empty(), row.status == 304) << row.tags;
    EXPECT_EQ(header(response, "ETag"), "\"r7\"") << row.tags;
  }
}

TEST_F(ReadTest, EveryCallBelowAnUnknownRolloutIs404) {
  for (const char* below : {"", "/verdict", "/evaluations", "/events", "/deliveries", "/explain"})
    EXPECT_EQ(problem_of(ask("GET", std::string("/api/v1/rollouts/ro_2") + below)),
              "404 there is no rollout \"ro_2\"")
        << below;
}

TEST_F(ReadTest, TheListTakesItsFilters) {
  service.next_cursor = "c2";
  const auto body = get(
      "/api/v1/rollouts?state=active&state=promoted&namespace=payments&service=checkout&target=eu-1"
      "&label.tier=web&label.a%2Fb=x%3Dy&limit=7&cursor=" +
      seal_cursor("rollouts", "c1"));
  EXPECT_THAT(body.at("items"), SizeIs(1));
  EXPECT_EQ(body.at("items")[0].at("id"), "ro_1");
  EXPECT_EQ(body.at("next_cursor"), seal_cursor("rollouts", "c2"));
  EXPECT_THAT(service.asked, ElementsAre("list 7 c1"));
  EXPECT_THAT(service.filter.states,
              ElementsAre(State::kWaiting, State::kAnalyzing, State::kPaused, State::kPromoting,
                          State::kSoaking, State::kRollingBack, State::kPromoted));
  EXPECT_EQ(service.filter.ns, "payments");
  EXPECT_EQ(service.filter.service, "checkout");
  EXPECT_EQ(service.filter.target, "eu-1");
  EXPECT_THAT(service.filter.labels, ElementsAre(Pair("a/b", "x=y"), Pair("tier", "web")));
}

TEST_F(ReadTest, AnUnfilteredListIsAPageOfFifty) {
  const auto body = get("/api/v1/rollouts");
  EXPECT_FALSE(body.contains("next_cursor"));
  EXPECT_THAT(service.asked, ElementsAre("list 50 -"));
  EXPECT_THAT(service.filter.states, IsEmpty());
}

TEST_F(ReadTest, BadParametersAre422) {
  struct Row {
    const char* target;
    const char* problem;
  };
  const Row rows[] = {
      {"/api/v1/rollouts?stat=active", "?stat: is not known here: did you mean \"state\"?"},
      {"/api/v1/rollouts?state=activ", "?state: \"activ\" is no state: did you mean \"active\"?"},
      {"/api/v1/rollouts?limit=0", "?limit: must be a whole number from 1 to 500"},
      {"/api/v1/rollouts?limit=501", "?limit: must be a whole number from 1 to 500"},
      {"/api/v1/rollouts?limit=-1", "?limit: must be"},
      {"/api/v1/rollouts?limit=1x", "?limit: must be"},
      {"/api/v1/rollouts?limit=1&limit=2", "?limit: is given twice"},
      {"/api/v1/rollouts?label.a=1&label.a=2", "?label.a: is given twice"},
      {"/api/v1/rollouts?label.=1", "?label.: is not known here"},
      {"/api/v1/rollouts/ro_1?x=1", "?x: is not known here"},
      {"/api/v1/rollouts/ro_1/verdict?wait=1", "?wait: must be a duration"},
      {"/api/v1/rollouts/ro_1/verdict?wait=-1s", "?wait: must be a duration"},
  };
  for (const Row& row : rows)
    EXPECT_THAT(problem_of(ask("GET", row.target)), HasSubstr(std::string("422 ") + row.problem))
        << row.target;
}

// ---- The verdict call ----

TEST_F(ReadTest, AVerdictWithoutWaitAnswersAtOnce) {
  EXPECT_EQ(get("/api/v1/rollouts/ro_1/verdict").at("state"), "analyzing");
  EXPECT_THAT(service.waits, IsEmpty());
}

TEST_F(ReadTest, AVerdictWaitsForTheEnd) {
  service.waited = [&](int count) {
    ++view().state.revision;
    if (count == 3) view().state.state = State::kPromoted;
  };
  EXPECT_EQ(get("/api/v1/rollouts/ro_1/verdict?wait=1m").at("state"), "promoted");
  EXPECT_THAT(service.waits, SizeIs(3));
}

TEST_F(ReadTest, WhenTheTimeIsUpTheAnswerIsWhatThereIs) {
  EXPECT_EQ(get("/api/v1/rollouts/ro_1/verdict?wait=2500ms").at("final"), false);
  EXPECT_THAT(service.waits, ElementsAre(Millis(1000), Millis(1000), Millis(500)));
}

TEST_F(ReadTest, NobodyWaitsForeverOrForWhatHasEnded) {
  get("/api/v1/rollouts/ro_1/verdict?wait=7d");
  EXPECT_EQ(clock.passed, Millis(600'000));
  service.waits.clear();
  view().state.state = State::kRolledBack;
  get("/api/v1/rollouts/ro_1/verdict?wait=1m");
  EXPECT_THAT(service.waits, IsEmpty());
}

TEST_F(ReadTest, WithAnEtagItWaitsForAnythingNew) {
  service.waited = [&](int count) {
    if (count == 2) ++view().state.revision;
  };
  const ServerResponse response =
      ask("GET", "/api/v1/rollouts/ro_1/verdict?wait=1m", "", {{"if-none-match", "\"r7\""}});
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(header(response, "ETag"), "\"r8\"");
  EXPECT_THAT(service.waits, SizeIs(2));
}

TEST_F(ReadTest, WithAnOldEtagItAnswersAtOnce) {
  ask("GET", "/api/v1/rollouts/ro_1/verdict?wait=1m", "", {{"if-none-match", "\"r6\""}});
  EXPECT_THAT(service.waits, IsEmpty());
}

TEST_F(ReadTest, WithNothingNewTheVerdictIsStill200) {
  const ServerResponse response =
      ask("GET", "/api/v1/rollouts/ro_1/verdict?wait=1s", "", {{"if-none-match", "\"r7\""}});
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.body, HasSubstr("\"state\":\"analyzing\""));
}

TEST_F(ReadTest, AWaitEndsWhenNobodyListensAnyMore) {
  wanted = [&] { return service.waits.size() < 2; };
  get("/api/v1/rollouts/ro_1/verdict?wait=1m");
  EXPECT_THAT(service.waits, SizeIs(2));
}

// ---- History ----

TEST_F(ReadTest, EvaluationsArePaged) {
  service.all_evaluations.resize(2);
  service.next_cursor = "12";
  const auto body = get("/api/v1/rollouts/ro_1/evaluations?limit=2&cursor=" +
                        seal_cursor("evaluations of ro_1", "10"));
  EXPECT_THAT(body.at("items"), SizeIs(2));
  EXPECT_EQ(body.at("next_cursor"), seal_cursor("evaluations of ro_1", "12"));
  EXPECT_THAT(service.asked, ElementsAre("evaluations 2 10"));
}

TEST_F(ReadTest, EventsArePagedByTheirSequence) {
  service.all_events.resize(3);
  for (std::size_t i = 0; i < 3; ++i)
    service.all_events[i].seq = 100 + static_cast<std::int64_t>(i);
  const auto page =
      get("/api/v1/rollouts/ro_1/events?limit=2&cursor=" + seal_cursor("events of ro_1", "99"));
  EXPECT_THAT(page.at("items"), SizeIs(2));
  EXPECT_EQ(page.at("next_cursor"), seal_cursor("events of ro_1", "101"));
  EXPECT_THAT(service.asked, ElementsAre("events 3 99"));
  EXPECT_FALSE(get("/api/v1/rollouts/ro_1/events?limit=3").contains("next_cursor"));
}

TEST_F(ReadTest, DeliveriesArePaged) {
  service.known_deliveries["ord_1"].id = "ord_1";
  EXPECT_EQ(get("/api/v1/rollouts/ro_1/deliveries").at("items")[0].at("id"), "ord_1");
  EXPECT_THAT(service.asked, ElementsAre("deliveries 50 -"));
}

TEST_F(ReadTest, ADeliveryThatIsHeldSaysWhy) {
  service.known_deliveries["ord_1"].id = "ord_1";
  service.known_deliveries["ord_2"].id = "ord_2";
  held["ord_2"] = "orchestrator deployer fails";
  const auto items = get("/api/v1/rollouts/ro_1/deliveries").at("items");
  EXPECT_FALSE(items[0].contains("held_because"));
  EXPECT_EQ(items[1].at("held_because"), "orchestrator deployer fails");
}

TEST_F(ReadTest, TargetsAreShownWithTheirBreakers) {
  EXPECT_EQ(ask("GET", "/api/v1/targets").body, "{\"items\":[]}\n");
  TargetView deployer;
  deployer.name = "deployer";
  deployer.kind = "orchestrator";
  TargetView releases;
  releases.name = "releases";
  releases.kind = "notifier";
  releases.breaker = "open";
  releases.since = kSampleTime;
  releases.next_probe = kSampleTime + Millis(5000);
  releases.failures = 6;
  releases.last_error = "HTTP 500";
  releases.open_deliveries = 3;
  targets = {deployer, releases};
  EXPECT_EQ(
      ask("GET", "/api/v1/targets").body,
      R"({"items":[{"name":"deployer","kind":"orchestrator",)"
      R"("breaker":{"state":"closed","since":null,"next_probe":null},)"
      R"("consecutive_failures":0,"last_error":null,"open_deliveries":0},)"
      R"({"name":"releases","kind":"notifier",)"
      R"("breaker":{"state":"open","since":"2026-01-02T03:04:05.678Z","next_probe":"2026-01-02T03:04:10.678Z"},)"
      R"("consecutive_failures":6,"last_error":"HTTP 500","open_deliveries":3}]})"
      "\n");
  EXPECT_EQ(ask("GET", "/api/v1/targets?x=1").status, 422);
}

TEST_F(ReadTest, AnExplanationShowsItsDeliveriesAsTheyAreNow) {
  service.record = ExplainRecord{
      "de_1-1", kSampleTime, R"({"decision":{"id":"de_1-1"},"deliveries":["ord_1-1","ord_gone"]})"};
  service.known_deliveries["ord_1-1"].id = "ord_1-1";
  service.known_deliveries["ord_1-1"].state = DeliveryState::kDone;
  const auto bundle = get("/api/v1/rollouts/ro_1/explain");
  EXPECT_EQ(bundle.at("decision").at("id"), "de_1-1");
  ASSERT_THAT(bundle.at("deliveries"), SizeIs(1));
  EXPECT_EQ(bundle.at("deliveries")[0].at("state"), "done");
  EXPECT_EQ(get("/api/v1/rollouts/ro_1/explain?decision=de_1-1").at("decision").at("id"), "de_1-1");
  EXPECT_EQ(problem_of(ask("GET", "/api/v1/rollouts/ro_1/explain?decision=de_1-9")),
            "404 this rollout has no decision \"de_1-9\"");
}

TEST_F(ReadTest, NothingDecidedIsNothingToExplain) {
  EXPECT_EQ(problem_of(ask("GET", "/api/v1/rollouts/ro_1/explain")),
            "404 nothing has been decided about this rollout yet");
}

// ---- The event stream

TEST_F(ReadTest, AStreamIsAnswered) {
  const ServerResponse response = ask("GET", "/api/v1/events");
  EXPECT_EQ(response.status, 200);
  EXPECT_NE(response.stream, nullptr);
  EXPECT_EQ(response.body, "");
  EXPECT_EQ(response.route, "/api/v1/events");
  EXPECT_EQ(header(response, "Content-Type"), "text/event-stream");
  EXPECT_EQ(header(response, "Cache-Control"), "no-store");
  EXPECT_EQ(header(response, "X-Accel-Buffering"), "no");
  EXPECT_EQ(followed.at(0).second, std::nullopt);
}

TEST_F(ReadTest, AStreamTakesItsFiltersAndWhereToGoOn) {
  ask("GET",
      "/api/v1/events?namespace=payments&service=checkout&rollout=ro_1&type=paused&type=promoted"
      "&after=7");
  ASSERT_THAT(followed, SizeIs(1));
  const auto& [filter, after] = followed[0];
  EXPECT_EQ(filter.ns, "payments");
  EXPECT_EQ(filter.service, "checkout");
  EXPECT_EQ(filter.rollout, "ro_1");
  EXPECT_THAT(filter.types, ElementsAre(EventType::kPaused, EventType::kPromoted));
  EXPECT_THAT(filter.visible, IsEmpty());
  EXPECT_EQ(after, 7);

  struct Row {
    const char* name;
    const char* query;
    const char* header;
    std::optional<std::int64_t> after;
  };
  const Row rows[] = {{"header", "", "42", 42},
                      {"both: the header is newer", "?after=7", "42", 42},
                      {"parameter", "?after=0", "", 0},
                      {"an empty header is none", "?after=7", "", 7},
                      {"neither", "", "", std::nullopt}};
  for (const Row& row : rows) {
    followed.clear();
    ask("GET", std::string("/api/v1/events") + row.query, "", {{"last-event-id", row.header}});
    EXPECT_EQ(followed.at(0).second, row.after) << row.name;
  }
}

TEST_F(ReadTest, AStreamThatCannotBeIsRefused) {
  struct Row {
    const char* target;
    const char* header;
    const char* problem;
  };
  const Row rows[] = {
      {"", "soon", "400 Last-Event-ID must be the number of an event, not \"soon\""},
      {"", "4 2", "400 Last-Event-ID must be"},
      {"", "-1", "400 Last-Event-ID must be"},
      {"", "99999999999999999999", "400 Last-Event-ID must be"},
      {"?after=x", "", "422 ?after: must be the number of an event"},
      {"?after=1&after=2", "", "422 ?after: "},
      {"?type=pausd", "", "422 ?type: \"pausd\" is no type of event: did you mean \"paused\"?"},
      {"?state=paused", "", "422 ?state: "},
      {"?rollout=ro_9", "", "404 there is no rollout \"ro_9\""},
  };
  for (const Row& row : rows) {
    const ServerResponse response =
        ask("GET", std::string("/api/v1/events") + row.target, "", {{"last-event-id", row.header}});
    EXPECT_THAT(problem_of(response), testing::StartsWith(row.problem)) << row.target << row.header;
    EXPECT_EQ(response.stream, nullptr);
  }
  EXPECT_THAT(followed, IsEmpty());
}

TEST_F(ReadTest, AStreamThatCannotGoOnSaysWhatToDo) {
  stream_refusal = FeedRefusal{FeedRefusal::Why::kDeleted, 41, 90};
  const ServerResponse deleted = ask("GET", "/api/v1/events?after=7");
  EXPECT_EQ(problem_of(deleted),
            "410 events after 7 have been deleted (store.retention); read GET /api/v1/rollouts for "
            "how things stand, and begin anew without Last-Event-ID, or after 41 for what is left");
  const auto body = nlohmann::json::parse(deleted.body);
  EXPECT_EQ(body.at("oldest"), 42);
  EXPECT_EQ(body.at("newest"), 90);

  stream_refusal->why = FeedRefusal::Why::kUnknown;
  EXPECT_THAT(problem_of(ask("GET", "/api/v1/events?after=99")),
              HasSubstr("there is no event 99 yet, the newest is 90"));

  stream_refusal->why = FeedRefusal::Why::kFull;
  const ServerResponse full = ask("GET", "/api/v1/events");
  EXPECT_EQ(full.status, 503);
  EXPECT_EQ(header(full, "Retry-After"), "10");

  service.store_is_away = true;
  const ServerResponse away = ask("GET", "/api/v1/events");
  EXPECT_EQ(away.status, 503);
  EXPECT_THAT(away.body, testing::Not(HasSubstr("secret")));
}

// What is streamed is byte for byte what the history of a rollout has.
TEST_F(ReadTest, AnEventIsTheSameInAStream) {
  StreamedEvent event;
  event.stored.seq = 7;
  event.stored.rollout = view().spec.id;
  event.stored.event.summary = "paused: \"why\"\nsecond line \xff";
  event.stored.event.decision = 3;
  event.stored.event.order = 4;
  const std::string line = event_line(event);
  EXPECT_EQ(line, dump(event_json(event.stored, view().spec)));
  EXPECT_EQ(line.find('\n'), std::string::npos) << "one line";
}

}  // namespace
}  // namespace rollwatch
