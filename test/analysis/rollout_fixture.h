// A rollout played in virtual time, told in the words of the domain:
//
//   Rollout r(two_steps(condition("error-rate", "> 0.05")));
//   r.play("begin ack pass fail fail fail");
//   EXPECT_EQ(r.show(), "rolling_back step 0 (5 %) failed, out: rollback 0 %");
//
// Slots lie on a grid of 10 s with phase 0; each word for a slot moves the clock to the next one.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/advance.h"
#include "analysis/slots.h"
#include "analysis/text.h"
#include "analysis/time.h"
#include "test/analysis/plan_fixture.h"

namespace rollwatch {

class Rollout {
 public:
  explicit Rollout(Plan plan, std::string orchestrator = "deployer", bool observe = false)
      : plan_(std::move(plan)) {
    spec_.id = "ro_1";
    spec_.service = "checkout";
    spec_.stable = "1.23";
    spec_.candidate = "1.24";
    spec_.orchestrator = std::move(orchestrator);
    spec_.by = "ci";
    spec_.observe = observe;
    take(registered(fixed(), now));
    for (ConditionState& c : state.conditions) c.phase_ms = 0;
  }

  SysTime now = *parse_time("2026-01-02T03:00:00Z");
  Millis delay{0};  // of the ingestion
  RolloutState state;
  Transition last;                  // of the latest word
  std::vector<Decision> decisions;  // all that were made
  std::vector<Order> orders;        // all that were given
  std::vector<Event> events;
  std::vector<Evaluation> evaluations;
  std::vector<unsigned> withdrawn;

  Fixed fixed() const { return {spec_, plan_}; }
  const Plan& plan() const { return plan_; }

  // ---- What happens

  // Returns the refusal, "" if there is none.
  std::string happens(const Input& input) { return take(advance(fixed(), state, input, now)); }

  void begin() { happens(Begin{}); }
  void order_ends(unsigned number, OrderEnd end, const std::string& detail = "") {
    happens(OrderEnded{number, end, detail});
  }
  void ack() { order_ends(open_order(), OrderEnd::kDone); }
  std::string person(DecisionKind kind, const std::string& reason = "",
                     std::optional<std::string> question = std::nullopt) {
    return happens(PersonDecided{kind, "alice", reason, std::move(question)});
  }
  std::string report(double weight) { return happens(WeightReported{weight, now, "argo"}); }
  std::string extend(Millis span) {
    return happens(PersonDecided{DecisionKind::kExtend, "alice", "", std::nullopt, span});
  }
  void freeze() { happens(FreezeChanged{"frozen by ana: stocktaking"}); }
  void thaw() { happens(FreezeChanged{}); }
  // One that began so long ago.
  void alert(const std::string& name, bool firing = true, Millis ago = Millis{0}) {
    AlertChanged change;
    change.fingerprint = change.name = name;
    change.labels = "severity=\"page\"";
    change.summary = "5 % fail";
    change.generator_url = "http://prometheus/graph?g0.expr=up";
    change.firing = firing;
    change.starts_at = firing ? now - ago : alerts_at_[name];
    if (firing) alerts_at_[name] = change.starts_at;
    if (!firing) change.ends_at = now;
    happens(change);
  }
  void predecessor(bool rolling_back) { happens(PredecessorRollingBack{rolling_back}); }
  std::string send_again() { return happens(RollbackSentAgain{"alice", ""}); }
  void superseded() { happens(SupersededBy{"ro_2", "1.25"}); }

  void slot(const std::string& condition, double value) { answer(condition, vector_of(value)); }
  void no_data(const std::string& condition) {
    answer(condition, Answer{Vector{}, {}, false, nullptr, {}});
  }
  void error(const std::string& condition) {
    answer(condition, Answer{QueryFailure{FailureKind::kTimeout, "no answer within 10s", 0},
                             {},
                             false,
                             nullptr,
                             {}});
  }
  void answer(const std::string& condition, const Answer& value, double events = 1000) {
    const std::size_t i = index_of(condition);
    SlotAnswered input;
    input.value = value;
    const auto* kind = std::get_if<ThresholdCondition>(&plan_.conditions[i].kind);
    if (kind != nullptr && kind->evidence) input.evidence = vector_of(events);
    next_is(i, std::move(input));
  }
  // Of one that compares, as questions_of() asks.
  void answer_arms(const std::string& condition, std::vector<Answer> arms) {
    SlotAnswered input;
    input.arms = std::move(arms);
    next_is(index_of(condition), std::move(input));
  }
  void missed(const std::string& condition, std::int64_t slots = 1,
              Cause cause = Cause::kMissedLate) {
    const std::size_t i = index_of(condition);
    const auto first = next_slot(plan_.conditions[i], state.conditions[i], delay);
    if (!first) {
      ADD_FAILURE() << condition << " is not watched: " << show();
      return;
    }
    const SysTime at = grid_of(plan_.conditions[i], state.conditions[i]).at(*first + slots - 1);
    now = std::max(now, at);
    happens(SlotsMissed{i, *first, *first + slots - 1, at - delay, cause});
  }

  // The daemon was away (or the clock jumped ahead) for this long: as the engine tells it
  // afterwards.
  void away(Millis span, Cause cause = Cause::kMissedDowntime) {
    now += span;
    for (std::size_t i = 0; i < state.conditions.size() && is_watching(state); ++i) {
      const Grid grid = grid_of(plan_.conditions[i], state.conditions[i]);
      const auto first = next_slot(plan_.conditions[i], state.conditions[i], delay);
      const std::int64_t end = grid.last_at_or_before(now);
      if (first && *first <= end) happens(SlotsMissed{i, *first, end, grid.at(end) - delay, cause});
    }
    happens(WatchResumed{cause});
  }

  // Time goes by, and every timer rings at its moment; no slots.
  void wait(Millis span) {
    const SysTime until = now + span;
    for (int rings = 0; rings < 1000; ++rings) {
      const auto timer = next_timer(fixed(), state);
      if (!timer || *timer > until) break;
      now = std::max(now, *timer);
      happens(TimePassed{});
      EXPECT_TRUE(last.changed()) << "a timer rang for nothing: " << show();
    }
    now = until;
  }

  // ---- A story in one line
  //   begin ack accept refuse expire late-ack superseded
  //   pass fail between empty nan error missed few(events) none(events), for the first condition;
  //     with "latency:fail" for another one, and "pass*3" three times
  //   advance promote pause resume rollback cancel extend=10m: by alice
  //   freeze freeze-all thaw: by ana; behind clear: an earlier rollout's rollback; newer no-newer:
  //     one that waits to begin; older no-older: one that is under way
  //   send-again: the rollback that failed, by alice
  //   alert other-alert, old-alert (an hour old), same-alert (told again), resolved
  //   report=25, wait=30s, away=10m, jump=10m (the clock)
  void play(std::string_view story) {
    std::istringstream words{std::string(story)};
    for (std::string word; words >> word;) {
      int times = 1;
      if (const auto star = word.find('*'); star != std::string::npos) {
        times = std::stoi(word.substr(star + 1));
        word.resize(star);
      }
      while (times-- > 0) say(word);
    }
  }

  // ---- What it looks like

  // "paused step 0 (5 %) passing, asks: no_answers, out: pause 5 %"
  std::string show() const {
    std::string text(name_of(state.state));
    if (state.step >= 0) text += " step " + std::to_string(state.step);
    if (const auto weight = step_weight(plan_, state)) text += " (" + percent(*weight) + ")";
    text += " " + std::string(name_of(state.verdict));
    if (state.question) text += ", asks: " + std::string(name_of(state.question->kind));
    if (state.order)
      text +=
          ", out: " + std::string(name_of(state.order->kind)) + " " + percent(state.order->weight);
    return text;
  }

  // "advance pause(alice) would-have-rollback"
  std::string decided() const {
    std::string text;
    for (const Decision& d : decisions) {
      if (!text.empty()) text += " ";
      if (d.would_have) text += "would-have-";
      text += name_of(d.kind);
      if (d.by != "engine") text += "(" + d.by + ")";
    }
    return text;
  }

  std::string ordered() const {
    std::string text;
    for (const Order& o : orders) {
      if (!text.empty()) text += ", ";
      text += std::string(name_of(o.kind)) + " " + percent(o.weight);
    }
    return text;
  }

  int told(EventType type) const {
    int count = 0;
    for (const Event& event : events) count += event.type == type ? 1 : 0;
    return count;
  }

  const ConditionState& of(const std::string& condition) const {
    return state.conditions[index_of(condition)];
  }

 private:
  // The condition's next slot, at its time.
  void next_is(std::size_t i, SlotAnswered input) {
    const auto next = next_slot(plan_.conditions[i], state.conditions[i], delay);
    if (!next) {
      ADD_FAILURE() << plan_.conditions[i].name << " is not watched: " << show();
      return;
    }
    const SysTime at = grid_of(plan_.conditions[i], state.conditions[i]).at(*next);
    now = std::max(now, at);
    input.condition = i;
    input.slot = *next;
    input.evaluated_at = at - delay;
    happens(input);
  }

  static Answer vector_of(double value) {
    return Answer{Vector{{Series{{}, value}}}, {}, false, nullptr, Millis(3)};
  }

  unsigned open_order() const {
    if (!state.order) ADD_FAILURE() << "no order is out: " << show();
    return state.order ? state.order->number : 0;
  }

  std::size_t index_of(const std::string& name) const {
    for (std::size_t i = 0; i < plan_.conditions.size(); ++i)
      if (plan_.conditions[i].name == name) return i;
    throw std::invalid_argument(name);
  }

  std::string take(Transition t) {
    last = std::move(t);
    if (last.refusal) return *last.refusal;
    state = last.state;
    const auto append = [](auto& to, const auto& from) {
      to.insert(to.end(), from.begin(), from.end());
    };
    append(decisions, last.decisions);
    append(orders, last.orders);
    append(events, last.events);
    append(evaluations, last.evaluations);
    append(withdrawn, last.withdrawn);
    return "";
  }

  void say(const std::string& word) {
    if (const auto equals = word.find('='); equals != std::string::npos) {
      const std::string verb = word.substr(0, equals);
      const std::string rest = word.substr(equals + 1);
      if (verb == "report") return void(report(std::stod(rest)));
      if (verb == "wait") return wait(duration(rest));
      if (verb == "away") return away(duration(rest));
      if (verb == "jump") return away(duration(rest), Cause::kMissedClockJump);
      if (verb == "extend") return void(extend(duration(rest)));
    }
    if (word == "begin") return begin();
    if (word == "ack") return ack();
    if (word == "accept") return order_ends(open_order(), OrderEnd::kAccepted);
    if (word == "refuse") return order_ends(open_order(), OrderEnd::kRefused, "not now");
    if (word == "expire") return order_ends(open_order(), OrderEnd::kExpired);
    if (word == "late-ack") return order_ends(state.orders_given, OrderEnd::kDone);
    if (word == "superseded") return superseded();
    if (word == "freeze") return freeze();
    if (word == "freeze-all")
      return void(happens(FreezeChanged{"everything is frozen by ana: stocktaking"}));
    if (word == "thaw") return thaw();
    if (word == "older" || word == "no-older") return void(happens(OlderActive{word == "older"}));
    if (word == "send-again") return void(send_again());
    if (word == "newer" || word == "no-newer") return void(happens(NewerWaits{word == "newer"}));
    if (word == "alert") return alert("Slow");
    if (word == "other-alert") return alert("Broken");
    if (word == "old-alert") return alert("Slow", true, std::chrono::hours{1});
    if (word == "same-alert") return alert("Slow", true, now - alerts_at_.at("Slow"));
    if (word == "resolved") return alert("Slow", false);
    if (word == "behind" || word == "clear") return predecessor(word == "behind");
    if (const auto kind = decision_kind(word)) {
      EXPECT_EQ(person(*kind), "") << word << " in " << show();
      return;
    }
    const auto colon = word.find(':');
    const std::string name =
        colon == std::string::npos ? plan_.conditions.front().name : word.substr(0, colon);
    const std::string outcome = colon == std::string::npos ? word : word.substr(colon + 1);
    const bool counts = plan_.conditions[index_of(name)].is_readiness;
    if (outcome == "pass") return slot(name, counts ? 3 : 0.01);
    if (outcome == "between") return slot(name, 0.03);
    if (outcome == "fail") return slot(name, counts ? 2 : 0.09);
    if (outcome == "nan") return slot(name, std::numeric_limits<double>::quiet_NaN());
    if (outcome == "empty") return no_data(name);
    if (outcome == "error") return error(name);
    if (outcome == "missed") return missed(name);
    if (outcome == "few") return answer(name, vector_of(0.01), 12);
    if (outcome == "none") return answer(name, vector_of(0.01), 0);
    throw std::invalid_argument(word);
  }

  RolloutSpec spec_;
  Plan plan_;
  std::map<std::string, SysTime> alerts_at_;
};

// A story and how it ends: a row of most tables.
struct StoryRow {
  const char* name;
  std::function<void(Plan&)> plan;  // what differs from error_rate(); may be empty
  const char* story;
  const char* ends;
};

inline void expect_stories(const std::vector<StoryRow>& rows,
                           const std::string& orchestrator = "deployer") {
  for (const StoryRow& row : rows) {
    SCOPED_TRACE(std::string(row.name) + ": " + row.story);
    Plan plan = error_rate();
    if (row.plan) row.plan(plan);
    Rollout r(std::move(plan), orchestrator);
    r.play(row.story);
    EXPECT_EQ(r.show(), row.ends);
  }
}

}  // namespace rollwatch
