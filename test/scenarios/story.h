// One scenario being played: each line does something to a World, or says what must be so. Every
// line's words come from two tables, so that none is passed over and the list of them is known.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "test/scenarios/verdict_call.h"
#include "test/scenarios/world.h"

namespace rollwatch {

class Story {
 public:
  // Throws std::exception: what was expected and what was so, or which word is unknown.
  void line(const std::string& raw);

  // The words a line may begin with, and what may follow `expect`, the states aside.
  static std::vector<std::string> verbs();
  static std::vector<std::string> expectations();

 private:
  using Verb = void (Story::*)(std::string rest);
  static const std::map<std::string, Verb>& verb_table();
  static const std::map<std::string, Verb>& expectation_table();

  void configure();
  void policy(std::string rest);
  void condition(std::string rest);
  void config(std::string rest);
  void metric(std::string rest);
  void source(std::string rest);
  void register_rollout(std::string rest);
  void after(std::string rest);
  void deployer(std::string rest);
  void person(std::string rest);
  void freeze(const std::string& by, const std::string& reason, bool on, std::string rest);
  void restart(std::string rest);
  void store(std::string rest);
  void clock(std::string rest);
  void look(std::string rest);
  void alert(std::string rest);
  void expect(std::string rest);

  void expect_weight(std::string rest);
  void expect_verdict(std::string rest);
  void expect_condition(std::string rest);
  void expect_last(std::string rest);
  void expect_reason(std::string rest);
  void expect_question(std::string rest);
  void expect_answer(std::string rest);
  void expect_orders(std::string rest);
  void expect_attempts(std::string rest);
  void expect_told(std::string rest);
  void expect_slots(std::string rest);
  void expect_event(std::string rest);
  void expect_no(std::string rest);
  void expect_explain(std::string rest);
  void expect_refused(std::string rest);

  void expect_no_gap();
  std::vector<std::string> events_of(const std::string& type, std::string* all);
  std::size_t condition_named(const std::string& name);
  RolloutView current();
  // What tools read at any moment must hold together, whatever the story is about.
  void check_verdict_calls();

  World world_;
  bool configured_ = false;
  std::string toml_;
  std::string rollout_;  // the one that is talked about: the latest registered, or `look at`
  std::map<std::string, std::string> by_candidate_;
  std::map<std::string, VerdictCall> read_;  // by rollout
  std::map<std::string, SysTime> alerts_;    // that fire, and since when
  std::string answer_;                       // what the last person or registration was told
};

// Throws: expected this, but it is that.
[[noreturn]] void differs(const std::string& wanted, const std::string& is);

}  // namespace rollwatch
