// rollwatch calibrate: lines in, progress and a sum out.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "test/cli/stage.h"

namespace rollwatch {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Calibrates : test::Stage {
  const std::string begun =
      R"({"type":"calibration","conditions":["errors"],"left_out":[{"condition":"latency","why":"it is a guard"}],)"
      R"("alpha":0.01,"from":"T1","to":"T2","rollout":"20m","slots":40,"windows":2,"possible":9,"warnings":["old"]})"
      "\n";
  const std::string first =
      R"({"type":"window","number":1,"from":"T1","to":"T2","pods":12,"trials":12,"rolled_back":[]})"
      "\n";
  const std::string second =
      R"({"type":"window","number":2,"from":"T1","to":"T2","pods":12,"trials":11,)"
      R"("rolled_back":[{"pod":"a-7","condition":"errors","slot":9,"at":"T1"}]})"
      "\n";
  const std::string end =
      R"({"type":"end","trials":23,"rolled_back":1,"share":0.0435,"low":0.0077,"high":0.2099,"alpha":0.01,)"
      R"("meaning":"unclear","by_condition":[{"condition":"errors","rolled_back":1}],)"
      R"("by_pod":[{"pod":"a-7","trials":2,"rolled_back":1}],"words":["1 of 23 were.","It may be chance."]})"
      "\n";

  int calibrate(std::vector<std::string> more = {}) {
    std::vector<std::string> words{"calibrate", "--service=checkout", "--stable=1.23",
                                   "--policy=http"};
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  }
};

TEST_F(Calibrates, SaysTheShareBesideAlphaAndWhatItMeans) {
  answers = {Response{200, begun + first + second + end}};
  EXPECT_EQ(calibrate(), 0);
  EXPECT_EQ(out.str(),
            "errors: 2 past rollouts of 20m between T1 and T2\n\n"
            "TRIALS  ROLLED BACK  SHARE   95 % FROM  TO       ALPHA\n"
            "23      1            4.35 %  0.77 %     20.99 %  1 %\n\n"
            "POD  ROLLED BACK  OF\n"
            "a-7  1            2\n\n"
            "1 of 23 were.\n\nIt may be chance.\n");
  EXPECT_EQ(err.str(),
            "latency is left out: it is a guard\nwarning: old\n"
            "9 rollouts fit in; 2 of them are played, evenly\n");
  EXPECT_THAT(asked, ElementsAre("/calibrate"));
  EXPECT_EQ(requests.front().method, "POST");
}

TEST_F(Calibrates, OnATerminalTheProgressIsDrawnAgain) {
  surroundings.terminal.redraws = true;
  answers = {Response{200, begun + first + second + end}};
  EXPECT_EQ(calibrate(), 0);
  EXPECT_THAT(err.str(), HasSubstr("\r\x1b[Kwindow 1 of 2, 0 of 12 rolled back"
                                   "\r\x1b[Kwindow 2 of 2, 1 of 23 rolled back\r\x1b[K"));
}

TEST_F(Calibrates, SendsWhatTheFlagsSay) {
  answers = {Response{200, begun + end}};
  calibrate({"--namespace=pay", "--target=eu", "--labels=tier=web", "--args=x=1",
             "--condition=errors", "--from=7d", "--to=1h", "--analysis={\"interval\":\"15s\"}"});
  EXPECT_EQ(json::parse(requests.front().body), json::parse(R"({
      "service": "checkout", "stable": "1.23", "policy": ["http"], "namespace": "pay",
      "target": "eu", "labels": {"tier": "web"}, "args": {"x": "1"}, "condition": "errors",
      "from": "7d", "to": "1h", "analysis": {"interval": "15s"}})"));
}

TEST_F(Calibrates, ForMachinesItIsOneDocumentOrTheLinesAsTheyCome) {
  answers = {Response{200, begun + first + second + end}};
  EXPECT_EQ(calibrate({"--output=json"}), 0);
  const json all = json::parse(out.str());
  EXPECT_EQ(all.at("calibration"), json::parse(begun));
  EXPECT_EQ(all.at("windows"), json({json::parse(first), json::parse(second)}));
  EXPECT_EQ(all.at("end"), json::parse(end));
  out.str("");
  answers = {Response{200, begun + first + end}};
  EXPECT_EQ(calibrate({"--output=jsonl"}), 0);
  EXPECT_EQ(out.str(), begun + first + end);
}

TEST_F(Calibrates, WhatCouldNotBeToldIsAFailure) {
  struct Row {
    test::Answer answer;
    const char* err;
  };
  const std::string error = R"({"type":"error","detail":"errors: no route"})"
                            "\n";
  const Row rows[] = {
      {test::refused(), "no answer from the server: refused"},
      {test::broken_off(), "no answer from the server: reset"},
      {Response{422, R"({"title":"Unprocessable","detail":"/from: is too late"})"},
       "rollwatch: Unprocessable: /from: is too late"},
      {Response{200, begun + first}, "the calibration broke off: it has no end"},
      {Response{200, begun + error}, "the calibration broke off: errors: no route"},
      {Response{200, "<html>"}, "the calibration broke off: it has no end"},
  };
  for (const Row& row : rows) {
    err.str("");
    answers = {row.answer};
    EXPECT_EQ(calibrate(), 1);
    EXPECT_THAT(err.str(), HasSubstr(row.err));
    EXPECT_THAT(out.str(), IsEmpty());
  }
  answers = {Response{200, begun + R"({"type":"end","trials":0,"rolled_back":0,"share":null,)"
                                   R"("words":["nothing was measured"]})"
                                   "\n"}};
  EXPECT_EQ(calibrate(), 1);
  EXPECT_THAT(out.str(), HasSubstr("nothing was measured"));
}

TEST_F(Calibrates, InterruptedItSaysSo) {
  answers = {Response{200, begun + first}};
  pace.interrupt();
  EXPECT_EQ(calibrate(), 130);
}

TEST_F(Calibrates, NeedsAServiceAndItsStableVersion) {
  EXPECT_THAT(parse_arguments({"calibrate", "--service=x"}).error().message, HasSubstr("--stable"));
}

}  // namespace
}  // namespace rollwatch
