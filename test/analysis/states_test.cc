// docs/design/states.md says what follows from everything that can happen in every situation. This
// plays each cell of its tables; a situation or a column that is missing there fails too.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <map>
#include <set>

#include "analysis/state_codec.h"
#include "test/analysis/rollout_fixture.h"

namespace rollwatch {
namespace {

using Cells = std::vector<std::string>;

std::string trimmed(std::string text) {
  const auto keep = [](unsigned char c) { return c != ' '; };
  text.erase(text.begin(), std::find_if(text.begin(), text.end(), keep));
  text.erase(std::find_if(text.rbegin(), text.rend(), keep).base(), text.end());
  return text;
}

std::string without_ticks(std::string text) {
  std::erase(text, '`');
  return text;
}

struct Table {
  Cells columns;
  std::vector<Cells> rows;
};

// Every table of the page, in order.
std::vector<Table> tables_of_the_page() {
  std::ifstream page(std::string(ROLLWATCH_SOURCE_DIR) + "/docs/design/states.md");
  std::vector<Table> tables;
  bool in_table = false;
  for (std::string line; std::getline(page, line);) {
    if (line.empty() || line.front() != '|') {
      in_table = false;
      continue;
    }
    Cells cells;
    std::istringstream parts(line.substr(1));
    for (std::string cell; std::getline(parts, cell, '|');) cells.push_back(trimmed(cell));
    if (!in_table)
      tables.push_back({cells, {}});
    else if (cells.front().rfind("--", 0) != 0)
      tables.back().rows.push_back(cells);
    in_table = true;
  }
  return tables;
}

Plan plan_with(const std::string& features) {
  Plan plan = error_rate();
  plan.deadline = duration("6h");
  plan.recovery = duration("5m");
  std::istringstream words(features);
  for (std::string word; words >> word;) {
    if (word == "soak")
      plan.soak = duration("1h");
    else if (word == "approval")
      plan.approve_start = true;
    else if (word == "ready")
      needs_three_ready(plan);
    else if (word == "step-approval")
      plan.steps.front().approve = true;
    else if (word == "last-approval")
      plan.approve_promote = true;
    else if (word == "duration")
      plan.steps = {{std::nullopt, duration("30s"), false}};
    else if (word == "on-fail-pause")
      plan.conditions.front().on_fail = OnFail::kPause;
    else if (word == "on-lost-pause")
      plan.conditions.back().on_fail = OnFail::kPause;
    else if (word == "alerts-pause")
      watches_alerts(plan, OnFail::kPause);
    else if (word == "pass-below")
      threshold(plan.conditions.front()).rule.pass_if = comparison("< 0.02");
    else if (word == "unwatched")
      plan.conditions.clear();
    else if (word != "-" && word != "observe" && word != "untold")
      throw std::invalid_argument(word);
  }
  return plan;
}

// Besides what the plan says: whether the deployer is told, and whether it is only observed.
Rollout rollout_with(const std::string& features, Plan plan) {
  const auto has = [&features](const char* word) {
    return features.find(word) != std::string::npos;
  };
  return Rollout(std::move(plan), has("untold") ? "" : "deployer", has("observe"));
}

Rollout rollout_with(const std::string& features) {
  return rollout_with(features, plan_with(features));
}

bool is_slot(const std::string& word) {
  return word.rfind("fail", 0) == 0 || word.rfind("pass", 0) == 0 || word.rfind("empty", 0) == 0 ||
         word.rfind("ready:", 0) == 0;
}

// Whether the slot that the word stands for is asked at all.
bool is_asked(const Rollout& r, const std::string& word) {
  const bool readiness = word.rfind("ready:", 0) == 0;
  if (!is_watching(r.state) || (readiness && !r.plan().ready)) return false;
  if (r.plan().conditions.empty()) return false;
  return r.of(readiness ? "ready" : "error-rate").watched_from.has_value();
}

bool is_about_the_order(const std::string& word) {
  return word == "ack" || word == "accept" || word == "refuse" || word == "expire";
}

// "paused 5 % ?no_answers →pause 5 %"
std::string shown(const Rollout& r) {
  std::string text(name_of(r.state.state));
  if (const auto weight = step_weight(r.plan(), r.state); weight && !is_final(r.state.state))
    text += " " + percent(*weight);
  if (r.state.question) text += " ?" + std::string(name_of(r.state.question->kind));
  if (r.state.order) {
    text += " →" + std::string(name_of(r.state.order->kind));
    const bool moves = r.state.order->kind == DecisionKind::kAdvance;
    if (moves) text += " " + percent(r.state.order->weight);
  }
  if (r.state.freeze && !is_final(r.state.state) && r.state.state != State::kRollingBack)
    text += " (frozen)";
  return text;
}

// One word after the other, as long as they mean something: slots that nobody asks for and answers
// to orders that are not out do not happen.
std::string after(Rollout& r, const std::string& words) {
  std::istringstream parts(words);
  const std::size_t events = r.events.size();
  bool happened = false;
  for (std::string word; parts >> word;) {
    int times = 1;
    if (const auto star = word.find('*'); star != std::string::npos) {
      times = std::stoi(word.substr(star + 1));
      word.resize(star);
    }
    for (; times > 0; --times) {
      if (is_slot(word) && !is_asked(r, word)) break;
      if (is_about_the_order(word) && !r.state.order) break;
      if (word == "late-ack" && r.state.orders_given == 0) break;
      happened = true;
      std::string refusal;
      if (word.rfind("report=", 0) == 0)
        refusal = r.report(std::stod(word.substr(7)));
      else if (word.rfind("extend=", 0) == 0)
        refusal = r.extend(duration(word.substr(7)));
      else if (word == "send-again")
        refusal = r.send_again();
      else if (const auto kind = decision_kind(word))
        refusal = r.person(*kind);
      else
        r.play(word);
      if (!refusal.empty()) return "409";
    }
  }
  if (!happened) return "–";
  return r.events.size() == events ? "·" : shown(r);
}

// What a column of each table is called, and the words it stands for.
const std::vector<std::vector<std::string>> kColumns = {
    {"advance", "promote", "pause", "resume", "rollback", "cancel", "extend=10m"},
    {"fail*3", "pass*9", "empty*40", "ready:pass", "wait=7h", "away=10m"},
    {"ack", "accept", "refuse", "expire", "late-ack", "send-again"},
    {"report=0", "report=25", "report=100", "superseded", "freeze", "freeze thaw", "behind",
     "newer pass*9", "newer pass*9 no-newer pass", "older rollback"},
};

TEST(StatesTest, EveryCellOfThePageIsWhatHappens) {
  const std::vector<Table> tables = tables_of_the_page();
  ASSERT_EQ(tables.size(), 2 + kColumns.size()) << "the situations, and a table for each kind";

  std::map<std::string, std::pair<std::string, std::string>> situations;  // name → plan, story
  std::set<State> states;
  std::set<QuestionKind> questions;
  for (const Cells& row : tables.front().rows) {
    ASSERT_EQ(row.size(), 3U) << row.front();
    situations[row[0]] = {without_ticks(row[1]), without_ticks(row[2])};
    Rollout r = rollout_with(without_ticks(row[1]));
    r.play(without_ticks(row[2]));
    states.insert(r.state.state);
    if (r.state.question) questions.insert(r.state.question->kind);
  }
  for (int i = 0; is_known(static_cast<State>(i)); ++i)
    EXPECT_TRUE(states.contains(static_cast<State>(i))) << name_of(static_cast<State>(i));
  for (int i = 0; is_known(static_cast<QuestionKind>(i)); ++i)
    EXPECT_TRUE(questions.contains(static_cast<QuestionKind>(i)))
        << "no situation asks " << name_of(static_cast<QuestionKind>(i));

  for (std::size_t t = 0; t < kColumns.size(); ++t) {
    const Table& table = tables[t + 1];
    EXPECT_EQ(table.rows.size(), situations.size()) << "table " << t << ": a situation is missing";
    ASSERT_EQ(table.columns.size(), kColumns[t].size() + 1);
    for (const Cells& row : table.rows) {
      ASSERT_TRUE(situations.contains(row.front())) << row.front();
      ASSERT_EQ(row.size(), table.columns.size()) << row.front();
      const auto& [plan, story] = situations[row.front()];
      std::string found;
      for (std::size_t c = 0; c < kColumns[t].size(); ++c) {
        EXPECT_EQ(without_ticks(table.columns[c + 1]), kColumns[t][c]);
        Rollout r = rollout_with(plan);
        r.play(story);
        const std::string ends = after(r, kColumns[t][c]);
        found += " | " + ends;
        EXPECT_EQ(row[c + 1], ends) << row.front() << ", " << kColumns[t][c];
      }
      if (testing::Test::HasFailure()) std::cout << "| " << row.front() << found << " |\n";
    }
  }
}

// The last table: what on_fire says, and what the alert does then.
TEST(StatesTest, EveryAlertDoesWhatThePageSays) {
  const std::vector<Table> tables = tables_of_the_page();
  const Table& table = tables.back();
  EXPECT_EQ(table.columns, (Cells{"in", "`rollback: alert`", "`rollback: old-alert`",
                                  "`pause: alert`", "`pause: alert resolved`",
                                  "`pause: alert resume same-alert`", "`observe: alert`"}));
  std::size_t rows = 0;
  for (const Cells& situation : tables.front().rows) {
    if (situation[1].find("alerts-") != std::string::npos) continue;  // its alert has fired
    ++rows;
    std::string found;
    for (std::size_t c = 1; c < table.columns.size(); ++c) {
      const std::string column = without_ticks(table.columns[c]);
      const std::string on_fire = column.substr(0, column.find(':'));
      Plan plan = plan_with(without_ticks(situation[1]));
      watches_alerts(plan, on_fire == "pause"     ? OnFail::kPause
                           : on_fire == "observe" ? OnFail::kObserve
                                                  : OnFail::kRollback);
      Rollout r = rollout_with(without_ticks(situation[1]), std::move(plan));
      r.play(without_ticks(situation[2]));
      const std::size_t decisions = r.decisions.size();
      std::string ends = after(r, column.substr(column.find(':') + 2));
      if (r.decisions.size() > decisions && r.decisions.back().would_have)
        ends = "would have: " + std::string(name_of(r.decisions.back().kind));
      found += " | " + ends;
      const auto row = std::find_if(table.rows.begin(), table.rows.end(), [&](const Cells& cells) {
        return cells.front() == situation.front();
      });
      ASSERT_NE(row, table.rows.end()) << situation.front();
      EXPECT_EQ((*row)[c], ends) << situation.front() << ", " << column;
    }
    if (testing::Test::HasFailure()) std::cout << "| " << situation.front() << found << " |\n";
  }
  EXPECT_EQ(table.rows.size(), rows) << "a row for every situation, and none besides";
}

}  // namespace
}  // namespace rollwatch
