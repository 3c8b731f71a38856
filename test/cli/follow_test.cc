// Following with scripted answers and a clock that only moves when somebody sleeps.
#include "daemon/cli/follow.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "test/cli/stage.h"

namespace rollwatch {
namespace {

using nlohmann::json;
using test::Answer;
using test::broken_off;
using test::refused;

Answer verdict(const std::string& etag) {
  return Response{200, R"({"id":"ro_1","percent":0})", etag};
}

Answer rollout(const std::string& state, const std::string& reason = "") {
  const json body = {{"id", "ro_1"},   {"service", "a"},   {"candidate", "2"},
                     {"state", state}, {"reason", reason}, {"updated_at", "T"}};
  return Response{200, body.dump()};
}

struct FollowingStage : test::Stage {
  json last;

  ServerLink link(std::optional<Pace::Steady> deadline = std::nullopt) {
    return {surroundings, [this](const std::string& text) { err << text << "\n"; }, deadline};
  }

  ExitCode follow_to_the_end(std::optional<Pace::Steady> deadline = std::nullopt) {
    ServerLink server = link(deadline);
    const auto view = make_progress_view(surroundings);
    return follow("ro_1", server, *view, surroundings, last);
  }
};

using Following = FollowingStage;

TEST_F(Following, ShowsEachChangeOnce) {
  answers = {verdict("1"), rollout("waiting"),   verdict("2"), rollout("analyzing"),
             verdict("3"), rollout("analyzing"), verdict("4"), rollout("promoted", "all passed")};
  EXPECT_EQ(follow_to_the_end(), ExitCode::kPromoted);
  EXPECT_EQ(err.str(), "T waiting\nT analyzing\nT promoted: all passed\n");
  const std::vector<std::string> first{"/rollouts/ro_1/verdict", "/rollouts/ro_1",
                                       "/rollouts/ro_1/verdict?wait=30s", "/rollouts/ro_1"};
  EXPECT_EQ(std::vector<std::string>(asked.begin(), asked.begin() + 4), first);
  EXPECT_EQ(last.at("state"), "promoted");
}

// How many rows a terminal makes of what was drawn before is not known then.
TEST_F(Following, AWindowOfAnotherWidthIsDrawnOnFromTheTop) {
  const std::string kFromTheTop = "\x1b[H\x1b[J";
  std::size_t columns = 100;
  surroundings.terminal = {.redraws = true, .columns = columns};
  surroundings.measure = [&columns](Terminal& terminal) { terminal.columns = columns; };
  const auto view = make_progress_view(surroundings);
  view->show(json::parse(rollout("analyzing")->body), json::object());
  EXPECT_FALSE(err.str().empty());
  view->note("one");
  EXPECT_THAT(err.str(), testing::Not(testing::HasSubstr(kFromTheTop)));

  for (const std::size_t width : {40U, 80U}) {
    err.str("");
    columns = width;
    view->tick();
    EXPECT_TRUE(err.str().starts_with(kFromTheTop)) << width;
    err.str("");
    view->note(std::to_string(width));
    EXPECT_THAT(err.str(), testing::Not(testing::HasSubstr(kFromTheTop))) << width;
  }
}

TEST_F(Following, SurvivesAnOutageAndSaysSoOnce) {
  answers = {verdict("1"), rollout("analyzing"),         broken_off(),
             refused(),    Response{502, "bad gateway"}, verdict("2"),
             refused(),    rollout("rolled_back")};
  EXPECT_EQ(follow_to_the_end(), ExitCode::kRolledBack);
  EXPECT_EQ(err.str(),
            "T analyzing\nlost the server, trying again (reset)\nback\n"
            "lost the server, trying again (refused)\nback\nT rolled_back\n");
}

TEST_F(Following, GivesUpAfterTwoMinutesWithoutAnAnswer) {
  answers = {verdict("1"), rollout("analyzing")};
  EXPECT_EQ(follow_to_the_end(), ExitCode::kFailed);
  EXPECT_GE(pace.steady().time_since_epoch(), ServerLink::kPatience);
  EXPECT_EQ(err.str(),
            "T analyzing\nlost the server, trying again (refused)\n"
            "rollwatch: no answer from the server for 2m: refused\n"
            "rollwatch: could not tell how ro_1 ends\n");
}

TEST_F(Following, TriesUntilTheTimeoutIfThereIsOne) {
  const auto deadline = pace.steady() + std::chrono::minutes(10);
  EXPECT_EQ(follow_to_the_end(deadline), ExitCode::kTimeout);
  EXPECT_EQ(pace.steady(), deadline);
}

TEST_F(Following, ARequestCutShortByTheTimeoutIsNoLostServer) {
  answers = {verdict("1"), rollout("analyzing"),
             Unexpected(TransportError{.detail = "timed out", .timed_out = true})};
  const auto deadline = pace.steady() + std::chrono::seconds(1);
  EXPECT_EQ(follow_to_the_end(deadline), ExitCode::kTimeout);
  EXPECT_EQ(err.str(),
            "T analyzing\n"
            "rollwatch: --timeout passed; the rollout goes on: rollwatch wait ro_1\n");
}

TEST_F(Following, AServerWithoutEtagsIsPolledWithoutHaste) {
  for (int i = 0; i < 3; ++i) {
    answers.push_back(verdict(""));
    answers.push_back(rollout("analyzing"));
  }
  answers.push_back(verdict(""));
  answers.push_back(rollout("promoted"));
  EXPECT_EQ(follow_to_the_end(), ExitCode::kPromoted);
  EXPECT_GE(pace.steady().time_since_epoch(), std::chrono::seconds(6));
}

TEST_F(Following, AnInterruptionEndsIt) {
  answers = {verdict("1"), rollout("analyzing")};
  pace.on_tick([this] { pace.interrupt(); });
  EXPECT_EQ(follow_to_the_end(), ExitCode::kInterrupted);
  EXPECT_NE(err.str().find("interrupted; the rollout goes on"), std::string::npos);
}

TEST_F(Following, AnUnknownRolloutIsNotTriedAgain) {
  answers = {Response{404, R"({"title":"No such rollout"})"}};
  EXPECT_EQ(follow_to_the_end(), ExitCode::kFailed);
  EXPECT_EQ(asked.size(), 1U);
  EXPECT_EQ(err.str(), "rollwatch: No such rollout\nrollwatch: could not tell how ro_1 ends\n");
}

using Linking = FollowingStage;

TEST_F(Linking, ARegistrationIsSentAgainOnlyIfTheFirstCannotHaveCounted) {
  struct Row {
    const char* name;
    Answer first;
    bool repeatable;
    bool again;
  };
  const Row rows[] = {
      {"never sent", refused(), false, true},
      {"the server says it did nothing", Response{503, ""}, false, true},
      {"broken off", broken_off(), false, false},
      {"failed somehow", Response{500, ""}, false, false},
      {"broken off, with a key", broken_off(), true, true},
      {"failed somehow, with a key", Response{500, ""}, true, true},
      {"of no use", Unexpected(TransportError{.detail = "bad certificate", .permanent = true}),
       true, false},
  };
  for (const Row& row : rows) {
    asked.clear();
    answers = {row.first, Response{201, "{}"}};
    const auto answer =
        link().ask(Request{.method = "POST", .target = "/rollouts", .repeatable = row.repeatable});
    EXPECT_EQ(answer.has_value(), row.again) << row.name;
    EXPECT_EQ(asked.size(), row.again ? 2U : 1U) << row.name;
  }
}

}  // namespace
}  // namespace rollwatch
