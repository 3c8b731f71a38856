// What a story says must be so.
#include <stdexcept>

#include "analysis/comparison.h"
#include "test/scenarios/story.h"
#include "test/scenarios/words.h"

namespace rollwatch {
namespace {

void contains(const std::string& is, const std::string& wanted) {
  if (wanted.empty()) throw std::runtime_error("expected what?");
  if (is.find(wanted) == std::string::npos) differs("\"" + wanted + "\"", "\"" + is + "\"");
}

void same(const std::string& is, const std::string& wanted) {
  if (is != wanted) differs(wanted, is);
}

template <class T, class Text>
std::string joined(const std::vector<T>& items, const Text& text) {
  std::string all;
  for (const T& item : items) all += (all.empty() ? "" : ", ") + text(item);
  return all.empty() ? "none" : all;
}

std::string in_words(const std::vector<DeliveredOrder>& orders) {
  return joined(orders,
                [](const DeliveredOrder& o) { return o.kind + " " + format_exact(o.weight); });
}

// By name, for words that must be one of a closed list.
template <class Enum>
bool is_name(const std::string& word, Enum last) {
  for (int i = 0; i <= static_cast<int>(last); ++i)
    if (name_of(static_cast<Enum>(i)) == word) return true;
  return false;
}

}  // namespace

const std::map<std::string, Story::Verb>& Story::expectation_table() {
  static const std::map<std::string, Verb> table{
      {"weight", &Story::expect_weight},
      {"verdict", &Story::expect_verdict},
      {"condition", &Story::expect_condition},
      {"last", &Story::expect_last},
      {"reason", &Story::expect_reason},
      {"question", &Story::expect_question},
      {"answer", &Story::expect_answer},
      {"orders", &Story::expect_orders},
      {"attempts", &Story::expect_attempts},
      {"told", &Story::expect_told},
      {"slots", &Story::expect_slots},
      {"event", &Story::expect_event},
      {"no", &Story::expect_no},
      {"explain", &Story::expect_explain},
      {"refused", &Story::expect_refused},
  };
  return table;
}

std::vector<std::string> Story::expectations() {
  std::vector<std::string> all;
  for (const auto& [word, does] : expectation_table()) all.push_back(word);
  return all;
}

void Story::expect(std::string rest) {
  const std::string word = take_word(rest);
  const auto expectation = expectation_table().find(word);
  if (expectation != expectation_table().end()) return (this->*expectation->second)(rest);
  if (!is_name(word, State::kSuperseded)) unknown("expectation", word);
  const RolloutState state = current().state;
  if (!rest.empty() || name_of(state.state) != word)
    differs(word + rest, std::string(name_of(state.state)) + " (" + state.reason + ")");
}

void Story::expect_weight(std::string rest) {
  const RolloutView view = current();
  const auto weight = step_weight(*view.plan, view.state);
  same(weight ? format_exact(*weight) : "none", rest);
}

void Story::expect_verdict(std::string rest) {
  if (!is_name(rest, Verdict::kPassed)) unknown("verdict", rest);
  same(std::string(name_of(current().state.verdict)), rest);
}

std::size_t Story::condition_named(const std::string& name) {
  const auto plan = current().plan;
  for (std::size_t i = 0; i < plan->conditions.size(); ++i)
    if (plan->conditions[i].name == name) return i;
  unknown("condition", name);
}

void Story::expect_condition(std::string rest) {
  const std::size_t i = condition_named(take_word(rest));
  if (!is_name(rest, Verdict::kPassed)) unknown("verdict", rest);
  const RolloutView view = current();
  same(std::string(name_of(verdict_of({view.spec, *view.plan}, view.state, i))), rest);
}

void Story::expect_last(std::string rest) {
  const std::size_t i = condition_named(take_word(rest));
  const auto last = current().state.conditions[i].last;
  contains(last ? describe(*last) : "not evaluated yet", rest);
}

void Story::expect_reason(std::string rest) { contains(current().state.reason, rest); }

void Story::expect_question(std::string rest) {
  if (rest != "none" && !is_name(rest, kLastQuestionKind)) unknown("question", rest);
  const auto question = current().state.question;
  same(question ? std::string(name_of(question->kind)) : "none", rest);
}

void Story::expect_answer(std::string rest) { contains(answer_, rest); }

void Story::expect_orders(std::string rest) { same(in_words(world_.effects()), rest); }

void Story::expect_attempts(std::string rest) { same(in_words(world_.attempts()), rest); }

// expect told paused, resumed
void Story::expect_told(std::string rest) {
  std::vector<Message> about_this;
  for (const Message& told : world_.told())
    if (told.rollout == rollout_) about_this.push_back(told);
  same(joined(about_this, [](const Message& told) { return told.kind; }), rest);
}

// expect slots errors pass 3, missed some; expect slots errors none
void Story::expect_slots(std::string rest) {
  const std::string name = take_word(rest);
  condition_named(name);
  std::map<std::string, unsigned> counts;
  for (const StoredEvaluation& e : world_.evaluations(rollout_))
    if (e.condition == name) counts[std::string(name_of(e.judgement.outcome))] += e.slots;
  std::string all;
  for (const auto& [outcome, n] : counts) all += outcome + " " + std::to_string(n) + " ";
  if (rest == "none") {
    if (!all.empty()) differs("no slots of " + name, all);
    return;
  }
  for (std::string part : split(rest, ',')) {
    const std::string outcome = take_word(part);
    if (!is_name(outcome, Outcome::kMissed)) unknown("outcome", outcome);
    const bool good = part == "some" ? counts[outcome] > 0 : counts[outcome] == number_in(part);
    if (!good) differs("slots " + outcome + " " + part, all);
  }
}

// What was said by the events of this type; and all types there were.
std::vector<std::string> Story::events_of(const std::string& type, std::string* all) {
  if (!is_name(type, kLastEventType)) unknown("event", type);
  std::vector<std::string> said;
  for (const StoredEvent& event : world_.events(rollout_)) {
    *all += std::string(name_of(event.event.type)) + " ";
    if (name_of(event.event.type) == type) said.push_back(event.event.summary);
  }
  return said;
}

// expect event paused; expect event paused 2; expect event note a newer rollout began
void Story::expect_event(std::string rest) {
  std::string all;
  const std::string type = take_word(rest);
  const std::vector<std::string> said = events_of(type, &all);
  if (said.empty()) differs("event " + type, all);
  if (rest.empty()) return;
  if (rest.find_first_not_of("0123456789") == std::string::npos)
    return same(std::to_string(said.size()), rest);
  const std::string text = joined(said, [](const std::string& one) { return "\"" + one + "\""; });
  contains(text, rest);
}

void Story::expect_no(std::string rest) {
  const std::string word = take_word(rest);
  if (word == "gap" && rest.empty()) return expect_no_gap();
  if (word != "event") unknown("word after no", word);
  std::string all;
  if (!events_of(rest, &all).empty()) differs("no event " + rest, all);
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

void Story::expect_explain(std::string rest) {
  current();
  const auto record = world_.explain(rollout_);
  contains(record ? record->bundle : "no record", rest);
}

// The configuration, before anything else happened.
void Story::expect_refused(std::string rest) {
  if (configured_) throw std::runtime_error("the configuration was accepted");
  std::string why = "accepted";
  try {
    configure();
  } catch (const std::exception& error) {
    why = error.what();
  }
  contains(why, rest);
}

}  // namespace rollwatch
