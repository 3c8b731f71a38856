#include "test/storage/samples.h"

#include <bit>
#include <cstdio>
#include <sstream>

namespace rollwatch {
namespace {

constexpr const char* kHard = "a \"b\" 'c' \\ {d} %_\n\xc3\xa9";

// Bit for bit, so that a NaN equals itself and 0 differs from -0.
std::string exact(double value) { return std::to_string(std::bit_cast<std::uint64_t>(value)); }

template <class T>
std::string exact(const std::optional<T>& value) {
  if (!value) return "none";
  if constexpr (std::is_same_v<T, double>) {
    return exact(*value);
  } else {
    return std::to_string(*value);
  }
}

long long ms(SysTime at) { return at.time_since_epoch().count(); }

std::string joined(const std::map<std::string, std::string>& map) {
  std::string text;
  for (const auto& [name, value] : map) text += name + "=" + value + ",";
  return text;
}

std::string joined(const std::vector<std::string>& list) {
  std::string text;
  for (const auto& element : list) text += element + ",";
  return text;
}

}  // namespace

std::string rollout_id(int number) {
  char text[32];
  std::snprintf(text, sizeof text, "ro_%08d", number);
  return text;
}

RolloutSpec full_spec(const std::string& id) {
  RolloutSpec spec;
  spec.id = id;
  spec.service = "checkout";
  spec.stable = "1.23";
  spec.candidate = "1.24";
  spec.attempt = 2;
  spec.policy = {"http", kHard};
  spec.labels = {{"tier", "web"}, {kHard, kHard}, {"", "empty name"}};
  spec.args = {{"x", "1"}};
  spec.links = {{"change", "https://example.net/1"}};
  spec.orchestrator = "deployer";
  spec.notify = {"releases"};
  spec.by = kHard;
  spec.observe = true;
  spec.created_at = kNow;
  spec.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  return spec;
}

Judgement full_judgement() {
  Judgement judgement;
  judgement.outcome = Outcome::kFail;
  judgement.cause = Cause::kBeyondLimit;
  judgement.value = 0.1 + 0.2;
  judgement.rule = Comparison{CompareOp::kGreaterEqual, 0.05};
  judgement.evidence = 812;
  judgement.min_evidence = 50.5;
  judgement.series = R"({path="/a\"b"})";
  judgement.detail = kHard;
  return judgement;
}

RolloutState full_state() {
  RolloutState state;
  state.state = State::kPaused;
  state.step = 2;
  state.step_since = kNow;
  state.hold_since = kNow - Millis(5);
  state.soak_since = kNow + Millis(7);
  state.order = OpenOrder{DecisionKind::kRollback, 3, 12.5, true, kNow, kNow + Millis(1), true};
  state.question =
      OpenQuestion{QuestionKind::kPersonPaused, 2, kNow, kNow + Millis(2), kHard, "default"};
  state.conditions_only_observe = true;
  state.deadline_at = kNow + Millis(86'400'000);
  state.lapsed = OpenOrder{DecisionKind::kAdvance, 2, 5, false, kNow, kNow};
  state.verdict = Verdict::kFailing;
  state.reached_weight = 33.3;
  state.orders_given = 3;
  state.decisions_made = 4;
  state.questions_asked = 5;
  state.evaluations = 600;
  state.revision = 700;
  state.waits_for_predecessor = true;
  state.begun = true;
  state.ready = ReadyState{2, kNow, kNow + Millis(3), true, kNow - Millis(4)};
  state.freeze = FreezeState{kNow, kHard};
  state.extension = Millis(600'000);
  state.recovery = RecoveryState{kNow + Millis(8), true};
  ConditionState condition;
  condition.phase_ms = 12'345;
  condition.last_slot = 58'910'768;
  condition.counts = {1, 2, 3, 4, 5, 4'000'000'000};
  condition.watched_from = kNow;
  condition.recent = {CountedSlot{58'910'767, Outcome::kPass, false, 0.01},
                      CountedSlot{58'910'768, Outcome::kFail, true, 0.1 + 0.2}};
  condition.fails_of_all = 2;
  condition.answers_of_all = 3;
  condition.passes_in_step = 4;
  condition.passes = 5;
  condition.silent_since = kNow;
  condition.inconclusive_since = kNow - Millis(1);
  condition.failed = true;
  condition.last = full_judgement();
  condition.last_evaluated_at = kNow;
  state.conditions = {ConditionState{}, condition};
  state.reason = kHard;
  state.waits_for = "an approval";
  state.updated_at = kNow + Millis(9);
  return state;
}

StoredEvaluation full_evaluation(std::uint32_t number) {
  StoredEvaluation evaluation;
  evaluation.number = number;
  evaluation.condition = kHard;
  evaluation.slot = kNow + Millis(number);
  evaluation.last_slot = kNow + Millis(number + 30'000);
  evaluation.slots = 2;
  evaluation.evaluated_at = kNow - Millis(15'000);
  evaluation.judgement = full_judgement();
  evaluation.step = 1;
  evaluation.duration = Millis(12);
  return evaluation;
}

Event full_event() {
  Event event;
  event.type = EventType::kDecided;
  event.at = kNow;
  event.state = State::kRollingBack;
  event.step = 1;
  event.weight = 12.5;
  event.summary = kHard;
  event.by = "engine";
  event.reason = "by hand";
  event.via = {"deployer", "2001:db8::7"};
  event.condition = "error-rate";
  event.value = 0.083;
  event.rule = "> 0.05";
  event.verdict = Verdict::kFailed;
  event.decision = 4;
  event.order = 3;
  event.kind = DecisionKind::kRollback;
  event.question = "q2";
  event.datasource = "default";
  event.is_news = true;
  return event;
}

Attempt full_attempt() {
  Attempt attempt;
  attempt.at = kNow;
  attempt.status = 503;
  attempt.error = "";
  attempt.duration = Millis(41);
  attempt.answer = kHard;
  return attempt;
}

Commit registration(const std::string& id, const std::string& target) {
  Commit commit;
  commit.rollout = id;
  StoredRollout rollout;
  rollout.spec = full_spec(id);
  rollout.spec.target = target;
  rollout.document = std::make_shared<PlanDocument>(PlanDocument{1, R"({"steps":[]})", "{}"});
  commit.insert = std::move(rollout);
  commit.state.emplace();
  commit.state->updated_at = kNow;
  return commit;
}

Commit step(const std::string& id, unsigned revision) {
  Commit commit;
  commit.rollout = id;
  commit.state.emplace();
  commit.state->state = State::kAnalyzing;
  commit.state->revision = revision;
  commit.state->evaluations = revision;
  commit.state->updated_at = kNow + Millis(revision);
  commit.evaluations.push_back(full_evaluation(revision));
  commit.events.push_back(full_event());
  return commit;
}

Commit ending(const std::string& id, SysTime ended_at) {
  Commit commit;
  commit.rollout = id;
  commit.state.emplace();
  commit.state->state = State::kPromoted;
  commit.state->ended_at = ended_at;
  commit.state->updated_at = ended_at;
  return commit;
}

Delivery order(const std::string& id, SysTime created_at) {
  Delivery delivery;
  delivery.id = id;
  delivery.kind = "advance";
  delivery.target = "deployer";
  delivery.number = 1;
  delivery.weight = 12.5;
  delivery.created_at = created_at;
  delivery.expires_at = created_at + Millis(300'000);
  delivery.payload = R"({"step":1})";
  return delivery;
}

Delivery notification(const std::string& id) {
  Delivery delivery = order(id);
  delivery.cls = DeliveryClass::kNotification;
  delivery.kind = "paused";
  delivery.target = "releases";
  delivery.number = 0;
  return delivery;
}

std::string text_of(const RolloutSpec& spec) {
  std::ostringstream text;
  text << spec.id << '|' << spec.ns << '|' << spec.service << '|' << spec.target << '|'
       << spec.stable << '|' << spec.candidate << '|' << spec.attempt << '|' << joined(spec.policy)
       << '|' << joined(spec.labels) << '|' << joined(spec.args) << '|' << joined(spec.links) << '|'
       << spec.orchestrator << '|' << joined(spec.notify) << '|' << spec.by << '|' << spec.observe
       << '|' << spec.traceparent.text() << '|' << ms(spec.created_at);
  return text.str();
}

std::string text_of(const StoredEvaluation& e) {
  const Judgement& j = e.judgement;
  std::ostringstream text;
  text << e.number << '|' << e.condition << '|' << ms(e.slot) << '|' << ms(e.last_slot) << '|'
       << e.slots << '|' << ms(e.evaluated_at) << '|' << name_of(j.outcome) << '|'
       << name_of(j.cause) << '|' << exact(j.value) << '|' << (j.rule ? to_string(*j.rule) : "none")
       << '|' << exact(j.evidence) << '|' << exact(j.min_evidence) << '|' << j.series << '|'
       << j.detail.text() << '|' << e.step << '|' << e.duration.count();
  return text.str();
}

std::string text_of(const Event& e) {
  std::ostringstream text;
  text << name_of(e.type) << '|' << ms(e.at) << '|' << name_of(e.state) << '|' << e.step << '|'
       << exact(e.weight) << '|' << e.summary << '|' << e.by << '|' << e.reason << '|'
       << e.via.token << '|' << e.via.address << '|' << e.condition << '|' << exact(e.value) << '|'
       << e.rule << '|' << name_of(e.verdict) << '|' << exact(e.decision) << '|' << exact(e.order)
       << '|' << (e.kind ? name_of(*e.kind) : "none") << '|' << e.question << '|' << e.datasource
       << '|' << e.is_news;
  return text.str();
}

std::string text_of(const Delivery& d) {
  std::ostringstream text;
  text << d.id << '|' << (d.cls == DeliveryClass::kOrder ? "order" : "notification") << '|'
       << d.kind << '|' << d.rollout << '|' << d.target << '|' << d.number << '|' << exact(d.weight)
       << '|' << d.fence << '|' << name_of(d.state) << '|' << ms(d.created_at) << '|'
       << ms(d.expires_at) << '|' << ms(d.accepted_until) << '|' << d.payload;
  for (const Attempt& a : d.attempts) {
    text << "|[" << ms(a.at) << ' ' << exact(a.status) << ' ' << a.error << ' '
         << a.duration.count() << ' ' << a.answer << ']';
  }
  return text.str();
}

}  // namespace rollwatch
