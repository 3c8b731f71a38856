// GET /export, read as it is sent.
#include <nlohmann/json.hpp>

#include "daemon/api/export_source.h"
#include "test/api/api_fixture.h"
#include "test/support/run.h"

namespace rollwatch {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ExportTest : public ApiTest {
 protected:
  ExportTest() {
    service.rollouts["ro_2"] = sample_rollout("ro_2");
    StoredEvaluation evaluation;
    evaluation.number = 1;
    evaluation.condition = "error-rate";
    evaluation.slot = evaluation.last_slot = evaluation.evaluated_at = kSampleTime;
    service.all_evaluations = {evaluation};
    StoredEvent decided;
    decided.seq = 7;
    decided.rollout = "ro_2";
    decided.event.type = EventType::kDecided;
    decided.event.at = kSampleTime;
    decided.event.decision = 1;
    service.all_events = {decided};
    Delivery order;
    order.id = "ord_2-1";
    order.rollout = "ro_2";
    service.known_deliveries["ord_2-1"] = order;
    service.record = ExplainRecord{"de_2-1", kSampleTime, R"({"decision": {"id": "de_2-1"}})"};
    FreezeRecord freeze;
    freeze.ns = "payments";
    freeze.service = "checkout";
    freeze.reason = "stocktaking";
    freeze.since = kSampleTime;
    service.freezes["payments/checkout"] = freeze;
  }

  std::string next(BodySource& source) {
    return run<std::string>(io, [&source]() -> awaitable<std::string> {
      std::string text;
      for (const auto& part : co_await source.next()) text += *part;
      co_return text;
    });
  }
  std::string read(const std::string& target) {
    const ServerResponse response = ask("GET", target);
    EXPECT_EQ(response.status, 200) << response.body;
    EXPECT_EQ(header(response, "Content-Type"), "application/x-ndjson");
    std::string all;
    for (std::string text = next(*response.stream); !text.empty(); text = next(*response.stream))
      all += text;
    return all;
  }
  // "rollout ro_2", "freeze -", …
  std::vector<std::string> lines(const std::string& target) {
    std::vector<std::string> found;
    std::string all = read(target);
    while (!all.empty()) {
      const std::size_t end = all.find('\n');
      const json line = json::parse(all.substr(0, end));
      EXPECT_EQ(line.size(), 3);
      EXPECT_TRUE(line.at("data").is_object());
      const json& rollout = line.at("rollout");
      found.push_back(line.at("type").get<std::string>() + " " +
                      (rollout.is_null() ? "-" : rollout.get<std::string>()));
      last = line;
      all.erase(0, end + 1);
    }
    return found;
  }

  net::io_context io;
  json last;
};

TEST_F(ExportTest, HasAllOfEachRolloutAndAnEnd) {
  EXPECT_THAT(lines("/api/v1/export"),
              ElementsAre("export -", "rollout ro_2", "evaluation ro_2", "event ro_2",
                          "delivery ro_2", "decision ro_2", "freeze -", "end -"));
  EXPECT_EQ(last.at("data"), json::parse(R"({"rollouts": 1, "lines": 8})"));
}

TEST_F(ExportTest, HasWhatIsAskedForAndNoMore) {
  EXPECT_THAT(lines("/api/v1/export?since=2026-01-02T03:04:05.679Z"),
              ElementsAre("export -", "freeze -", "end -"));
  EXPECT_EQ(lines("/api/v1/export?since=2026-01-02T03:04:05.678Z").size(), 8);
  lines("/api/v1/export?namespace=other");
  EXPECT_EQ(service.filter.ns, "other");
  EXPECT_THAT(problem_of(ask("GET", "/api/v1/export?since=yesterday")), HasSubstr("422 ?since"));
  EXPECT_THAT(problem_of(ask("GET", "/api/v1/export?until=x")), HasSubstr("422 ?until"));
}

TEST_F(ExportTest, ACallerSeesOnlyItsNamespaces) {
  ExportRequest wanted;
  wanted.caller.namespaces = {"other"};
  const auto source = std::make_shared<ExportSource>(service, clock, wanted);
  const std::string text = next(*source);
  EXPECT_THAT(text, testing::Not(HasSubstr("ro_2")));
  EXPECT_THAT(text, testing::Not(HasSubstr("stocktaking")));
  EXPECT_THAT(text, HasSubstr(R"("rollouts":0)"));
}

// A client must be able to tell a whole export from one that broke off.
TEST_F(ExportTest, AStoreThatGoesAwayIsTheLastLine) {
  const ServerResponse response = ask("GET", "/api/v1/export");
  service.record.reset();
  service.freezes.clear();
  const auto broken = std::make_shared<ExportSource>(service, clock, ExportRequest{});
  service.list_fails = true;
  const std::string text = next(*broken);
  EXPECT_THAT(text, HasSubstr(R"("type":"error")"));
  EXPECT_THAT(text, testing::Not(HasSubstr(R"("type":"end")")));
  EXPECT_THAT(text, testing::Not(HasSubstr("secret")));
  EXPECT_EQ(next(*broken), "");
}

TEST_F(ExportTest, AReaderThatTakesNothingIsCut) {
  const auto source = std::make_shared<ExportSource>(service, clock, ExportRequest{});
  bool was_cut = false;
  source->cut = [&] { was_cut = true; };
  EXPECT_NE(next(*source), "");
  io.restart();
  io.run();  // the clock goes on by itself while nothing is taken
  EXPECT_TRUE(was_cut);
  EXPECT_EQ(next(*source), "");
}

TEST_F(ExportTest, OnlyAFewAreSentAtOnce) {
  std::vector<ServerResponse> open;
  for (int i = 0; i < 4; ++i) open.push_back(ask("GET", "/api/v1/export"));
  const ServerResponse refused = ask("GET", "/api/v1/export");
  EXPECT_THAT(problem_of(refused), HasSubstr("429 too many exports"));
  EXPECT_EQ(header(refused, "Retry-After"), "10");
  open.pop_back();
  EXPECT_EQ(ask("GET", "/api/v1/export").status, 200);
}

// Who watches the reader of one that is over must not keep its place.
TEST_F(ExportTest, ItsPlaceIsFreeWhenItIsOver) {
  const Seats seats(1);
  clock.for_ever = true;
  ExportRequest wanted;
  wanted.seat = seats.take();
  auto source = std::make_shared<ExportSource>(service, clock, std::move(wanted));
  while (!next(*source).empty()) EXPECT_EQ(seats.take(), nullptr);
  source.reset();
  EXPECT_NE(seats.take(), nullptr);
}

// A piece is made when it is asked for: what waits for its reader is one piece and no more.
TEST_F(ExportTest, NothingIsReadAhead) {
  service.all_evaluations.resize(500, service.all_evaluations.front());
  clock.for_ever = true;
  const auto source = std::make_shared<ExportSource>(service, clock, ExportRequest{});
  const std::string first = next(*source);
  EXPECT_GE(first.size(), 64 * 1024);
  EXPECT_LT(first.size(), 1024 * 1024);
  const std::size_t asked = service.asked.size();
  EXPECT_THAT(service.asked, testing::Not(testing::Contains(HasSubstr("deliveries"))));
  EXPECT_NE(next(*source), "");
  EXPECT_GT(service.asked.size(), asked);
}

}  // namespace
}  // namespace rollwatch
