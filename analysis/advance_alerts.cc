// What an alert does to a rollout, and when. A failed condition with fail_after = 1, but for this:
// an alert that was there before the rollout's first step began says nothing about the new version,
// one that a person's yes has been given to is not asked about again, and a repeat is nothing new.
#include <algorithm>

#include "analysis/alerts.h"
#include "analysis/mover.h"
#include "analysis/render.h"
#include "analysis/text.h"

namespace rollwatch {
namespace {

constexpr std::size_t kLongestLabels = 500;
constexpr std::size_t kLongestUrl = 1000;  // a longer one would lead nowhere if it was cut

std::string named(const FiringAlert& alert) {
  return "alert " + alert.name +
         (alert.labels.empty() ? "" : "{" + cut(alert.labels, kLongestSentence / 3) + "}");
}

FiringAlert alert_of(const AlertChanged& input) {
  FiringAlert alert;
  alert.fingerprint = input.fingerprint;
  alert.name = cut(input.name, kLongestSentence / 3);
  alert.labels = cut(input.labels, kLongestLabels);
  alert.summary = cut(input.summary, kLongestSentence);
  if (input.generator_url.size() <= kLongestUrl) alert.generator_url = input.generator_url;
  alert.starts_at = input.starts_at;
  return alert;
}

// Room for one more: the oldest that decides nothing goes first. False: all that are kept count, so
// that the condition has failed long ago.
bool make_room(AlertsState& alerts) {
  if (alerts.firing.size() < kMostFiringAlerts) return true;
  const auto idle = std::ranges::find(alerts.firing, false, &FiringAlert::counts);
  if (idle == alerts.firing.end()) return false;
  alerts.firing.erase(idle);
  return true;
}

void show(Mover& m, bool fires, const std::string& text) {
  AlertsState& alerts = m.state().alerts.made();
  alerts.last_at = m.now;
  alerts.last_fires = fires;
  alerts.last_text = cut(text, kLongestSentence);
}

void note(Mover& m, const std::string& text) {
  m.tell(EventType::kNote, text).condition = kAlertsName;
}

void decide_nothing(Mover& m, bool pauses, const std::string& sentence) {
  Decision would;
  would.number = ++m.state().decisions_made;
  would.kind = pauses ? DecisionKind::kPause : DecisionKind::kRollback;
  would.by = kEngine;
  would.reason = sentence;
  would.by_alerts = true;
  would.would_have = true;
  would.at = m.now;
  m.out.decisions.push_back(std::move(would));
}

void on_alerts_failed(Mover& m, const std::string& text) {
  const bool pauses = m.fixed.plan.alerts->on_fire == OnFail::kPause;
  const std::string sentence = cut(text, kLongestSentence);
  const bool decides = alerts_gate(m.fixed.plan, m.state());
  const std::string would_have = pauses ? "would have paused: " : "would have rolled back: ";
  m.tell(EventType::kConditionFailed, decides ? sentence : would_have + sentence).condition =
      kAlertsName;
  if (!decides) return decide_nothing(m, pauses, sentence);
  const std::size_t decisions = m.out.decisions.size();
  const std::size_t events = m.out.events.size();
  if (pauses)
    pause_for_failed(m, QuestionKind::kAlertFires, sentence, std::nullopt);
  else
    m.roll_back(kEngine, sentence);
  for (std::size_t i = decisions; i < m.out.decisions.size(); ++i)
    m.out.decisions[i].by_alerts = true;
  for (std::size_t i = events; i < m.out.events.size(); ++i) {
    Event& event = m.out.events[i];
    if (event.type == EventType::kDecided || event.type == EventType::kPaused)
      event.condition = kAlertsName;
  }
}

void fires(Mover& m, const AlertChanged& input) {
  AlertsState& alerts = m.state().alerts.made();
  const auto known = std::ranges::find(alerts.firing, input.fingerprint, &FiringAlert::fingerprint);
  if (known != alerts.firing.end()) {
    if (input.starts_at <= known->starts_at) return;  // told again, or by another of a pair
    alerts.firing.erase(known);                       // it was resolved in between, and nobody told
  }
  if (!make_room(alerts)) return;
  FiringAlert alert = alert_of(input);
  // Whatever fires before the first step began is not the new version's doing.
  alert.counts = alerts.since && alert.starts_at >= *alerts.since;
  const bool counts = alert.counts;
  const std::string sentence = alert_sentence(alert);
  alerts.firing.push_back(std::move(alert));
  show(m, true, sentence);
  if (!counts)
    return note(m, cut(sentence, kLongestSentence - 60) +
                       "; it fires since before this rollout began, and decides nothing");
  ++alerts.fired;
  if (alerts.failed || m.state().state == State::kRollingBack) return note(m, sentence);
  alerts.failed = true;
  on_alerts_failed(m, sentence);
}

void resolves(Mover& m, const AlertChanged& input) {
  AlertsState& alerts = m.state().alerts.made();
  const auto known = std::ranges::find(alerts.firing, input.fingerprint, &FiringAlert::fingerprint);
  if (known == alerts.firing.end()) return;
  if (input.ends_at && *input.ends_at < known->starts_at) return;  // the time before this one
  const std::string sentence = named(*known) + " is resolved";
  alerts.firing.erase(known);
  ++alerts.resolved;
  show(m, false, sentence);
  // What was decided stays decided, and an open question is a person's to answer.
  if (!any_alert_counts(alerts) && m.state().state != State::kRollingBack) alerts.failed = false;
  note(m, sentence);
}

}  // namespace

std::optional<AlertLabels> alert_labels(const Plan& plan, const RolloutSpec& spec) {
  if (!plan.alerts) return std::nullopt;
  AlertLabels wanted;
  for (const SelectLabel& label : plan.alerts->match) {
    auto value = render_select(label, spec);
    if (!value) return std::nullopt;
    wanted.emplace(label.name, *std::move(value));
  }
  return wanted;
}

bool alert_matches(const AlertLabels& wanted, const AlertLabels& labels) {
  const auto own = labels.find(std::string(kOwnAlertLabel));
  if (own != labels.end() && own->second == kOwnAlertValue) return false;
  return std::ranges::all_of(wanted, [&labels](const auto& one) {
    const auto label = labels.find(one.first);
    return label != labels.end() && label->second == one.second;
  });
}

std::string alert_sentence(const FiringAlert& alert) {
  return named(alert) + " fires" + (alert.summary.empty() ? "" : ": " + alert.summary);
}

bool any_alert_counts(const AlertsState& alerts) {
  return std::ranges::any_of(alerts.firing, &FiringAlert::counts);
}

Verdict alerts_verdict(const RolloutState& state) {
  const AlertsState& alerts = *state.alerts;
  if (alerts.failed) return Verdict::kFailed;
  if (any_alert_counts(alerts)) return Verdict::kFailing;
  if (state.state == State::kPromoted) return Verdict::kPassed;
  return alerts.since ? Verdict::kPassing : Verdict::kPending;
}

bool alerts_gate(const Plan& plan, const RolloutState& state) {
  return plan.alerts && plan.alerts->on_fire != OnFail::kObserve && !state.conditions_only_observe;
}

std::string alerts_rule(const Plan& plan, const RolloutSpec& spec) {
  std::string text;
  for (const SelectLabel& label : plan.alerts->match) {
    const auto value = render_select(label, spec);
    text += (text.empty() ? "" : ", ") + label.name + "=\"" + (value ? *value : "?") + "\"";
  }
  return text;
}

bool alerts_hold(const Position& m) {
  return alerts_gate(m.fixed.plan, m.state()) && any_alert_counts(*m.state().alerts);
}

void ask_about_alerts(Mover& m) {
  const RolloutState& s = m.state();
  if (s.state != State::kAnalyzing || !s.alerts->failed || !alerts_gate(m.fixed.plan, s)) return;
  m.pause(QuestionKind::kAlertFires, kEngine, "an alert fired before: " + s.alerts->last_text);
  m.out.decisions.back().by_alerts = true;
}

void on_alert(Mover& m, const AlertChanged& input) {
  if (!m.fixed.plan.alerts || is_final(m.state().state)) return;
  if (input.firing)
    fires(m, input);
  else
    resolves(m, input);
}

}  // namespace rollwatch
