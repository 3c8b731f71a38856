#include "test/model/seen.h"

#include <algorithm>
#include <map>
#include <sstream>

#include "analysis/slots.h"
#include "analysis/time.h"

namespace rollwatch::model {
namespace {

std::string word(bool yes) { return yes ? "yes" : "no"; }
std::string word(unsigned n) { return std::to_string(n); }
std::string word(int n) { return std::to_string(n); }
std::string word(std::int64_t n) { return std::to_string(n); }
std::string word(double value) { return format_exact(value); }
std::string word(SysTime at) { return format_time(at).substr(8); }
std::string word(const std::string& text) { return text.substr(0, 60); }
std::string word(const SeenDecision& d);
std::string word(const SeenOrder& o);
std::string word(const SeenSlots& s);
template <class Named>
requires requires(Named named) { name_of(named); }
std::string word(Named named) { return std::string(name_of(named)); }
template <class T>
std::string word(const std::optional<T>& value) {
  return value ? word(*value) : "none";
}
template <class T>
std::string word(const std::vector<T>& values) {
  std::string text;
  for (const T& value : values) text += (text.empty() ? "" : ", ") + word(value);
  return text.empty() ? "none" : text;
}
std::string word(const SeenDecision& d) {
  return (d.would_have ? "would-have-" : "") + word(d.kind) + "(" + word(d.by) +
         (d.condition ? ", c" + std::to_string(*d.condition) : "") +
         (d.by_alerts ? ", alerts" : "") + ")";
}
std::string word(const SeenOrder& o) {
  return word(o.kind) + " " + word(o.weight) + " %, #" + word(o.number) +
         (o.accepted ? ", accepted" : "");
}
std::string word(const SeenSlots& s) {
  return "c" + std::to_string(s.condition) + " " + word(s.first) + ".." + word(s.last) + " " +
         word(s.judged.outcome) + " " + word(s.judged.cause) + " " + word(s.judged.value) + " [" +
         word(s.judged.evidence) + "]";
}
std::string word(const SeenCondition& c) {
  std::string text = word(c.verdict) + ", next " + word(c.next_slot) + ", counts";
  for (const std::uint32_t count : c.counts) text += " " + std::to_string(count);
  return text;
}

class Differences {
 public:
  template <class T>
  void of(const std::string& name, const T& real, const T& model) {
    if (!(real == model)) text_ += name + ": " + word(real) + "; model: " + word(model) + "\n";
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

}  // namespace

Seen seen_of(Fixed fixed, const RolloutState& state, const Transition& step) {
  Seen seen;
  seen.refused = step.refusal.has_value();
  for (const Decision& d : step.decisions)
    seen.decisions.push_back({d.kind, d.by, d.would_have, d.condition, d.by_alerts});
  for (const Order& o : step.orders) seen.orders.push_back({o.kind, o.number, o.weight, false});
  seen.withdrawn = step.withdrawn;
  seen.settled = step.settled;
  for (const Evaluation& e : step.evaluations) {
    const Judgement& j = e.judgement;
    seen.slots.push_back(
        {e.condition, e.slot, e.last_slot, {j.outcome, j.cause, j.value, j.evidence}});
  }
  for (const Event& event : step.events)
    if (std::find(kToldTypes.begin(), kToldTypes.end(), event.type) != kToldTypes.end())
      seen.told.push_back(event.type);
  seen.state = state.state;
  seen.step = state.step;
  seen.weight = step_weight(fixed.plan, state);
  seen.reached = state.reached_weight;
  seen.verdict = state.verdict;
  for (std::size_t i = 0; i < state.conditions.size(); ++i)
    seen.conditions.push_back({verdict_of(fixed, state, i),
                               next_slot(fixed.plan.conditions[i], state.conditions[i], Millis{0}),
                               state.conditions[i].counts});
  std::map<std::string, bool> alerts;
  for (const FiringAlert& alert : state.alerts->firing) alerts[alert.fingerprint] = alert.counts;
  for (const auto& [fingerprint, counts] : alerts)
    seen.alerts += fingerprint + (counts ? " counts, " : " does not, ");
  if (state.alerts->failed) seen.alerts += "failed";
  if (state.order)
    seen.order = {state.order->kind, state.order->number, state.order->weight,
                  state.order->accepted};
  if (state.question) seen.question = state.question->kind;
  seen.questions = state.questions_asked;
  seen.timer = next_timer(fixed, state);
  seen.watching = is_watching(state);
  seen.may_begin = may_begin(fixed, state);
  return seen;
}

std::string difference(const Seen& real, const Seen& model) {
  Differences all;
  all.of("refused", real.refused, model.refused);
  all.of("decisions", real.decisions, model.decisions);
  all.of("orders given", real.orders, model.orders);
  all.of("withdrawn", real.withdrawn, model.withdrawn);
  all.of("settled", real.settled, model.settled);
  all.of("slots", real.slots, model.slots);
  all.of("told", real.told, model.told);
  all.of("state", real.state, model.state);
  all.of("step", real.step, model.step);
  all.of("weight", real.weight, model.weight);
  all.of("reached", real.reached, model.reached);
  all.of("verdict", real.verdict, model.verdict);
  for (std::size_t i = 0; i < real.conditions.size(); ++i)
    all.of("c" + std::to_string(i), real.conditions[i], model.conditions[i]);
  all.of("alerts", real.alerts, model.alerts);
  all.of("order", real.order, model.order);
  all.of("question", real.question, model.question);
  all.of("questions", real.questions, model.questions);
  all.of("timer", real.timer, model.timer);
  all.of("watching", real.watching, model.watching);
  all.of("may begin", real.may_begin, model.may_begin);
  return all.text();
}

}  // namespace rollwatch::model
