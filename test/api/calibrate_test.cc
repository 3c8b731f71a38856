// POST /calibrate, read as it is sent.
#include <nlohmann/json.hpp>

#include "test/api/api_fixture.h"
#include "test/support/run.h"

namespace rollwatch {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kCompares = R"({
  "service": "checkout", "stable": "1.23", "from": "2h", "analysis": {
    "interval": "30s", "steps": [{"weight": 5, "hold": "10m"}, {"weight": 50, "hold": "10m"}],
    "condition": [
      {"name": "errors", "compare": "rate", "events": "requests{version=\"{{version}}\"}",
       "bad_events": "errors{version=\"{{version}}\"}"},
      {"name": "latency", "query": "latency{version=\"{{candidate}}\",zone=\"{{labels.zone}}\"} > 1"}]}})";

class CalibrateTest : public ApiTest {
 protected:
  // Twelve pods, of which one may have more errors.
  static Expected<std::vector<HistorySlot>, std::string> past(PastTimes times, Millis interval,
                                                              int sick) {
    std::vector<HistorySlot> slots;
    for (SysTime at = times.first; at <= times.last; at += interval) {
      std::vector<Series> all, bad;
      for (int i = 0; i < 12; ++i) {
        const auto passed = static_cast<double>((at - times.first) / interval);
        const std::vector<Label> labels{{"pod", "pod-" + std::to_string(i)}};
        all.push_back({labels, 1000 * passed});
        bad.push_back({labels, (i == sick ? 80 : 10) * passed});
      }
      HistorySlot& slot = slots.emplace_back();
      slot.at = at;
      slot.counted.result = Vector{SeriesList(std::move(all))};
      slot.bad.emplace();
      slot.bad->result = Vector{SeriesList(std::move(bad))};
    }
    return slots;
  }

  CalibrateTest() {
    read_past = [this](const RolloutSpec& spec, const Plan& plan, std::size_t condition,
                       PastTimes times) -> Expected<std::vector<HistorySlot>, std::string> {
      asked.push_back(spec.stable + " " + plan.conditions[condition].name + " " +
                      format_time(times.first) + " " + format_time(times.last));
      if (fails_after > 0 && asked.size() > fails_after)
        return Unexpected(std::string("no route to host"));
      return past(times, plan.conditions[condition].interval, sick);
    };
  }

  std::string next(BodySource& source) {
    return run<std::string>(io, [&source]() -> awaitable<std::string> {
      std::string text;
      for (const auto& part : co_await source.next()) text += *part;
      co_return text;
    });
  }
  ServerResponse begin(std::string_view body = kCompares) {
    return ask("POST", "/api/v1/calibrate", std::string(body),
               {{"Content-Type", "application/json"}});
  }
  std::vector<json> lines(std::string_view body = kCompares) {
    const ServerResponse response = begin(body);
    EXPECT_EQ(response.status, 200) << response.body;
    EXPECT_EQ(header(response, "Content-Type"), "application/x-ndjson");
    std::vector<json> found;
    for (std::string text = next(*response.stream); !text.empty(); text = next(*response.stream))
      found.push_back(json::parse(text));
    return found;
  }
  // With one field of the request changed.
  static std::string with(const std::string& field, const json& value) {
    json body = json::parse(kCompares);
    body[field] = value;
    return body.dump();
  }

  int sick = -1;
  std::size_t fails_after = 0;
  std::vector<std::string> asked;
  net::io_context io;
};

TEST_F(CalibrateTest, SaysWhatIsPlayedEachWindowAndTheSum) {
  const std::vector<json> all = lines();
  ASSERT_EQ(all.size(), 7);  // 1h45m has room for five rollouts of 20 minutes
  const json& begins = all.front();
  EXPECT_EQ(begins.at("type"), "calibration");
  EXPECT_EQ(begins.at("conditions"), json({"errors"}));
  EXPECT_EQ(begins.at("left_out").at(0).at("condition"), "latency");
  EXPECT_EQ(begins.at("alpha"), 0.01);
  EXPECT_EQ(begins.at("rollout"), "20m");
  EXPECT_EQ(begins.at("slots"), 40);
  EXPECT_EQ(begins.at("windows"), 5);
  EXPECT_EQ(begins.at("from"), "2026-01-02T01:04:05.678Z");
  EXPECT_EQ(begins.at("to"), "2026-01-02T03:04:05.678Z");
  EXPECT_EQ(all[1], json::parse(R"({"type": "window", "number": 1,
      "from": "2026-01-02T01:19:05.678Z", "to": "2026-01-02T01:39:05.678Z",
      "pods": 12, "trials": 12, "rolled_back": []})"));
  EXPECT_EQ(asked.front(), "1.23 errors 2026-01-02T01:04:05.678Z 2026-01-02T01:39:05.678Z");
  const json& end = all.back();
  EXPECT_EQ(end.at("type"), "end");
  EXPECT_EQ(end.at("trials"), 60);
  EXPECT_EQ(end.at("rolled_back"), 0);
  EXPECT_EQ(end.at("share"), 0);
  EXPECT_EQ(end.at("meaning"), "unclear");
  EXPECT_THAT(end.at("words").at(0).get<std::string>(), HasSubstr("0 of 60 pretended rollouts"));
}

TEST_F(CalibrateTest, NamesThePodThatIsWorse) {
  sick = 7;
  const std::vector<json> all = lines();
  const json& found = all[1].at("rolled_back").at(0);
  EXPECT_EQ(found.at("pod"), "pod-7");
  EXPECT_EQ(found.at("condition"), "errors");
  EXPECT_GE(found.at("slot"), 6);
  const json& end = all.back();
  EXPECT_EQ(end.at("meaning"), "above");
  EXPECT_EQ(end.at("by_pod"), json::parse(R"([{"pod": "pod-7", "trials": 5, "rolled_back": 5}])"));
  EXPECT_EQ(end.at("by_condition"), json::parse(R"([{"condition": "errors", "rolled_back": 5}])"));
  EXPECT_THAT(end.at("words").dump(), HasSubstr("most of it is the pod pod-7"));
}

TEST_F(CalibrateTest, ADatasourceThatGoesAwayIsTheLastLine) {
  fails_after = 2;
  const std::vector<json> all = lines();
  ASSERT_EQ(all.size(), 4);
  EXPECT_EQ(all.back(), json::parse(R"({"type": "error",
      "detail": "errors, from 2026-01-02T01:44:05.678Z: no route to host"})"));
}

TEST_F(CalibrateTest, NothingThereIsSaid) {
  read_past = [](const RolloutSpec&, const Plan&, std::size_t, PastTimes) {
    return Expected<std::vector<HistorySlot>, std::string>(std::vector<HistorySlot>());
  };
  const json end = lines().back();
  EXPECT_EQ(end.at("meaning"), "nothing");
  EXPECT_TRUE(end.at("share").is_null());
  EXPECT_THAT(end.at("words").dump(), HasSubstr("stable had no series in any window"));
}

TEST_F(CalibrateTest, WhatCannotBePlayedIsRefusedWithItsField) {
  struct Row {
    std::string body;
    const char* problem;
  };
  json no_stable = json::parse(kCompares);
  no_stable.erase("stable");
  const json only_threshold = json::parse(R"({"condition": [{"name": "up", "query": "up < 1"}]})");
  const Row rows[] = {
      {no_stable.dump(), "422 /stable: is required"},
      {with("candidate", "1.24"), "422 /candidate: "},
      {with("from", "yesterday"), "422 /from: must be a time such as"},
      {with("from", "99999y"), "422 /from: must be a time such as"},
      {with("from", "34m"),
       "422 /from: must be at least 35m before \"to\": a rollout takes 20m and "
       "its history 15m"},
      {with("to", "3h"), "422 /from: must be before \"to\""},
      {with("from", "91d"), "422 /from: reaches back more than 90 days"},
      {with("condition", "error"), "422 /condition: there is no condition \"error\" in it"},
      {with("condition", "latency"), "422 /condition: \"latency\" cannot be calibrated: "},
      {with("analysis", only_threshold), "422 /analysis: no condition of it compares counters"},
      {with("analysis", nullptr), "422 /policy: is required, or else an \"analysis\""},
  };
  for (const Row& row : rows) EXPECT_THAT(problem_of(begin(row.body)), HasSubstr(row.problem));
  EXPECT_TRUE(asked.empty());
}

// It ends with what the datasource has.
TEST_F(CalibrateTest, TheFutureAndWhatIsNotThereYetAreNotAskedFor) {
  DatasourceView& view = datasources.emplace_back();
  view.name = "default";
  view.ingestion_delay = Millis{60'000};
  EXPECT_EQ(lines(with("to", "2027-01-01T00:00:00Z")).front().at("to"), "2026-01-02T03:03:05.678Z");
  EXPECT_EQ(lines(with("to", "1h")).front().at("to"), "2026-01-02T02:04:05.678Z");
}

TEST_F(CalibrateTest, OnlyTwoGoOnAtOnceAndWhoHangsUpMakesRoom) {
  std::vector<ServerResponse> open;
  for (int i = 0; i < 2; ++i) open.push_back(begin());
  const ServerResponse refused = begin();
  EXPECT_THAT(problem_of(refused), HasSubstr("429 too many calibrations"));
  EXPECT_EQ(header(refused, "Retry-After"), "10");
  open.front().stream->stop();
  EXPECT_EQ(next(*open.front().stream), "");
  open.erase(open.begin());
  EXPECT_EQ(begin().status, 200);
}

TEST_F(CalibrateTest, LongRangesAreThinned) {
  const json begins = json::parse(next(*begin(with("from", "89d")).stream));
  EXPECT_EQ(begins.at("windows"), 200);
  EXPECT_EQ(begins.at("possible"), 6407);
}

}  // namespace
}  // namespace rollwatch
