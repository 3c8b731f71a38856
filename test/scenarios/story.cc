#include "test/scenarios/story.h"

#include <stdexcept>

#include "test/scenarios/words.h"

namespace rollwatch {
namespace {

constexpr const char* kStoryBase = R"(
[datasource.default]
url = "http://127.0.0.1:9090"
[orchestrator.deployer]
url = "http://127.0.0.1:8080/rollouts"
secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
)";

std::string in_words(const RegisterResult& result) {
  std::string text;
  switch (result.end) {
    case RegisterEnd::kCreated:
      text = "created";
      break;
    case RegisterEnd::kExisting:
      text = "existing";
      break;
    case RegisterEnd::kAttemptNeeded:
      text = "attempt " + std::to_string(result.attempt) + " needed";
      break;
    case RegisterEnd::kKeyReused:
      text = "key reused";
      break;
    case RegisterEnd::kRefused:
      text = "refused: " + result.problems.front().detail;
      break;
  }
  for (const std::string& warning : result.warnings) text += "; warning: " + warning;
  return text;
}

}  // namespace

void differs(const std::string& wanted, const std::string& is) {
  throw std::runtime_error("expected " + wanted + ", but it is " + is);
}

const std::map<std::string, Story::Verb>& Story::verb_table() {
  static const std::map<std::string, Verb> table{
      {"policy", &Story::policy}, {"condition", &Story::condition},
      {"config", &Story::config}, {"metric", &Story::metric},
      {"source", &Story::source}, {"register", &Story::register_rollout},
      {"after", &Story::after},   {"deployer", &Story::deployer},
      {"person", &Story::person}, {"restart", &Story::restart},
      {"store", &Story::store},   {"clock", &Story::clock},
      {"look", &Story::look},     {"alert", &Story::alert},
      {"expect", &Story::expect},
  };
  return table;
}

std::vector<std::string> Story::verbs() {
  std::vector<std::string> all;
  for (const auto& [verb, does] : verb_table()) all.push_back(verb);
  return all;
}

void Story::line(const std::string& raw) {
  if (trim(raw).empty() || trim(raw).front() == '#') return;
  if (raw.front() == ' ') {
    if (configured_) throw std::runtime_error("the configuration is read already");
    toml_ += raw + "\n";
    return;
  }
  std::string rest = raw;
  const std::string word = take_word(rest);
  const auto verb = verb_table().find(word);
  if (verb == verb_table().end()) unknown("verb", word);
  const bool begins_a_table = word == "policy" || word == "condition" || word == "config";
  if (begins_a_table && configured_) throw std::runtime_error("the configuration is read already");
  if (!begins_a_table && !rest.starts_with("refused ")) configure();
  (this->*verb->second)(rest);
  check_verdict_calls();
}

void Story::configure() {
  if (configured_) return;
  configured_ = true;
  world_.configure(kStoryBase + toml_);
}

void Story::policy(std::string rest) {
  if (!rest.empty()) unknown("word after policy", rest);
  toml_ += "[policy.p]\n";
}

void Story::condition(std::string rest) {
  toml_ += "[[policy.p.condition]]\nname = \"" + rest + "\"\n";
}

void Story::config(std::string rest) { toml_ += "[" + rest + "]\n"; }

void Story::metric(std::string rest) {
  const std::size_t equal = rest.find(" = ");
  if (equal == std::string::npos) throw std::runtime_error("metric QUERY = what it answers");
  world_.metrics_are(trim(rest.substr(0, equal)), behaviour_in(trim(rest.substr(equal + 3))));
}

void Story::source(std::string rest) {
  if (rest == "up") return world_.whole_source_is(std::nullopt);
  if (rest == "down") return world_.whole_source_is(Behaviour::Kind::kDown);
  if (rest == "slow") return world_.whole_source_is(Behaviour::Kind::kSlow);
  if (rest.starts_with("lags ")) return world_.source_lags(duration_in(rest.substr(5)));
  unknown("source's way", rest);
}

void Story::after(std::string rest) { world_.advance(duration_in(rest)); }

void Story::deployer(std::string rest) {
  if (rest.starts_with("reports ")) {
    std::string weight = rest.substr(8);
    const std::string since = take_from(weight, "since");
    const Millis ago = since.empty() ? Millis{0} : duration_in(since);
    answer_ = world_.report(rollout_, number_in(weight), ago).why;
  } else if (rest == "acks done" || rest == "acks refused") {
    answer_ = world_.acknowledge(world_.attempts().back().id, rest == "acks done").why;
  } else {
    world_.deployer_is(deployer_in(rest));
  }
}

// register 1.24 over 1.23 [attempt 2] [without orchestrator] [to eu-1] [with region=eu] [observe]
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
    if (word == "over") {
      spec.stable = take_word(rest);
    } else if (word == "attempt") {
      attempt = static_cast<int>(number_in(take_word(rest)));
    } else if (word == "to") {
      spec.target = take_word(rest);
    } else if (word == "of") {
      spec.service = take_word(rest);
    } else if (word == "with") {
      const std::string argument = take_word(rest);
      const std::size_t equal = argument.find('=');
      spec.args[argument.substr(0, equal)] = argument.substr(equal + 1);
    } else if (word == "observe") {
      spec.observe = true;
    } else if (word == "without" && take_word(rest) == "orchestrator") {
      spec.orchestrator.clear();
    } else {
      unknown("word after register", word);
    }
  }
  const std::string candidate = spec.candidate;
  const RegisterResult result = world_.register_rollout(std::move(spec), attempt);
  answer_ = in_words(result);
  if (!result.rollout) return;
  rollout_ = result.rollout->spec.id;
  by_candidate_[candidate] = rollout_;
  read_[rollout_];
}

// person ana rollback [because …] [answers q1]; freezes are for services, redeliver is for the
// latest order
void Story::person(std::string rest) {
  PersonDecided decision;
  decision.by = take_word(rest);
  const std::string answers = take_from(rest, "answers");
  if (!answers.empty()) decision.question = answers;
  decision.reason = take_from(rest, "because");
  const std::string word = take_word(rest);
  if (word == "freeze" || word == "unfreeze")
    return freeze(decision.by, decision.reason, word == "freeze", rest);
  if (word == "redeliver") {
    const RedeliverResult result = world_.redeliver(world_.attempts().back().id, decision.reason);
    answer_ = result.end == DecideEnd::kDone ? "done" : result.why;
    return;
  }
  const auto kind = decision_kind(word);
  if (!kind) unknown("decision", word);
  decision.kind = *kind;
  if (decision.kind == DecisionKind::kExtend) decision.span = duration_in(take_word(rest));
  if (!rest.empty()) unknown("word after a decision", rest);
  const DecideResult result = world_.decide(rollout_, std::move(decision));
  answer_ = result.end == DecideEnd::kDone ? "done" : result.why;
}

// person ana freeze checkout for 2h because …; person ana unfreeze checkout; "everything" is all
void Story::freeze(const std::string& by, const std::string& reason, bool on, std::string rest) {
  const std::string span = take_from(rest, "for");
  const std::string service = take_word(rest);
  if (service.empty() || !rest.empty() || (!on && !span.empty()))
    unknown("word after a freeze", rest + span);
  const std::string what = service == "everything" ? "" : "default/" + service;
  if (!on) {
    answer_ = world_.lift_freeze(what, by) ? "done" : "nothing is frozen";
    return;
  }
  std::optional<SysTime> until;
  if (!span.empty()) until = world_.now() + duration_in(span);
  world_.freeze(what, by, reason, until);
  answer_ = "done";
}

void Story::restart(std::string rest) {
  if (!rest.empty() && take_word(rest) != "after") unknown("word after restart", rest);
  world_.restart(rest.empty() ? Millis{0} : duration_in(rest));
}

void Story::store(std::string rest) {
  if (rest != "fails" && rest != "works") unknown("store's way", rest);
  world_.store_fails(rest == "fails");
}

void Story::clock(std::string rest) {
  const bool back = rest.starts_with("back ");
  const Millis by = duration_in(back ? rest.substr(5) : rest);
  world_.jump_wall(back ? -by : by);
}

void Story::look(std::string rest) {
  if (take_word(rest) != "at" || !by_candidate_.contains(rest)) unknown("rollout", rest);
  rollout_ = by_candidate_.at(rest);
}

// alert Slow fires [of cart] [since 1h]; alert Slow resolves. One that fires already is told again.
void Story::alert(std::string rest) {
  const std::string since = take_from(rest, "since");
  const std::string service = take_from(rest, "of");
  const std::string name = take_word(rest);
  if (rest != "fires" && rest != "resolves") unknown("alert's way", rest);
  ReceivedAlert alert;
  alert.labels = {{"alertname", name}, {"service", service.empty() ? "checkout" : service}};
  alert.change.name = alert.change.fingerprint = name;
  alert.change.summary = "it is bad";
  alert.change.firing = rest == "fires";
  const Millis ago = since.empty() ? Millis{0} : duration_in(since);
  alert.change.starts_at = alerts_.emplace(name, world_.now() - ago).first->second;
  if (!alert.change.firing) {
    alert.change.ends_at = world_.now();
    alerts_.erase(name);
  }
  try {
    std::vector<ReceivedAlert> alerts{std::move(alert)};
    const AlertsTaken taken = world_.run(world_.engine().take_alerts(std::move(alerts)));
    answer_ =
        std::to_string(taken.matched) + " matched, " + std::to_string(taken.recorded) + " recorded";
  } catch (const StoreError& error) {
    answer_ = error.what();
  }
}

RolloutView Story::current() {
  if (rollout_.empty()) throw std::runtime_error("no rollout is registered");
  return world_.rollout(rollout_);
}

void Story::check_verdict_calls() {
  for (auto& [rollout, call] : read_) {
    const std::string wrong = call.read(world_.rollout(rollout));
    if (!wrong.empty()) throw std::runtime_error("the verdict call: " + wrong);
  }
}

}  // namespace rollwatch
