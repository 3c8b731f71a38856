// Flagger's gates: every cell of the table in docs/gates.md, from rollouts that were played to
// where the row says they are; and what Flagger makes of each answer.
#include "daemon/api/gates.h"

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "test/analysis/rollout_fixture.h"
#include "test/api/api_fixture.h"

namespace rollwatch {
namespace {

using testing::HasSubstr;

// How one gets into what a row of the page says. All are of one service.
struct GateSituation {
  const char* row;
  const char* name;
  std::function<void(Plan&)> plan;
  const char* orchestrator;
  const char* story;
};

void soaks(Plan& plan) { plan.soak = duration("1h"); }
void needs_approval(Plan& plan) { plan.approve_start = true; }
void takes_a_minute(Plan& plan) { plan.steps = {{std::nullopt, duration("1m"), false}}; }

const GateSituation kSituations[] = {
    {"waiting, for anything but readiness", "approval", needs_approval, "deployer", ""},
    {"waiting, for anything but readiness", "a rollback", nullptr, "deployer", "behind"},
    {"waiting, for anything but readiness", "a rollback, ready", needs_three_ready, "deployer",
     "behind ready:pass"},
    {"waiting until it is ready", "not yet", needs_three_ready, "deployer", "ready:fail"},
    {"waiting until it is ready", "between attempts", needs_three_ready, "deployer",
     "ready:fail wait=1m"},
    {"waiting until it is ready", "registered just now", nullptr, "deployer", ""},
    {"analyzing", "order out", soaks, "deployer", "begin"},
    {"analyzing", "first slot", soaks, "deployer", "begin ack pass"},
    {"analyzing", "nobody is told", takes_a_minute, "", "begin pass"},
    {"analyzing", "no answer yet", takes_a_minute, "", "begin empty"},
    {"analyzing", "weights that are reported", soaks, "", "begin"},
    {"analyzing, the latest answer failed", "once", takes_a_minute, "", "begin pass fail"},
    {"paused", "by a person", takes_a_minute, "", "begin pass pause"},
    {"paused", "no answers", takes_a_minute, "", "begin pass empty*31"},
    {"paused", "before the beginning", needs_three_ready, "deployer", "wait=1m wait=30s wait=1m"},
    {"promoting, soaking", "promoting", nullptr, "deployer", "begin ack pass*4 ack pass*5"},
    {"promoting, soaking", "promoting for a person", nullptr, "deployer", "begin ack promote"},
    {"promoting, soaking", "soaking",
     [](Plan& plan) {
       takes_a_minute(plan);
       soaks(plan);
     },
     "", "begin pass*8"},
    {"promoted", "nobody is told", takes_a_minute, "", "begin pass*6"},
    {"rolling back, rolled back, rollback failed", "rolling back", nullptr, "deployer",
     "begin ack fail*3"},
    {"rolling back, rolled back, rollback failed", "nobody is told", takes_a_minute, "",
     "begin fail*3"},
    {"rolling back, rolled back, rollback failed", "failed", nullptr, "deployer",
     "begin ack fail*3 refuse"},
    {"rolling back, rolled back, rollback failed", "a person before the beginning", needs_approval,
     "", "rollback"},
    {"cancelled, superseded", "cancelled", takes_a_minute, "", "begin pass cancel"},
    {"cancelled, superseded", "superseded", takes_a_minute, "", "begin pass superseded"},
    {"not there", "", nullptr, "", ""},
};

std::vector<std::string> gate_cells(const std::string& line) {
  std::vector<std::string> cells;
  std::istringstream parts(line.substr(1));
  for (std::string cell; std::getline(parts, cell, '|');) {
    cell.erase(0, cell.find_first_not_of(' '));
    cell.erase(cell.find_last_not_of(' ') + 1);
    cells.push_back(cell);
  }
  return cells;
}

// row → gate → status, of the page.
std::map<std::string, std::map<std::string, int>> gates_page() {
  std::ifstream page(std::string(ROLLWATCH_SOURCE_DIR) + "/docs/gates.md");
  std::map<std::string, std::map<std::string, int>> rows;
  std::vector<std::vector<std::string>> columns;  // the gates of each
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("| the latest rollout is |")) {
      for (const std::string& title : gate_cells(line)) {
        columns.emplace_back();
        std::istringstream ticks(title);
        std::string part;
        for (bool inside = false; std::getline(ticks, part, '`'); inside = !inside)
          if (inside) columns.back().push_back(part);
      }
    } else if (!columns.empty() && line.starts_with("|--")) {
      continue;
    } else if (!columns.empty() && line.starts_with("|")) {
      const auto cells = gate_cells(line);
      for (std::size_t i = 1; i < cells.size() && i < columns.size(); ++i)
        for (const std::string& gate : columns[i]) rows[cells[0]][gate] = std::stoi(cells[i]);
    } else if (!columns.empty()) {
      break;
    }
  }
  return rows;
}

class GatesTest : public ApiTest {
 protected:
  ServerResponse ask_gate(const std::string& gate, const std::string& metadata = "{}") {
    return ask("POST", "/gates/flagger/" + gate,
               R"({"name":"checkout","namespace":"payments","phase":"Progressing",)"
               R"("checksum":"5d8f","failedChecks":0,"canaryWeight":5,"metadata":)" +
                   metadata + "}",
               {{"content-type", "application/json"}});
  }

  void know(const std::string& id, const RolloutState& state, const std::string& target = "eu-1") {
    RolloutView view = sample_rollout(id);
    view.spec.target = target;
    view.state = state;
    service.rollouts[id] = view;
  }

  RolloutState played(const GateSituation& situation) {
    Plan plan = error_rate();
    if (situation.plan) situation.plan(plan);
    Rollout rollout(std::move(plan), situation.orchestrator);
    rollout.play(situation.story);
    return rollout.state;
  }
};

TEST_F(GatesTest, AnswerAsThePageSays) {
  const auto page = gates_page();
  std::set<std::string> rows;
  for (const bool frozen : {false, true}) {
    if (frozen) service.freezes["payments/checkout"] = {"payments", "checkout", "ana", "counting"};
    for (const GateSituation& situation : kSituations) {
      SCOPED_TRACE(std::string(situation.row) + ": " + situation.name + (frozen ? ", frozen" : ""));
      ASSERT_TRUE(page.contains(situation.row));
      rows.insert(situation.row);
      service.rollouts.clear();
      const bool is_there = situation.row != std::string("not there");
      if (is_there) know("ro_1", played(situation));
      ASSERT_EQ(page.at(situation.row).size(), 6U);
      for (const auto& [gate, status] : page.at(situation.row)) {
        const bool waits = gate.starts_with("confirm-");
        const ServerResponse response = ask_gate(gate);
        EXPECT_EQ(response.status, frozen && waits ? 403 : status) << gate << ": " << response.body;
        EXPECT_EQ(header(response, "Content-Type"), "text/plain; charset=utf-8");
        EXPECT_EQ(response.body.find('\n'), response.body.size() - 1) << "one line";
        EXPECT_THAT(response.body, HasSubstr(is_there ? "checkout 1.24 (eu-1, ro_1) is "
                                                      : "no rollout of payments/checkout"));
      }
      for (const char* gate : {"post-rollout", "event"}) EXPECT_EQ(ask_gate(gate).status, 200);
    }
  }
  EXPECT_EQ(rows.size(), page.size()) << "a row of the page is played by none";
}

// Whatever a rollout is in: what opens for everybody is what the verdict call says, and never both.
TEST_F(GatesTest, AgreeWithTheVerdictCall) {
  for (int s = 0; s <= static_cast<int>(State::kSuperseded); ++s) {
    for (const Verdict verdict : {Verdict::kPending, Verdict::kPassing, Verdict::kFailing,
                                  Verdict::kUnknown, Verdict::kFailed, Verdict::kPassed}) {
      RolloutState state = sample_rollout().state;
      state.state = static_cast<State>(s);
      state.verdict = verdict;
      SCOPED_TRACE(name_of(state.state));
      know("ro_1", state);
      const auto asked = get("/api/v1/rollouts/ro_1/verdict");
      const auto yes = [&](const char* gate) { return ask_gate(gate).status <= 202; };
      EXPECT_EQ(yes("confirm-promotion"), asked.at("pass"));
      EXPECT_EQ(yes("rollback"), asked.at("fail"));
      EXPECT_EQ(yes("rollout"), !asked.at("fail"));
      EXPECT_EQ(yes("rollout"), yes("pre-rollout"));
      EXPECT_FALSE(yes("rollback") && (yes("confirm-rollout") || yes("confirm-traffic-increase")));
    }
  }
}

TEST_F(GatesTest, TheLatestAnswersOrTheTargetThatIsNamed) {
  RolloutState state = sample_rollout().state;
  state.state = State::kRolledBack;
  know("ro_1", state, "eu-1");
  state.state = State::kPromoted;
  know("ro_2", state, "us-1");
  EXPECT_EQ(ask_gate("rollback").status, 403) << "ro_2 was registered last";
  EXPECT_EQ(ask_gate("rollback", R"({"target":"eu-1"})").status, 200);
  EXPECT_EQ(ask_gate("rollback", R"({"target":"us-1"})").status, 403);
  const ServerResponse nobody = ask_gate("rollback", R"({"target":"ap-1"})");
  EXPECT_EQ(nobody.status, 403);
  EXPECT_EQ(nobody.body, "no rollout of payments/checkout, target ap-1 is registered\n");
  EXPECT_EQ(ask_gate("confirm-promotion", R"({"service":"cart"})").status, 403);
  EXPECT_EQ(ask_gate("confirm-promotion", R"({"namespace":"shop"})").status, 403);
  EXPECT_EQ(ask_gate("confirm-promotion", "null").status, 200) << "it has no metadata";
}

TEST_F(GatesTest, SayWhyInOneLine) {
  RolloutState state = sample_rollout().state;
  state.state = State::kPaused;
  state.reason = "paused by ana: look\nat this\r\n\tfirst";
  know("ro_1", state);
  EXPECT_EQ(ask_gate("confirm-promotion").body,
            "checkout 1.24 (eu-1, ro_1) is paused: paused by ana: look at this   first\n");
  service.freezes["payments/checkout"] = {"payments", "checkout", "ana", "stock\ntaking"};
  EXPECT_THAT(ask_gate("confirm-promotion").body, HasSubstr("; frozen by ana: stock taking\n"));
}

// Whatever goes wrong is above 202: closed, and quiet.
TEST_F(GatesTest, WhatCannotBeAnsweredIsClosedAndQuiet) {
  RolloutState state = sample_rollout().state;
  state.state = State::kRolledBack;
  know("ro_1", state);
  struct Row {
    const char* name;
    const char* body;
    int status;
  };
  const Row rows[] = {
      {"nothing", "", 400},
      {"no JSON", "name=checkout", 400},
      {"no object", "[1]", 422},
      {"no namespace", R"({"name":"checkout"})", 422},
      {"no name", R"({"namespace":"payments"})", 422},
      {"a number", R"({"name":1,"namespace":"payments"})", 422},
  };
  for (const Row& row : rows) {
    for (const Gate& gate : flagger_gates()) {
      SCOPED_TRACE(std::string(row.name) + " at " + std::string(gate.name));
      const ServerResponse response =
          ask("POST", "/gates/flagger/" + std::string(gate.name), row.body);
      EXPECT_EQ(response.status, row.status) << response.body;
      EXPECT_EQ(response.body.find('\n'), response.body.size() - 1);
    }
  }
  service.store_is_away = true;
  for (const Gate& gate : flagger_gates()) {
    const ServerResponse response = ask_gate(std::string(gate.name));
    EXPECT_EQ(response.status, 503);
    EXPECT_EQ(response.body, "the store is away; ask again\n");
  }
}

TEST_F(GatesTest, AGateThatIsNoneIsNotThere) {
  EXPECT_THAT(problem_of(ask_gate("confirm-rolout")),
              HasSubstr("404 there is no gate \"confirm-rolout\", only confirm-rollout, "));
  EXPECT_EQ(ask("GET", "/gates/flagger/rollback").status, 405);
  EXPECT_EQ(ask_gate("rollback").route, "/gates/flagger/{gate}");
}

}  // namespace
}  // namespace rollwatch
