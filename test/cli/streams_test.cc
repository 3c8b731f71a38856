// logs and export: answers without a foreseeable end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "daemon/cli/sse.h"
#include "test/cli/stage.h"

namespace rollwatch {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

std::string header_of(const Request& request, const std::string& name) {
  for (const auto& [key, value] : request.headers) {
    if (key == name) return value;
  }
  return "";
}

json event(long seq, const std::string& type, const std::string& at = "T") {
  return {{"seq", seq},
          {"at", at},
          {"type", type},
          {"rollout", "ro_1"},
          {"data", {{"summary", type + " it is"}}}};
}

std::string streamed(const json& one) {
  return "id: " + std::to_string(one.at("seq").get<long>()) + "\nevent: x\ndata: " + one.dump() +
         "\n\n";
}

Response page(const std::vector<json>& events) { return {200, json({{"items", events}}).dump()}; }

TEST(EventStream, IsReadInPiecesOfAnySize) {
  const std::string text =
      "retry: 2000\nid: 41\n\nid: 42\nevent: paused\ndata: {\"a\":1}\n\n:\n\n: x\nid:43\r\n\r\n"
      "data: one\ndata: two\n\ndata: never whole\n";
  for (std::size_t size = 1; size <= text.size(); ++size) {
    EventStreamReader reader;
    std::vector<std::string> seen;
    for (std::size_t at = 0; at < text.size(); at += size) {
      EXPECT_TRUE(reader.read(std::string_view(text).substr(at, size), [&](const auto& message) {
        seen.push_back(message.id + "=" + message.data);
        return true;
      }));
    }
    ASSERT_THAT(seen, ElementsAre("41=", "42={\"a\":1}", "43=", "43=one\ntwo")) << size;
  }
}

TEST(EventStream, EndsWhenWhoTakesItHasEnough) {
  EventStreamReader reader;
  int taken = 0;
  EXPECT_FALSE(reader.read("data: 1\n\ndata: 2\n\n", [&](const auto&) { return ++taken < 1; }));
  EXPECT_EQ(taken, 1);
}

using Logs = test::Stage;

TEST_F(Logs, OfARolloutEndWithWhatThereIs) {
  answers = {page({event(3, "registered"), event(5, "rolled_back")})};
  EXPECT_EQ(run({"logs", "ro_1"}), 0);
  EXPECT_EQ(out.str(), "T registered: registered it is\nT rolled_back: rolled_back it is\n");
  EXPECT_THAT(asked, ElementsAre("/rollouts/ro_1/events"));
}

TEST_F(Logs, CanBeOfTheLastMinutesOrOfATypeOnly) {
  const json old = event(1, "registered", "2026-01-02T03:00:00.000Z");
  const json recent = event(2, "paused", "2026-01-02T03:50:00.000Z");
  pace.set_wall(*parse_time("2026-01-02T04:00:00.000Z"));
  answers = {page({old, recent}), page({old, recent})};
  EXPECT_EQ(run({"logs", "ro_1", "--since", "15m", "--output", "jsonl"}), 0);
  EXPECT_EQ(json::parse(out.str()), recent);
  out.str("");
  EXPECT_EQ(run({"logs", "ro_1", "--type", "registered", "--output", "jsonl"}), 0);
  EXPECT_EQ(json::parse(out.str()), old);
}

TEST_F(Logs, FollowFromWhereItWasThroughRestartsToTheEnd) {
  answers = {page({event(3, "registered")}),
             Response{200, "id: 3\n\n" + streamed(event(4, "started"))},
             test::broken_off(),
             test::refused(),
             Response{503, ""},
             Response{200, "id: 7\n\n:\n\n"},
             Response{200, streamed(event(9, "promoted")) + streamed(event(10, "note"))}};
  EXPECT_EQ(run({"logs", "ro_1", "--follow"}), 0);
  EXPECT_EQ(out.str(),
            "T registered: registered it is\nT started: started it is\n"
            "T promoted: promoted it is\n");
  std::vector<std::string> from;
  for (const Request& request : requests) from.push_back(header_of(request, "Last-Event-ID"));
  EXPECT_THAT(from, ElementsAre("", "3", "4", "4", "4", "4", "7"));
  EXPECT_EQ(asked.back(), "/events?rollout=ro_1");
  EXPECT_THAT(err.str(), HasSubstr("lost the server, trying again (reset)\nback\n"));
}

TEST_F(Logs, OfEverybodyGoOnUntilTheyAreInterrupted) {
  answers = {Response{200, streamed(event(9, "promoted")) + streamed(event(10, "note"))}};
  pace.on_tick([this] { pace.interrupt(); });
  EXPECT_EQ(run({"logs", "--after", "8", "--service", "a b", "--type", "note", "--type=promoted"}),
            130);
  EXPECT_EQ(out.str(), "T ro_1 promoted: promoted it is\nT ro_1 note: note it is\n");
  EXPECT_THAT(asked, ElementsAre("/events?service=a%20b&type=note&type=promoted"));
  EXPECT_EQ(header_of(requests[0], "Last-Event-ID"), "8");
}

TEST_F(Logs, WhatIsGoneIsSaid) {
  answers = {Response{410, R"({"title":"Gone","detail":"events after 1 have been deleted"})"}};
  EXPECT_EQ(run({"logs", "--after=1"}), 1);
  EXPECT_EQ(err.str(), "rollwatch: Gone: events after 1 have been deleted\n");
}

TEST_F(Logs, FlagsThatDoNotFitAreRefused) {
  struct Row {
    std::vector<std::string> words;
    const char* message;
  };
  const Row rows[] = {
      {{"logs", "ro_1", "--after=1"}, "logs takes an ID or --after, not both"},
      {{"logs", "ro_1", "--service=x"}, "logs takes an ID or --service, not both"},
      {{"logs", "--since=1h"}, "--since needs an ID"},
      {{"logs", "--after=soon"}, "--after needs the number of an event"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(run(row.words), 64);
    EXPECT_THAT(err.str(), HasSubstr(row.message));
  }
  EXPECT_TRUE(asked.empty());
}

struct Exports : test::Stage {
  const std::string whole = R"({"type":"rollout","rollout":"ro_1","data":{}})"
                            "\n"
                            R"({"type":"end","rollout":null,"data":{"rollouts":1,"lines":1}})"
                            "\n";
  const std::string file =
      (std::filesystem::path(testing::TempDir()) / ("export-" + std::to_string(getpid()))).string();

  ~Exports() override { std::filesystem::remove(file); }
  std::string written() const {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
  }
};

TEST_F(Exports, GoToStdoutAndSayHowMuch) {
  answers = {Response{200, whole}};
  EXPECT_EQ(run({"export"}), 0);
  EXPECT_EQ(out.str(), whole);
  EXPECT_EQ(err.str(), "exported 2 lines, 0.0 MB\n");
  EXPECT_THAT(asked, ElementsAre("/export"));
}

TEST_F(Exports, CanBeOfAPart) {
  pace.set_wall(*parse_time("2026-01-31T00:00:00.000Z"));
  answers = {Response{200, whole}, Response{200, whole}};
  EXPECT_EQ(run({"export", "--since", "30d", "--namespace", "pay"}), 0);
  EXPECT_EQ(run({"export", "--since=2026-01-02T03:04:05Z"}), 0);
  EXPECT_THAT(asked, ElementsAre("/export?since=2026-01-01T00%3A00%3A00.000Z&namespace=pay",
                                 "/export?since=2026-01-02T03%3A04%3A05.000Z"));
  EXPECT_EQ(run({"export", "--since=yesterday"}), 64);
}

TEST_F(Exports, AFileIsWholeOrNotThere) {
  std::ofstream(file) << "of before";
  struct Row {
    const char* name;
    test::Answer answer;
    const char* err;
  };
  const std::string lines = whole.substr(0, whole.find('\n') + 1);
  const Row rows[] = {
      {"broken off", test::broken_off(), "the export broke off after 0 lines, 0.0 MB: reset"},
      {"no end", Response{200, lines}, "the export is not whole, 1 lines, 0.0 MB: it has no end"},
      {"half a line", Response{200, whole.substr(0, whole.size() - 1)}, "it has no end"},
      {"the server's trouble",
       Response{200, lines + R"({"type":"error","data":{"detail":"the store is away"}})" + "\n"},
       "not whole, 2 lines, 0.0 MB: the store is away"},
      {"nothing", Response{200, ""}, "it has no end"},
      {"refused", Response{403, R"({"title":"Forbidden","detail":"scope read"})"},
       "rollwatch: Forbidden: scope read"},
  };
  for (const Row& row : rows) {
    answers = {row.answer};
    EXPECT_EQ(run({"export", "--file", file}), 1) << row.name;
    EXPECT_THAT(err.str(), HasSubstr(row.err)) << row.name;
    EXPECT_EQ(written(), "of before") << row.name;
    EXPECT_FALSE(std::filesystem::exists(file + ".part")) << row.name;
  }
  answers = {Response{200, whole}};
  EXPECT_EQ(run({"export", "--file", file}), 0);
  EXPECT_EQ(written(), whole);
  EXPECT_EQ(out.str(), "");
  EXPECT_EQ(run({"export", "--file", file + "/below"}), 1);
}

}  // namespace
}  // namespace rollwatch
