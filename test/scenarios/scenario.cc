#include "test/scenarios/scenario.h"

#include <algorithm>
#include <functional>
#include <map>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "analysis/comparison.h"
#include "analysis/time.h"
#include "test/scenarios/world.h"

namespace rollwatch {
namespace {

constexpr const char* kBase = R"(
[datasource.default]
url = "http://127.0.0.1:9090"
[orchestrator.deployer]
url = "http://127.0.0.1:8080/rollouts"
secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
)";

std::string trim(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// "register 1.24 over 1.23" → "register", rest "1.24 over 1.23"
std::string take_word(std::string& rest) {
  rest = trim(rest);
  const std::size_t end = std::min(rest.find(' '), rest.size());
  const std::string word = rest.substr(0, end);
  rest = trim(rest.substr(end));
  return word;
}

std::vector<std::string> split(const std::string& text, char by) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, by);) parts.push_back(trim(part));
  return parts;
}

Millis duration(const std::string& text) {
  const auto span = parse_duration(text);
  if (!span) throw std::runtime_error("not a duration: " + text);
  return *span;
}

class Story {
 public:
  void line(const std::string& raw);

 private:
  void configure();
  void metric(std::string rest);
  void source(const std::string& rest);
  void deployer(const std::string& rest);
  void register_rollout(std::string rest);
  void person(std::string rest);
  void expect(std::string rest);
  void expect_orders(const std::string& wanted, const std::vector<DeliveredOrder>& orders);
  void expect_slots(std::string rest);
  void expect_no_gap();
  void expect_event(const std::string& type, bool wanted);
  RolloutView current() { return world_.rollout(rollout_); }
  [[noreturn]] static void differs(const std::string& wanted, const std::string& is) {
    throw std::runtime_error("expected " + wanted + ", but it is " + is);
  }

  World world_;
  bool configured_ = false;
  std::string toml_ = kBase;
  std::string section_;  // TOML lines of an indented block go here
  std::string rollout_;  // the one that is talked about: the latest registered, or `look at`
  std::map<std::string, std::string> by_candidate_;
  std::string answer_;  // what the last person or registration was told
};

void Story::line(const std::string& raw) {
  if (trim(raw).empty() || trim(raw).front() == '#') return;
  if (raw.front() == ' ') {
    toml_ += raw + "\n";
    return;
  }
  std::string rest = raw;
  const std::string verb = take_word(rest);
  if (verb == "policy") {
    toml_ += "[policy.p]\n";
    return;
  }
  if (verb == "condition") {
    toml_ += "[[policy.p.condition]]\nname = \"" + rest + "\"\n";
    return;
  }
  if (verb == "config") {
    toml_ += "[" + rest + "]\n";
    return;
  }
  configure();
  if (verb == "metric") return metric(rest);
  if (verb == "source") return source(rest);
  if (verb == "deployer") return deployer(rest);
  if (verb == "register") return register_rollout(rest);
  if (verb == "after") return world_.advance(duration(rest));
  if (verb == "restart")
    return world_.restart(rest.empty() ? Millis{0} : duration(rest.substr(rest.find(' ') + 1)));
  if (verb == "clock")
    return world_.jump_wall(rest.starts_with("back ") ? -duration(rest.substr(5)) : duration(rest));
  if (verb == "store") return world_.store_fails(rest == "fails");
  if (verb == "person") return person(rest);
  if (verb == "look") {
    rollout_ = by_candidate_.at(rest.substr(rest.find(' ') + 1));
    return;
  }
  if (verb == "expect") return expect(rest);
  throw std::runtime_error("unknown verb " + verb);
}

void Story::configure() {
  if (configured_) return;
  configured_ = true;
  world_.configure(toml_);
}

// metric errors = 0.01 | 0.01, 0.2 | no data | nan | infinite | down | slow | partial 0.01
void Story::metric(std::string rest) {
  const std::size_t equal = rest.find(" = ");
  const std::string name = trim(rest.substr(0, equal));
  std::string what = trim(rest.substr(equal + 3));
  Behaviour behaviour;
  using Kind = Behaviour::Kind;
  const std::map<std::string, Kind> words{
      {"no data", Kind::kNoData}, {"nan", Kind::kNan},   {"infinite", Kind::kInfinite},
      {"down", Kind::kDown},      {"slow", Kind::kSlow}, {"bad query", Kind::kBadQuery}};
  if (const auto word = words.find(what); word != words.end()) {
    behaviour.kind = word->second;
  } else {
    behaviour.kind = Kind::kValue;
    if (what.starts_with("partial ")) {
      behaviour.kind = Kind::kPartial;
      what = what.substr(8);
    }
    for (const std::string& value : split(what, ',')) behaviour.values.push_back(std::stod(value));
  }
  world_.metrics_are(name, behaviour);
}

void Story::source(const std::string& rest) {
  if (rest == "up") return world_.whole_source_is(std::nullopt);
  if (rest == "down") return world_.whole_source_is(Behaviour::Kind::kDown);
  if (rest == "slow") return world_.whole_source_is(Behaviour::Kind::kSlow);
  throw std::runtime_error("source is up, down or slow");
}

void Story::deployer(const std::string& rest) {
  const std::map<std::string, Deployer> words{{"acknowledges", Deployer::kAcknowledges},
                                              {"accepts", Deployer::kAccepts},
                                              {"refuses", Deployer::kRefuses},
                                              {"fails", Deployer::kFails},
                                              {"is down", Deployer::kIsDown}};
  if (rest.starts_with("reports ")) {
    answer_ = world_.report(rollout_, std::stod(rest.substr(8))).why;
    return;
  }
  if (rest.starts_with("acks ")) {
    answer_ = world_.acknowledge(world_.attempts().back().id, rest == "acks done").why;
    return;
  }
  world_.deployer_is(words.at(rest));
}

// register 1.24 over 1.23 [attempt 2] [without orchestrator] [to eu-1] [observe]
void Story::register_rollout(std::string rest) {
  RolloutSpec spec;
  spec.service = "checkout";
  spec.policy = {"p"};
  spec.by = "ci";
  spec.orchestrator = "deployer";
  spec.candidate = take_word(rest);
  std::optional<int> attempt;
  while (!rest.empty()) {
    const std::string word = take_word(rest);
    if (word == "over") spec.stable = take_word(rest);
    if (word == "attempt") attempt = std::stoi(take_word(rest));
    if (word == "without") {
      take_word(rest);
      spec.orchestrator.clear();
    }
    if (word == "to") spec.target = take_word(rest);
    if (word == "observe") spec.observe = true;
  }
  const std::string candidate = spec.candidate;
  const RegisterResult result = world_.register_rollout(std::move(spec), attempt);
  switch (result.end) {
    case RegisterEnd::kCreated:
      answer_ = "created";
      break;
    case RegisterEnd::kExisting:
      answer_ = "existing";
      break;
    case RegisterEnd::kAttemptNeeded:
      answer_ = "attempt " + std::to_string(result.attempt) + " needed";
      break;
    case RegisterEnd::kKeyReused:
      answer_ = "key reused";
      break;
    case RegisterEnd::kRefused:
      answer_ = "refused: " + result.problems.front().detail;
      break;
  }
  if (!result.rollout) return;
  rollout_ = result.rollout->spec.id;
  by_candidate_[candidate] = rollout_;
}

// person ana rollback [because …] [answers q1]
void Story::person(std::string rest) {
  PersonDecided decision;
  decision.by = take_word(rest);
  decision.kind = decision_kind(take_word(rest)).value();
  if (const std::size_t answers = rest.find("answers "); answers != std::string::npos) {
    decision.question = trim(rest.substr(answers + 8));
    rest = trim(rest.substr(0, answers));
  }
  if (rest.starts_with("because ")) decision.reason = rest.substr(8);
  const DecideResult result = world_.decide(rollout_, std::move(decision));
  answer_ = result.end == DecideEnd::kDone ? "done" : result.why;
}

void Story::expect_orders(const std::string& wanted, const std::vector<DeliveredOrder>& orders) {
  std::string is;
  for (const DeliveredOrder& order : orders) {
    if (!is.empty()) is += ", ";
    is += order.kind + " " + format_exact(order.weight);
  }
  if (is != wanted && !(wanted == "none" && is.empty()))
    differs("orders " + wanted, is.empty() ? "none" : is);
}

// expect slots errors pass 3, missed 2
void Story::expect_slots(std::string rest) {
  const std::string condition = take_word(rest);
  std::map<std::string, unsigned> counts;
  for (const StoredEvaluation& e : world_.evaluations(rollout_))
    if (e.condition == condition) counts[std::string(name_of(e.judgement.outcome))] += e.slots;
  std::string all;
  for (const auto& [outcome, n] : counts) all += outcome + " " + std::to_string(n) + " ";
  for (std::string part : split(rest, ',')) {
    const std::string outcome = take_word(part);
    const bool some = part == "some";
    const bool good = some ? counts[outcome] > 0 : std::to_string(counts[outcome]) == part;
    if (!good) differs("slots " + outcome + " " + part, all);
  }
}

// Every slot of every condition between its first and its last is there exactly once.
void Story::expect_no_gap() {
  const RolloutView view = current();
  for (const ConditionPlan& condition : view.plan->conditions) {
    std::optional<SysTime> next;
    for (const StoredEvaluation& e : world_.evaluations(rollout_)) {
      if (e.condition != condition.name) continue;
      if (next && e.slot != *next)
        differs("slot " + format_time(*next) + " of " + condition.name, format_time(e.slot));
      next = e.last_slot + condition.interval;
    }
  }
}

void Story::expect_event(const std::string& type, bool wanted) {
  std::string all;
  bool found = false;
  for (const StoredEvent& event : world_.events(rollout_)) {
    all += std::string(name_of(event.event.type)) + " ";
    found = found || name_of(event.event.type) == type;
  }
  if (found != wanted) differs((wanted ? "event " : "no event ") + type, all);
}

void Story::expect(std::string rest) {
  const std::string whole = rest;
  const std::string word = take_word(rest);
  const RolloutView view = current();
  const RolloutState& s = view.state;
  const auto contains = [&](const std::string& is) {
    if (is.find(rest) == std::string::npos) differs(word + " \"" + rest + "\"", "\"" + is + "\"");
  };
  if (word == "orders") return expect_orders(rest, world_.effects());
  if (word == "attempts") return expect_orders(rest, world_.attempts());
  if (word == "slots") return expect_slots(rest);
  if (word == "reason") return contains(s.reason);
  if (word == "answer") return contains(answer_);
  if (word == "question")
    return contains(s.question ? std::string(name_of(s.question->kind)) : "none");
  if (word == "verdict") return contains(std::string(name_of(s.verdict)));
  if (word == "event") return expect_event(rest, true);
  if (word == "no" && rest.starts_with("event ")) return expect_event(rest.substr(6), false);
  if (word == "no" && rest == "gap") return expect_no_gap();
  if (word == "explain") {
    const auto record = world_.explain(rollout_);
    return contains(record ? record->bundle : "no record");
  }
  if (word == "weight") {
    const auto weight = step_weight(*view.plan, s);
    const std::string is = weight ? format_exact(*weight) : "none";
    if (is != rest) differs(whole, is);
    return;
  }
  if (std::string(name_of(s.state)) != word)
    differs(word, std::string(name_of(s.state)) + " (" + s.reason + ")");
}

}  // namespace

std::optional<std::string> play_scenario(const std::string& file, const std::string& text) {
  Story story;
  std::istringstream in(text);
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    try {
      story.line(line);
    } catch (const std::exception& error) {
      return file + ":" + std::to_string(number) + ": " + line + "\n  " + error.what();
    }
  }
  return std::nullopt;
}

}  // namespace rollwatch
