// Tools that ask for the verdict, each reading it as that tool does: what Argo Rollouts' web
// metric, a Spinnaker webhook stage, a Kargo http step and a Harness step make of every state.
#include <algorithm>
#include <cctype>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "test/analysis/rollout_fixture.h"
#include "test/api/api_fixture.h"

namespace rollwatch {
namespace {

using nlohmann::json;

struct Asked {
  int status = 0;
  json body;
};

// successCondition: result.pass, failureCondition: result.fail. Anything but a 2xx is an error, the
// failure condition wins, and what meets neither is inconclusive.
std::string argo(const Asked& asked) {
  if (asked.status / 100 != 2) return "Error";
  if (asked.body.at("fail").get<bool>())
    return "Failed";  // throws if it is no boolean, as Argo does
  return asked.body.at("pass").get<bool>() ? "Successful" : "Inconclusive";
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// statusJsonPath: $.status, compared without case with three lists; progressJsonPath:
// $.progress_message, which must be a string, or the stage fails.
std::string spinnaker(const Asked& asked) {
  if (asked.status / 100 == 4) return "TERMINAL";
  if (!asked.body.at("progress_message").is_string()) return "TERMINAL";
  const std::string status = lower(asked.body.at("status").get<std::string>());
  if (status == "succeeded") return "SUCCEEDED";
  if (status == "canceled") return "CANCELED";
  if (status == "terminal") return "TERMINAL";
  return "RUNNING";
}

// The same stage with statusJsonPath: $.percent: a number is how far it is, and 100 is success.
std::string spinnaker_by_percent(const Asked& asked) {
  return asked.body.at("percent").get<double>() >= 100 ? "SUCCEEDED" : "RUNNING";
}

// failureExpression: response.body.fail || response.body.status == 'CANCELED', successExpression:
// response.status == 200 && response.body.verdict == 'passed'; failing wins.
std::string kargo(const Asked& asked) {
  if (asked.body.at("fail") == true || asked.body.at("status") == "CANCELED") return "Failed";
  return asked.status == 200 && asked.body.at("verdict") == "passed" ? "Succeeded" : "Running";
}

// Assertion: <+httpResponseCode> == 200 && final && pass, in a loop until final.
std::string harness(const Asked& asked) {
  if (!asked.body.at("final").get<bool>()) return "again";
  return asked.status == 200 && asked.body.at("pass").get<bool>() ? "passed" : "failed";
}

class AskingTools : public ApiTest {
 protected:
  Asked ask_for_verdict() {
    const ServerResponse response = ask("GET", "/api/v1/rollouts/ro_1/verdict");
    EXPECT_EQ(header(response, "Content-Type"), "application/json");
    return {response.status, json::parse(response.body)};
  }
};

TEST_F(AskingTools, ReadEveryStateForWhatItIs) {
  struct Row {
    State state;
    Verdict verdict;
    const char* argo;
    const char* spinnaker;
    const char* by_percent;
    const char* kargo;
    const char* harness;
  };
  const Row rows[] = {
      {State::kWaiting, Verdict::kPending, "Inconclusive", "RUNNING", "RUNNING", "Running",
       "again"},
      {State::kAnalyzing, Verdict::kPending, "Inconclusive", "RUNNING", "RUNNING", "Running",
       "again"},
      {State::kAnalyzing, Verdict::kPassing, "Inconclusive", "RUNNING", "RUNNING", "Running",
       "again"},
      {State::kAnalyzing, Verdict::kFailing, "Inconclusive", "RUNNING", "RUNNING", "Running",
       "again"},
      {State::kAnalyzing, Verdict::kUnknown, "Inconclusive", "RUNNING", "RUNNING", "Running",
       "again"},
      {State::kPaused, Verdict::kUnknown, "Inconclusive", "RUNNING", "RUNNING", "Running", "again"},
      {State::kPaused, Verdict::kFailed, "Inconclusive", "RUNNING", "RUNNING", "Running", "again"},
      {State::kPromoting, Verdict::kPassing, "Successful", "RUNNING", "RUNNING", "Running",
       "again"},
      {State::kSoaking, Verdict::kPassing, "Successful", "RUNNING", "RUNNING", "Running", "again"},
      {State::kRollingBack, Verdict::kFailed, "Failed", "RUNNING", "RUNNING", "Failed", "again"},
      {State::kPromoted, Verdict::kPassed, "Successful", "SUCCEEDED", "SUCCEEDED", "Succeeded",
       "passed"},
      {State::kRolledBack, Verdict::kFailed, "Failed", "TERMINAL", "RUNNING", "Failed", "failed"},
      {State::kRollbackFailed, Verdict::kFailed, "Failed", "TERMINAL", "RUNNING", "Failed",
       "failed"},
      {State::kCancelled, Verdict::kPassing, "Inconclusive", "CANCELED", "RUNNING", "Failed",
       "failed"},
      {State::kSuperseded, Verdict::kPending, "Inconclusive", "CANCELED", "RUNNING", "Failed",
       "failed"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(std::string(name_of(row.state)) + ", " + std::string(name_of(row.verdict)));
    RolloutView view = sample_rollout();
    view.state.state = row.state;
    view.state.verdict = row.verdict;
    view.state.step = row.state == State::kWaiting ? -1 : 1;
    view.state.updated_at = kSampleTime + Millis{3'600'000};
    if (is_final(row.state)) view.state.ended_at = view.state.updated_at;
    service.rollouts["ro_1"] = view;
    const Asked asked = ask_for_verdict();
    EXPECT_EQ(asked.status, 200) << "also for fail and for not yet";
    EXPECT_EQ(argo(asked), row.argo);
    EXPECT_EQ(spinnaker(asked), row.spinnaker);
    EXPECT_EQ(spinnaker_by_percent(asked), row.by_percent);
    EXPECT_EQ(kargo(asked), row.kargo);
    EXPECT_EQ(harness(asked), row.harness);
    EXPECT_FALSE(asked.body.at("pass") == true && asked.body.at("fail") == true);
    EXPECT_TRUE(asked.body.at("percent").is_number_integer());
    EXPECT_TRUE(asked.body.at("progress_message").is_string());
  }
}

// `pass` is what is so now, as far as it was decided; `fail` is for good. What really happens, not
// states by hand: the words are those of test/analysis/rollout_fixture.h.
TEST_F(AskingTools, PassIsTakenBackWithThePromotionAndComesAgainWithIt) {
  struct Row {
    const char* name;
    const char* words;
    std::vector<const char*> argo;  // before them, and after each
    const char* harness;            // after the last
  };
  const char* const yes = "Successful";
  const char* const no = "Inconclusive";
  const char* const back = "Failed";
  const Row rows[] = {
      {"carried out", "ack wait=2h", {yes, yes, yes}, "passed"},
      {"frozen, and decided again", "freeze thaw pass ack", {yes, no, no, yes, yes}, "again"},
      {"refused, and a yes begins the step afresh",
       "refuse resume pass*5",
       {yes, no, no, yes},
       "again"},
      {"expired, and done late", "expire late-ack", {yes, no, yes}, "again"},
      {"paused by a person, and sent on", "pause advance", {yes, no, yes}, "again"},
      {"followed before it took effect", "superseded", {yes, no}, "failed"},
      {"cancelled before it took effect", "cancel", {yes, no}, "failed"},
      {"rolled back", "fail*3 ack", {yes, back, back}, "failed"},
      {"rolled back from the soak", "ack fail*3 refuse", {yes, yes, back, back}, "failed"},
      {"reported smaller", "ack report=25", {yes, yes, no}, "again"},
      {"cancelled in the soak: it was carried out", "ack cancel", {yes, yes, yes}, "passed"},
      {"followed in the soak", "ack superseded", {yes, yes, yes}, "passed"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    Plan plan = error_rate();
    plan.soak = duration("1h");
    Rollout r(std::move(plan));
    r.play("begin ack pass*4 ack pass*5");
    const auto ask_now = [&] {
      RolloutView view = sample_rollout();
      view.plan = std::make_shared<const Plan>(r.plan());
      view.state = r.state;
      view.next_slots.resize(view.plan->conditions.size());
      service.rollouts["ro_1"] = view;
      return ask_for_verdict();
    };
    std::vector<std::string> seen{argo(ask_now())};
    std::istringstream words(row.words);
    for (std::string word; words >> word;) {
      r.play(word);
      seen.push_back(argo(ask_now()));
    }
    EXPECT_EQ(seen, std::vector<std::string>(row.argo.begin(), row.argo.end()));
    EXPECT_EQ(harness(ask_now()), row.harness);
  }
}

// A rollout nobody knows must open no gate and roll nothing back: no verdict at all is answered.
TEST_F(AskingTools, ARolloutNobodyKnowsIsNeitherGoodNorBad) {
  const ServerResponse response = ask("GET", "/api/v1/rollouts/ro_9/verdict");
  EXPECT_EQ(response.status, 404);
  const json body = json::parse(response.body);
  for (const char* key : {"pass", "fail", "verdict", "final"}) EXPECT_FALSE(body.contains(key));
}

// Spinnaker takes the address to ask from where it was registered, and never a 404 for it.
TEST_F(AskingTools, TheAddressOfARegistrationCanBeAskedAtOnce) {
  service.register_answer.end = RegisterEnd::kCreated;
  service.register_answer.rollout = sample_rollout();
  service.rollouts["ro_1"] = sample_rollout();
  const ServerResponse created =
      ask("POST", "/api/v1/rollouts",
          R"({"service":"checkout","candidate":"1.24","analysis":{"duration":"5m",)"
          R"("condition":[{"name":"e","query":"up > 1"}]}})");
  ASSERT_EQ(created.status, 201) << created.body;
  const std::string location = header(created, "Location");
  const std::string external = "http://rollwatch.example.net";
  ASSERT_EQ(location.rfind(external, 0), 0U) << location;
  const ServerResponse asked = ask("GET", location.substr(external.size()) + "/verdict");
  EXPECT_EQ(asked.status, 200);
  EXPECT_EQ(spinnaker({asked.status, json::parse(asked.body)}), "RUNNING");
}

}  // namespace
}  // namespace rollwatch
