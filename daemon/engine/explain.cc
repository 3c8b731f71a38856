#include "daemon/engine/explain.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "analysis/alerts.h"
#include "analysis/compare/standing.h"
#include "analysis/graph_link.h"
#include "analysis/judge.h"
#include "analysis/mover.h"
#include "analysis/render.h"
#include "analysis/slots.h"
#include "daemon/engine/comparison_json.h"

namespace rollwatch {
namespace {

using Json = nlohmann::ordered_json;
constexpr std::size_t kLongestResponse = 64 * 1024;

std::string sha256_hex(const std::string& bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha256(), nullptr);
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  for (unsigned i = 0; i < length; ++i) {
    text += kHex[digest[i] >> 4U];
    text += kHex[digest[i] & 15U];
  }
  return text;
}

std::string shell_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'')
      out += "'\\''";
    else
      out += c;
  }
  return out + "'";
}

Json number(const std::optional<double>& value) {
  return value && std::isfinite(*value) ? Json(*value) : Json(nullptr);
}

Json optional_text(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

Json rule_json(const ConditionState& c, const ConditionPlan& plan) {
  return optional_text(c.last ? rule_text(*c.last, plan) : rule_text(plan));
}

// Seconds with three decimals, as `time=` takes them.
std::string unix_seconds(SysTime at) {
  const auto millis = at.time_since_epoch().count();
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%lld.%03lld", static_cast<long long>(millis / 1000),
                static_cast<long long>(millis % 1000));
  return text.data();
}

// "8 of 100 failing" arithmetic in one sentence: what was compared, and what the count came to.
std::string arithmetic(const ConditionPlan& plan, const ConditionState& c) {
  if (!c.last) return "";
  std::string text = describe(*c.last);
  if (comparison_of(plan) != nullptr) return text;
  if (c.last->value && c.last->rule)
    text = format_exact(*c.last->value) + " " + to_string(*c.last->rule) + " is " +
           (c.last->rule->holds(*c.last->value) ? "true" : "false");
  if (c.last->evidence)
    text += ", over " + format_number(*c.last->evidence) + " events (at least " +
            format_number(c.last->min_evidence) + " are needed for a pass)";
  text += "; " + std::to_string(fails_in_window(plan, c)) + " failing of ";
  text += plan.within == kWithinAll ? "all " + std::to_string(c.answers_of_all)
                                    : "the last " + std::to_string(c.recent.size());
  return text + " with an answer, " + std::to_string(plan.fail_after) + " would fail it";
}

Json response_text(const std::shared_ptr<const std::string>& raw) {
  if (!raw) return nullptr;
  // Not UTF-8 is shown with replacement characters, not refused: the hash is of the bytes as
  // received.
  return raw->size() <= kLongestResponse ? *raw : raw->substr(0, kLongestResponse);
}

std::string sample_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return format_exact(value);
}

// This rollout's share of an answer to many, as the server would have sent it: the others' series
// are nobody's business who may see this rollout only.
Json share_text(const Answer& share, const JoinedQuestion& shared, SysTime at) {
  const auto* vector = std::get_if<Vector>(&share.result);
  if (vector == nullptr) return nullptr;
  Json result = Json::array();
  for (const Series& series : vector->series) {
    Json metric = Json::object();
    for (const Label& label : series.labels) metric[label.name] = label.value;
    for (const Label& label : shared.picks) metric[label.name] = label.value;
    const double seconds = static_cast<double>(at.time_since_epoch().count()) / 1000;
    result.push_back({{"metric", metric}, {"value", {seconds, sample_text(series.value)}}});
  }
  const Json whole = {{"status", "success"},
                      {"data", {{"resultType", "vector"}, {"result", std::move(result)}}}};
  return whole.dump(-1, ' ', false, Json::error_handler_t::replace).substr(0, kLongestResponse);
}

// An answer as it came, how to ask for it again, and with whom it was asked. The hash is of the
// whole.
void add_answer(Json& to, const Asked& asked, const std::string& query, const Answer* answer,
                const JoinedPtr& shared) {
  const auto raw = answer == nullptr ? nullptr : answer->raw;
  to["response"] = shared && answer != nullptr ? share_text(*answer, *shared, asked.evaluated_at)
                                               : response_text(raw);
  to["response_sha256"] = raw ? Json(sha256_hex(*raw)) : Json(nullptr);
  to["curl"] = curl_line(asked, query);
  if (answer != nullptr && answer->shared_with > 0) to["shared_with"] = answer->shared_with;
  if (!shared) return;
  for (const Label& label : shared->picks) to["picked_by"][label.name] = label.value;
  to["query_alone"] = shared->alone.str();
}

// Each version's question with its answer, as it can be asked again.
Json arms_json(const Asked& asked) {
  Json arms = Json::array();
  for (const AskedArm& arm : asked.arms) {
    Json one{{"version", name_of(arm.arm)},
             {"counts", arm.is_bad ? "bad_events" : "all"},
             {"query", arm.query.str()}};
    add_answer(one, asked, arm.query.str(), &arm.answer, nullptr);
    arms.push_back(std::move(one));
  }
  return arms;
}

Json evaluation_of(const Asked& asked, Fixed fixed, const RolloutState& after) {
  const ConditionPlan& plan = fixed.plan.conditions[asked.condition];
  const ConditionState& c = after.conditions[asked.condition];
  Json e;
  e["query"] = asked.query.str();
  e["time"] = format_time(asked.evaluated_at);
  e["datasource"] = asked.datasource;
  add_answer(e, asked, asked.query.str(), &asked.value, asked.shared);
  e["warnings"] = asked.value.warnings;
  e["value"] = c.last ? number(c.last->value) : Json(nullptr);
  e["rule"] = rule_json(c, plan);
  e["outcome"] = c.last ? Json(name_of(c.last->outcome)) : Json(nullptr);
  e["series"] = c.last ? optional_text(c.last->series) : Json(nullptr);
  e["arithmetic"] = arithmetic(plan, c);
  if (!asked.arms.empty()) e["arms"] = arms_json(asked);
  const SharedText& own = asked.shared ? asked.shared->alone : asked.query;
  e["graph_url"] =
      graph_link(asked.datasource_url, own.str(), asked.evaluated_at, fixed.spec.created_at);
  if (asked.evidence_query) {
    Json evidence;
    evidence["query"] = asked.evidence_query->str();
    add_answer(evidence, asked, asked.evidence_query->str(),
               asked.evidence ? &*asked.evidence : nullptr, asked.shared_evidence);
    evidence["value"] = c.last ? number(c.last->evidence) : Json(nullptr);
    e["evidence"] = std::move(evidence);
  }
  return e;
}

Json window_of(const ConditionPlan& plan, const ConditionState& c) {
  Json window = Json::array();
  for (const CountedSlot& slot : c.recent) {
    window.push_back({{"slot", format_time(grid_of(plan, c).at(slot.slot))},
                      {"outcome", name_of(slot.outcome)},
                      {"failing", slot.failing},
                      {"value", number(slot.value)}});
  }
  return window;
}

Json alert_json(const FiringAlert& alert) {
  return {{"name", alert.name},
          {"labels", alert.labels},
          {"summary", optional_text(alert.summary)},
          {"generator_url", optional_text(alert.generator_url)},
          {"fingerprint", alert.fingerprint},
          {"starts_at", format_time(alert.starts_at)},
          {"counts", alert.counts}};
}

Json alerts_sibling(Fixed fixed, const RolloutState& after) {
  const AlertsState& alerts = *after.alerts;
  return {{"name", kAlertsName},
          {"verdict", name_of(alerts_verdict(after))},
          {"outcome", nullptr},
          {"value", nullptr},
          {"rule", alerts_rule(fixed.plan, fixed.spec)},
          {"detail", alerts.last_at ? alerts.last_text : std::string("no alert was told")}};
}

Json sibling(Fixed fixed, const RolloutState& after, std::size_t i) {
  const ConditionState& c = after.conditions[i];
  Json s;
  s["name"] = fixed.plan.conditions[i].name;
  s["verdict"] = name_of(verdict_of(fixed, after, i));
  s["outcome"] = c.last ? Json(name_of(c.last->outcome)) : Json(nullptr);
  s["value"] = c.last ? number(c.last->value) : Json(nullptr);
  s["rule"] = rule_json(c, fixed.plan.conditions[i]);
  s["detail"] = c.last ? describe(*c.last) : std::string("not evaluated yet");
  const auto asked = unanswered(fixed, after, i);
  s["query"] = asked ? Json(asked->query.str()) : Json(nullptr);
  s["time"] = asked ? Json(format_time(asked->evaluated_at)) : Json(nullptr);
  return s;
}

// Which conditions the bound on false rollbacks is about.
Json promise_text(const Plan& plan) {
  std::string inside, outside;
  double alpha = 0;
  for (std::size_t i = 0; i < plan.conditions.size(); ++i) {
    const ConditionPlan& condition = plan.conditions[i];
    if (condition.is_readiness || condition.on_fail != OnFail::kRollback) continue;
    std::string& names = is_in_promise(plan, i) ? inside : outside;
    names += (names.empty() ? "" : ", ") + condition.name;
    if (is_in_promise(plan, i)) alpha = comparison_of(condition)->alpha;
  }
  if (inside.empty()) return nullptr;
  return "a candidate within the tolerance is ever rolled back by " + inside +
         " with a probability of at most " + format_number(alpha) +
         (outside.empty() ? std::string() : "; outside of that promise: " + outside);
}

std::string dumped(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string curl_line(const Asked& asked, const std::string& query) {
  std::string line = "curl -sG " + shell_quoted(asked.datasource_url + "/api/v1/query");
  for (const std::string& name : asked.headers) line += " -H " + shell_quoted(name + ": …");
  return line + " --data-urlencode " + shell_quoted("query=" + query) + " --data-urlencode " +
         shell_quoted("time=" + unix_seconds(asked.evaluated_at)) + " --data-urlencode 'nocache=1'";
}

Asked question_at(Fixed fixed, std::size_t condition, int step, std::optional<double> weight) {
  const ConditionPlan& plan = fixed.plan.conditions[condition];
  // Readiness is one question from before the first step to the end.
  if (plan.is_readiness) {
    step = -1;
    weight.reset();
  }
  Asked asked;
  asked.condition = condition;
  for (const PlannedQuestion& question : questions_of(plan)) {
    const auto rendered = render_question(question, fixed.spec, plan, step, weight);
    const SharedText text(rendered ? *rendered : question.query->text());
    if (question.is_evidence)
      asked.evidence_query = text;
    else if (question.arm)
      asked.arms.push_back({*question.arm, question.is_bad, text, {}});
    else
      asked.query = text;
  }
  if (!asked.arms.empty()) asked.query = asked.arms.front().query;
  asked.datasource = plan.datasource;
  return asked;
}

std::optional<Asked> unanswered(Fixed fixed, const RolloutState& after, std::size_t condition) {
  const ConditionState& c = after.conditions[condition];
  if (!c.last) return std::nullopt;
  Asked asked = question_at(fixed, condition, after.step, step_weight(fixed.plan, after));
  asked.evaluated_at = c.last_evaluated_at;
  return asked;
}

std::string explain_bundle(Fixed fixed, const RolloutState& after, const Decision& decision,
                           const std::optional<Asked>& asked,
                           const std::vector<std::string>& delivery_ids,
                           const std::optional<Asked>& tipped_by) {
  Json bundle;
  bundle["decision"] = {{"id", decision_id(fixed.spec, decision.number)},
                        {"kind", name_of(decision.kind)},
                        {"by", decision.by},
                        {"token", optional_text(decision.via.token)},
                        {"from", optional_text(decision.via.address)},
                        {"at", format_time(decision.at)},
                        {"reason", decision.reason},
                        {"would_have", decision.would_have}};
  std::optional<std::size_t> deciding = decision.condition;
  if (!deciding && asked) deciding = asked->condition;
  if (decision.by_alerts)
    bundle["condition"] = kAlertsName;
  else
    bundle["condition"] = deciding ? Json(fixed.plan.conditions[*deciding].name) : Json(nullptr);
  bundle["evaluation"] = asked && deciding && *deciding == asked->condition
                             ? evaluation_of(*asked, fixed, after)
                             : Json(nullptr);
  bundle["window"] = deciding
                         ? window_of(fixed.plan.conditions[*deciding], after.conditions[*deciding])
                         : Json::array();
  bundle["siblings"] = Json::array();
  for (std::size_t i = 0; i < after.conditions.size(); ++i) {
    if (deciding && i == *deciding) continue;
    bundle["siblings"].push_back(sibling(fixed, after, i));
    if (tipped_by && tipped_by->condition == i)
      bundle["siblings"].back()["evaluation"] = evaluation_of(*tipped_by, fixed, after);
  }
  if (fixed.plan.alerts) {
    if (!decision.by_alerts) bundle["siblings"].push_back(alerts_sibling(fixed, after));
    bundle["alerts"] = Json::array();
    for (const FiringAlert& alert : after.alerts->firing)
      bundle["alerts"].push_back(alert_json(alert));
  }
  bundle["comparison"] = deciding ? comparison_json(fixed.plan, after, *deciding) : Json(nullptr);
  bundle["promise"] = promise_text(fixed.plan);
  bundle["deliveries"] = delivery_ids;
  return dumped(bundle);
}

std::string order_payload(Fixed fixed, const RolloutState& after, const Decision& decision) {
  Json reason;
  reason["summary"] = decision.reason;
  reason["condition"] = nullptr;
  reason["value"] = nullptr;
  reason["rule"] = nullptr;
  if (decision.condition) {
    const ConditionState& c = after.conditions[*decision.condition];
    reason["condition"] = fixed.plan.conditions[*decision.condition].name;
    if (c.last) reason["value"] = number(c.last->value);
    reason["rule"] = rule_json(c, fixed.plan.conditions[*decision.condition]);
  }
  if (decision.by_alerts) {
    reason["condition"] = kAlertsName;
    reason["rule"] = alerts_rule(fixed.plan, fixed.spec);
  }
  reason["by"] = decision.by;
  reason["decision"] = decision_id(fixed.spec, decision.number);
  Json payload;
  payload["state"] = name_of(after.state);
  payload["step"] = std::max(after.step, 0);
  payload["reason"] = std::move(reason);
  const std::string& trace =
      decision.traceparent.empty() ? fixed.spec.traceparent.text() : decision.traceparent;
  if (!trace.empty()) payload["traceparent"] = trace;
  return dumped(payload);
}

}  // namespace rollwatch
