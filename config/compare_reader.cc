#include "config/compare_reader.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "analysis/promql/lexer.h"
#include "config/query_reader.h"

namespace rollwatch {
namespace {

using promql::QueryTemplate;
using promql::Token;
using promql::TokenKind;
using statistics::DispersionMode;
using statistics::DispersionRules;
using statistics::GaugeMode;
using statistics::GaugeRules;
using statistics::HistogramRules;
using statistics::RateRules;

constexpr Span kWarmups{Millis(0), std::chrono::hours(24)};
constexpr double kLeastAlpha = 1e-6;
constexpr double kMostIncident = 1e6;

constexpr std::array<std::string_view, 10> kCompareKeys{
    "events",         "bad_events", "buckets", "alpha",         "tolerance",
    "promote_margin", "dispersion", "warmup",  "early_promote", "worse"};

// ---- Counters

constexpr std::array<std::string_view, 9> kRateLike{
    "rate",       "irate", "increase",      "delta",
    "idelta",     "deriv", "increase_pure", "increase_prometheus",
    "rollup_rate"};
constexpr std::array<std::string_view, 12> kAggregations{
    "sum",    "avg",  "min",     "max",      "count",  "group",
    "stddev", "topk", "bottomk", "quantile", "stdvar", "count_values"};

template <std::size_t N>
bool is_in(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

bool begins_grouping(const std::vector<Token>& tokens, std::size_t at) {
  return at < tokens.size() &&
         (tokens[at].kind == TokenKind::kBy || tokens[at].kind == TokenKind::kWithout);
}

// The place behind the parenthesis that begins here.
std::size_t behind(const std::vector<Token>& tokens, std::size_t at) {
  int depth = 0;
  for (; at < tokens.size(); ++at) {
    if (tokens[at].kind == TokenKind::kLeftParen) ++depth;
    if (tokens[at].kind == TokenKind::kRightParen && --depth == 0) return at + 1;
  }
  return at;
}

// Whether `by (…)` names the process, or `without (…)` does not.
bool keeps_process(const std::vector<Token>& tokens, std::size_t at) {
  if (!begins_grouping(tokens, at)) return false;
  bool is_named = false;
  const std::size_t end = behind(tokens, at + 1);
  for (std::size_t i = at + 1; i < end; ++i)
    is_named = is_named || tokens[i].text == "pod" || tokens[i].text == "instance";
  return is_named == (tokens[at].kind == TokenKind::kBy);
}

// What makes the query no raw counters; "" if nothing does.
std::string no_counters(const std::vector<Token>& tokens) {
  for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
    if (tokens[i].kind != TokenKind::kIdentifier) continue;
    const std::string_view name = tokens[i].text;
    const bool is_call = tokens[i + 1].kind == TokenKind::kLeftParen;
    const bool is_grouped = begins_grouping(tokens, i + 1);
    if (is_call && is_in(kRateLike, name))
      return std::string(name) +
             "() counts an event once for every window that holds it; give the counters as they "
             "are, such as http_requests_total{app=\"{{service}}\"}: they are subtracted here";
    if (!is_in(kAggregations, name) || !(is_call || is_grouped)) continue;
    if (name != "sum")
      return std::string(name) + "() of counters is no counter; give the counters as they are";
    if (!keeps_process(tokens, is_grouped ? i + 1 : behind(tokens, i + 1)))
      return "a sum over processes falls when one of them restarts, and looks like a reset of all; "
             "leave sum() out, or keep the process: sum by (pod) (…)";
  }
  return "";
}

// ---- Tolerances

// A number, or a table of some of these keys.
struct Part {
  std::string_view key;
  double* value;
  double least;
  double most;
};

// Of `key`, which is there. The number alone stands for the first part.
void read_parts(TableReader& reader, std::string_view key, const Value& value,
                std::span<const Part> parts) {
  const Part& first = parts.front();
  if (const auto number = value.as_number()) {
    if (!std::isfinite(*number) || *number < first.least || *number > first.most)
      reader.wrong(key, "must be from " + format_exact(first.least) + " to " +
                            format_exact(first.most) + ", not " + quoted(value));
    else
      *first.value = *number;
    return;
  }
  TableReader table(value, join_key(reader.path(), key), reader.errors());
  for (const Part& part : parts)
    if (const auto number = table.number(part.key, part.least, part.most)) *part.value = *number;
  table.finish();
}

void wrong_margin(TableReader& reader) {
  reader.wrong(reader.to_blame("promote_margin", "tolerance"),
               "promote_margin must not be narrower than tolerance: what is promoted early must "
               "not be what is tolerated only just; widen promote_margin");
}

// Of a rate and of a histogram: the tolerance and the margin are each a `first` part (times stable,
// or slower by) and so much `extra`. A margin that is not given is at least the tolerance.
template <class Rules, class Tolerated>
Rules counting_rules(TableReader& reader, const CompareKeys& keys, double Tolerated::*first,
                     Part bounds) {
  Rules rules;
  const auto read = [&](std::string_view key, const Value* value, Tolerated& into) {
    bounds.value = &(into.*first);
    const std::array<Part, 2> parts{bounds, Part{"extra", &into.extra, 0, 1}};
    if (value != nullptr) read_parts(reader, key, *value, parts);
  };
  read("tolerance", keys.tolerance, rules.tolerance);
  if (keys.promote_margin == nullptr) {
    rules.margin.*first = std::max(rules.margin.*first, rules.tolerance.*first);
    rules.margin.extra = std::max(rules.margin.extra, rules.tolerance.extra);
  }
  read("promote_margin", keys.promote_margin, rules.margin);
  if (rules.margin.*first < rules.tolerance.*first || rules.margin.extra < rules.tolerance.extra)
    wrong_margin(reader);
  if (keys.dispersion) rules.dispersion = *keys.dispersion;
  return rules;
}

bool is_difference(const Value* value) {
  return value != nullptr && value->find("difference") != nullptr;
}

GaugeRules gauge_rules(TableReader& reader, const CompareKeys& keys) {
  GaugeRules rules;
  rules.larger_is_worse = !keys.lower_is_worse.value_or(false);
  const bool differs = is_difference(keys.tolerance) || is_difference(keys.promote_margin);
  rules.mode = differs ? GaugeMode::kDifference : GaugeMode::kRatio;
  double tolerated = differs ? 0 : kGaugeTolerance;
  double promoted = differs ? 0 : kGaugeMargin;
  const double most = differs ? 1e15 : rules.larger_is_worse ? 1000 : 0.99;
  const auto read = [&](std::string_view key, const Value* value, double& into) {
    const std::array<Part, 1> parts{Part{differs ? "difference" : "part", &into, 0, most}};
    if (value != nullptr) read_parts(reader, key, *value, parts);
  };
  read("tolerance", keys.tolerance, tolerated);
  promoted = std::max(promoted, differs ? 2 * tolerated : tolerated);
  read("promote_margin", keys.promote_margin, promoted);
  if (promoted < tolerated) wrong_margin(reader);
  if (keys.early_promote.value_or(false) && promoted <= 0)
    reader.missing("promote_margin",
                   "early_promote asks how much worse is still good enough, such as "
                   "promote_margin = { difference = 5 }");
  const auto in_units = [&](double part) {
    if (differs) return part;
    return rules.larger_is_worse ? std::log1p(part) : -std::log1p(-part);
  };
  rules.margin = in_units(tolerated);
  rules.promote_margin = in_units(promoted);
  return rules;
}

RankRules rank_rules(TableReader& reader, const CompareKeys& keys) {
  RankRules rules;
  rules.larger_is_worse = !keys.lower_is_worse.value_or(false);
  const std::array<Part, 1> parts{Part{"factor", &rules.factor, 1, 1000}};
  if (keys.tolerance != nullptr) read_parts(reader, "tolerance", *keys.tolerance, parts);
  return rules;
}

// ---- Which keys go together

std::string kind_text(CompareKind kind) {
  return "compare = \"" + std::string(name_of(kind)) + '"';
}

void refuse(TableReader& reader, CompareKind kind, std::string_view key, std::string_view advice) {
  if (reader.find(key) == nullptr) return;
  reader.wrong(key, "has no meaning beside " + kind_text(kind) + "; " + std::string(advice));
}

void refuse_what_does_not_fit(TableReader& reader, CompareKind kind) {
  constexpr std::string_view kLeaveOut = "leave it out";
  for (const std::string_view key : {"fail_if", "pass_if"})
    refuse(
        reader, kind, key,
        "the limit is what stable does (tolerance says how much worse is fine); put a limit into "
        "a condition of its own");
  for (const std::string_view key : {"fail_after", "within"})
    refuse(reader, kind, key, "how much evidence decides is said by alpha");
  refuse(reader, kind, "window",
         "counters are subtracted from slot to slot, and a query of one number says its range "
         "itself");
  refuse(reader, kind, "evidence",
         "the candidate's own events are counted; min_evidence says how "
         "many are needed");
  for (const std::string_view key : {"reduce", "select", "share", "count_of"})
    refuse(reader, kind, key, kLeaveOut);
  const bool counts = kind == CompareKind::kRate || kind == CompareKind::kHistogram;
  if (kind != CompareKind::kRate)
    for (const std::string_view key : {"events", "bad_events"})
      refuse(reader, kind, key, "it belongs to compare = \"rate\"");
  if (kind != CompareKind::kHistogram)
    refuse(reader, kind, "buckets", "it belongs to compare = \"histogram\"");
  if (counts) {
    refuse(reader, kind, "query", "it belongs to compare = \"gauge\" and \"mann-whitney\"");
    refuse(reader, kind, "worse", "more bad events, or slower ones, are worse");
  } else {
    refuse(reader, kind, "dispersion", "it is about events that are counted");
    refuse(reader, kind, "min_evidence", "there are no events behind one number");
  }
  if (kind != CompareKind::kMannWhitney) return;
  for (const std::string_view key : {"promote_margin", "early_promote"})
    refuse(reader, kind, key, "a test with one look proves no candidate good");
}

// The template at this key; an error if there is none.
std::optional<QueryTemplate> needed(TableReader& reader, std::string_view key,
                                    std::optional<QueryTemplate> query, std::string_view example) {
  if (reader.find(key) == nullptr) reader.missing(key, "such as " + std::string(example));
  if (query && !query->uses("version")) {
    reader.wrong(key,
                 "must use {{version}}: it is asked once for the candidate and once for "
                 "stable, such as " +
                     std::string(example));
    return std::nullopt;
  }
  return query;
}

CompareRules rules_of(TableReader& reader, CompareKind kind, const CompareKeys& keys) {
  switch (kind) {
    case CompareKind::kRate:
      return counting_rules<RateRules>(reader, keys, &statistics::Tolerance::factor,
                                       {"factor", nullptr, 1, 1000});
    case CompareKind::kHistogram:
      return counting_rules<HistogramRules>(reader, keys, &statistics::LatencyTolerance::slower,
                                            {"slower", nullptr, 0, 10});
    case CompareKind::kGauge:
      return gauge_rules(reader, keys);
    case CompareKind::kMannWhitney:
      return rank_rules(reader, keys);
  }
  return RateRules{};
}

// Which numbers, the kind of comparison says.
const Value* number_or_table(TableReader& reader, std::string_view key) {
  const Value* value = reader.find(key);
  if (value == nullptr || value->as_number() || value->as_table() != nullptr) return value;
  reader.wrong(key, "must be a number or a table such as { factor = 1.25, extra = 0.0005 }, not " +
                        std::string(describe(value->kind())));
  return nullptr;
}

std::optional<DispersionRules> read_dispersion(TableReader& reader) {
  const Value* value = reader.find("dispersion");
  if (value == nullptr) return std::nullopt;
  DispersionRules rules;
  if (value->as_number()) {
    rules.mode = DispersionMode::kFixed;
    if (const auto largest = reader.number("dispersion", 1, kMostIncident))
      rules.largest_incident = *largest;
    return rules;
  }
  const auto mode =
      reader.choice<DispersionMode>("dispersion", {{"auto", DispersionMode::kAuto},
                                                   {"series", DispersionMode::kSeries},
                                                   {"successive", DispersionMode::kSuccessive},
                                                   {"off", DispersionMode::kOff}});
  if (mode) rules.mode = *mode;
  return rules;
}

}  // namespace

std::optional<double> read_alpha(TableReader& reader) {
  return reader.number("alpha", kLeastAlpha, kAlphaHold);
}

CompareKeys read_compare_keys(TableReader& reader) {
  CompareKeys keys;
  keys.kind = reader.choice<CompareKind>("compare", {{"rate", CompareKind::kRate},
                                                     {"histogram", CompareKind::kHistogram},
                                                     {"gauge", CompareKind::kGauge},
                                                     {"mann-whitney", CompareKind::kMannWhitney}});
  keys.events = read_query(reader, "events", Version::kAllowed);
  keys.bad_events = read_query(reader, "bad_events", Version::kAllowed);
  keys.buckets = read_query(reader, "buckets", Version::kAllowed);
  keys.alpha = read_alpha(reader);
  keys.tolerance = number_or_table(reader, "tolerance");
  keys.promote_margin = number_or_table(reader, "promote_margin");
  keys.dispersion = read_dispersion(reader);
  keys.warmup = reader.duration("warmup", kWarmups);
  keys.early_promote = reader.boolean("early_promote");
  keys.lower_is_worse = reader.choice<bool>("worse", {{"higher", false}, {"lower", true}});
  return keys;
}

bool compares(const Value& condition) { return condition.find("compare") != nullptr; }

bool may_take(const Value& condition, std::string_view key) {
  if (key == "alpha") return compares(condition);
  if (key == "share" && condition.find("count_of") != nullptr) return false;
  const bool is_of_thresholds =
      key == "window" || key == "fail_after" || key == "within" || key == "share";
  return !is_of_thresholds || !compares(condition);
}

std::optional<CompareCondition> settle_compare(TableReader& reader, CompareKeys keys,
                                               const ConditionPlan& condition,
                                               std::optional<QueryTemplate> query,
                                               std::optional<double> min_evidence) {
  if (!keys.kind) return std::nullopt;
  const CompareKind kind = *keys.kind;
  refuse_what_does_not_fit(reader, kind);
  const auto refuse_fail = [&reader](std::string_view key, OnMissing value) {
    if (value == OnMissing::kFail)
      reader.wrong(
          key,
          "\"fail\" counts failing slots, and a comparison counts evidence; write \"wait\" "
          "or \"ignore\" for this condition");
  };
  refuse_fail("on_no_data", condition.on_no_data);
  refuse_fail("on_error", condition.on_error);
  std::optional<QueryTemplate> counted, bad;
  if (kind == CompareKind::kRate) {
    counted = needed(reader, "events", std::move(keys.events),
                     "events = 'http_requests_total{version=\"{{version}}\"}'");
    bad = needed(reader, "bad_events", std::move(keys.bad_events),
                 "bad_events = 'http_requests_total{version=\"{{version}}\",code=~\"5..\"}'");
    if (counted) check_counters(reader, "events", *counted);
    if (bad) check_counters(reader, "bad_events", *bad);
    if (!bad) counted.reset();
  } else if (kind == CompareKind::kHistogram) {
    counted = needed(reader, "buckets", std::move(keys.buckets),
                     "buckets = 'http_request_duration_seconds_bucket{version=\"{{version}}\"}'");
    if (counted) check_counters(reader, "buckets", *counted);
  } else {
    counted = needed(reader, "query", std::move(query),
                     "query = 'avg(process_resident_memory_bytes{version=\"{{version}}\"})'");
  }
  const CompareRules rules = rules_of(reader, kind, keys);
  if (!counted) return std::nullopt;
  CompareCondition compared{*std::move(counted), std::move(bad), rules};
  compared.alpha = keys.alpha.value_or(kDefaultAlpha);
  compared.warmup = keys.warmup.value_or(kWarmupSlots * condition.interval);
  compared.early_promote = keys.early_promote.value_or(false);
  compared.min_evidence = min_evidence.value_or(compared.min_evidence);
  return compared;
}

void refuse_compare_keys(TableReader& reader) {
  for (const std::string_view key : kCompareKeys) {
    if (reader.find(key) == nullptr) continue;
    reader.wrong(key,
                 "belongs to a comparison with stable; add compare = \"rate\", \"histogram\", "
                 "\"gauge\" or \"mann-whitney\", or leave it out");
  }
}

void check_counters(TableReader& reader, std::string_view key, const QueryTemplate& query) {
  const auto lexed = promql::lex(query.text());
  if (!lexed) return;  // its own error is recorded
  const std::string why = no_counters(lexed->tokens);
  if (why.empty()) return;
  const bool hidden = reader.find(key)->from_environment();
  reader.wrong(key, hidden ? "the query from the environment asks for no raw counters" : why);
}

}  // namespace rollwatch
