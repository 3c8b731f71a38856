#include "config/condition_reader.h"

#include <algorithm>
#include <limits>

#include "analysis/promql/query_template.h"
#include "analysis/promql/trailing_comparison.h"
#include "config/compare_reader.h"
#include "config/query_reader.h"

namespace rollwatch {

namespace {

using std::chrono::hours;

constexpr Span kIntervals{Millis(100), hours(24)};
constexpr Span kWindows{Millis(100), hours(24 * 30)};
constexpr Span kDelays{Millis(0), hours(24 * 7)};
constexpr Span kTimeouts{Millis(10), std::chrono::minutes(10)};
constexpr std::size_t kLongestName = 100;
constexpr std::string_view kRuleForms =
    "\"> 0.05\" (any of > >= < <= == != and a number), \"any\" or \"none\"";

// or_else: what the key may be instead.
std::optional<Comparison> read_comparison(TableReader& reader, std::string_view key,
                                          const std::string& text, const std::string& or_else) {
  auto comparison = parse_comparison(text);
  if (comparison) return *comparison;
  const bool hidden = reader.find(key)->from_environment();
  reader.wrong(key, (hidden ? "the text from the environment is no comparison such as \"> 0.05\""
                            : comparison.error()) +
                        or_else);
  return std::nullopt;
}

void read_fail_if(TableReader& reader, Rule& rule) {
  const Value* value = reader.find("fail_if");
  if (value == nullptr) return;
  const std::string* text = value->as_string();
  if (text == nullptr) {
    reader.wrong("fail_if", "must be " + std::string(kRuleForms) + ", not " +
                                std::string(describe(value->kind())));
  } else if (*text == "any") {
    rule.series = SeriesRule::kAnySeriesFails;
  } else if (*text == "none") {
    rule.series = SeriesRule::kNoSeriesFails;
  } else {
    rule.fail_if = read_comparison(reader, "fail_if", *text, "; or write \"any\" or \"none\"");
  }
}

void read_steps(TableReader& reader, std::vector<double>& weights) {
  const Value* list = reader.array("steps", "steps = [5, 25]");
  if (list == nullptr) return;
  if (list->as_array()->empty()) {
    reader.wrong("steps", "must name at least one weight; leave it out if all steps are meant");
  }
  for (const Value& item : *list->as_array()) {
    const auto weight = item.as_number();
    if (!weight || !(*weight >= 0 && *weight <= 100)) {
      reader.errors().push_back(
          {item.origin(), join_key(reader.path(), "steps"),
           "must be weights of steps, numbers from 0 to 100, not " + quoted(item)});
      continue;
    }
    weights.push_back(*weight);
  }
}

std::string read_name(TableReader& reader) {
  const Value* value = reader.find("name");
  if (value == nullptr) {
    reader.missing("name", "every condition has one, such as name = \"error-rate\"");
    return "";
  }
  const auto name = reader.string("name");
  if (!name) return "";
  const bool printable = std::none_of(name->begin(), name->end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
  if (!printable || name->size() > kLongestName) {
    reader.wrong("name", "must be one line of at most " + std::to_string(kLongestName) + " bytes");
  }
  return *name;
}

// Takes the comparison off the query if there is no other rule.
void settle_rule(TableReader& reader, ThresholdCondition& threshold) {
  Rule& rule = threshold.rule;
  const bool has_fail_if = reader.find("fail_if") != nullptr;
  const bool has_pass_if = reader.find("pass_if") != nullptr;
  if (rule.series != SeriesRule::kByValue && has_pass_if) {
    reader.wrong("pass_if",
                 "has no meaning beside fail_if = \"any\" or \"none\"; leave one of them out");
  }
  if (rule.series == SeriesRule::kAnySeriesFails && reader.find("evidence") == nullptr) {
    reader.wrong("fail_if",
                 "\"any\" needs evidence, or an empty answer could not be told from no data; add "
                 "evidence = \"…\", a query that counts the events of the window");
  }
  if (has_fail_if || has_pass_if) return;
  const auto split = promql::take_comparison_off(threshold.query.text());
  if (!split) return;  // the query's own error is already recorded
  if (!split->comparison) {
    const bool hidden = reader.find("query")->from_environment();
    reader.wrong("query",
                 "the query " + (hidden ? "has no comparison to take off" : split->why_left_alone) +
                     "; end it in a comparison such as > 0.05, or give fail_if = \"> 0.05\", or "
                     "write fail_if = \"any\" if it fails by answering with any series at all");
    return;
  }
  auto query = promql::parse_query_template(split->query);
  if (!query) {
    reader.wrong("query", "without its comparison the query is no query: " + query.error().message +
                              "; give the limit as fail_if instead");
    return;
  }
  threshold.query = std::move(*query);
  rule.fail_if = split->comparison;
}

// After the comparison was taken off. What is in the query by `select` has nothing to join.
void join(ThresholdCondition& threshold) {
  threshold.joined = promql::join_labels(threshold.query);
  if (threshold.joined && threshold.evidence)
    threshold.joined_evidence = promql::join_labels(*threshold.evidence);
}

void check_within(TableReader& reader, const ConditionPlan& condition);

// A metric's name, labels in braces, or both, and nothing else.
bool is_plain_selector(std::string_view text) {
  const auto lexed = promql::lex(text);
  if (!lexed || lexed->tokens.empty()) return false;
  const std::vector<promql::Token>& tokens = lexed->tokens;
  const std::size_t name = tokens.front().kind == promql::TokenKind::kIdentifier ? 1 : 0;
  if (name == tokens.size()) return true;
  const auto closes =
      std::ranges::find(tokens, promql::TokenKind::kRightBrace, &promql::Token::kind);
  return tokens[name].kind == promql::TokenKind::kLeftBrace && closes == tokens.end() - 1;
}

// A counter is there although its last scrape failed, which would end its series for that long: it
// would not be known when counting begins, and be taken for new with all it ever counted.
promql::QueryTemplate through_failed_scrapes(const promql::QueryTemplate& counters) {
  if (!is_plain_selector(counters.text())) return counters;
  auto steady = promql::parse_query_template("last_over_time(" + counters.text() + "[5m])");
  return steady ? *std::move(steady) : counters;
}

// Raw counters, judged by what they count in a step: there is one number, and a limit for it.
void settle_count(TableReader& reader, const promql::QueryTemplate& counters,
                  ThresholdCondition& threshold) {
  threshold.query = through_failed_scrapes(counters);
  check_counters(reader, "count_of", counters);
  for (const std::string_view key : {"query", "select", "share"}) {
    if (reader.find(key) != nullptr)
      reader.wrong(key,
                   "has no meaning beside count_of, which asks for counters of its own; leave "
                   "one of them out");
  }
  if (reader.find("reduce") != nullptr)
    reader.wrong("reduce", "has no meaning beside count_of: what all series count is added up");
  const Rule& rule = threshold.rule;
  if (rule.series != SeriesRule::kByValue)
    reader.wrong("fail_if", "must be a comparison beside count_of, such as fail_if = \"> 3\"");
  else if (reader.find("fail_if") == nullptr && reader.find("pass_if") == nullptr)
    reader.missing("fail_if", "say how many in a step are too many, such as fail_if = \"> 3\"");
}

void settle(TableReader& reader, bool query_is_good, ConditionPlan& condition) {
  auto& threshold = std::get<ThresholdCondition>(condition.kind);
  if (threshold.counts) {
    // said by settle_count()
  } else if (reader.find("query") == nullptr) {
    reader.missing("query",
                   "condition \"" + condition.name +
                       "\" is in no weaker layer either; is its name written as in the policy?");
  } else if (query_is_good) {
    settle_rule(reader, threshold);
  }
  if (reader.find("min_evidence") != nullptr && reader.find("evidence") == nullptr) {
    reader.wrong("min_evidence",
                 "has no meaning without evidence; add evidence = \"…\", a query that "
                 "counts the events of the window, or leave it out");
  }
  check_shared_query(reader, threshold);
  check_within(reader, condition);
  if (condition.share) join(threshold);
}

void check_within(TableReader& reader, const ConditionPlan& condition) {
  if (condition.within != kWithinAll && condition.fail_after > condition.within) {
    reader.wrong(reader.to_blame("fail_after", "within"),
                 "fail_after (" + std::to_string(condition.fail_after) +
                     ") must not be greater than within (" + std::to_string(condition.within) +
                     "); raise within or lower fail_after");
  }
}

}  // namespace

namespace {

template <class T>
void take(const std::optional<T>& given, T& into) {
  if (given) into = *given;
}

void read_threshold(TableReader& reader, std::optional<promql::QueryTemplate> query,
                    std::optional<double> least, bool is_document, ConditionPlan& condition) {
  auto& threshold = std::get<ThresholdCondition>(condition.kind);
  const bool query_is_good = query.has_value();
  if (query) threshold.query = *std::move(query);
  const auto counters = read_query(reader, "count_of");
  threshold.counts = reader.find("count_of") != nullptr;
  read_fail_if(reader, threshold.rule);
  if (const auto text = reader.string("pass_if"))
    threshold.rule.pass_if = read_comparison(reader, "pass_if", *text, "");
  if (const auto reduce = reader.choice<Reduce>("reduce", {{"each", Reduce::kEach},
                                                           {"max", Reduce::kMax},
                                                           {"min", Reduce::kMin},
                                                           {"sum", Reduce::kSum},
                                                           {"avg", Reduce::kAvg},
                                                           {"one", Reduce::kOne}}))
    threshold.reduce = *reduce;
  threshold.evidence = read_query(reader, "evidence");
  threshold.select = read_select(reader);
  take(least, threshold.min_evidence);
  if (!is_document) return;
  refuse_compare_keys(reader);
  if (counters) settle_count(reader, *counters, threshold);
  settle(reader, query_is_good, condition);
}

// Of conditions and of the readiness gate.
void read_shared_keys(TableReader& reader, ConditionPlan& condition) {
  take(reader.duration("interval", kIntervals), condition.interval);
  take(reader.duration("window", kWindows), condition.window);
  take(reader.string("datasource"), condition.datasource);
  if (const auto n = reader.integer("fail_after", 1, kWithinLimit))
    condition.fail_after = static_cast<int>(*n);
  condition.within = condition.fail_after;
  const Value* within = reader.find("within");
  if (within != nullptr && within->as_string() != nullptr) {
    if (reader.choice<int>("within", {{"all", kWithinAll}})) condition.within = kWithinAll;
  } else if (const auto n = reader.integer("within", 1, kWithinLimit)) {
    condition.within = static_cast<int>(*n);
  }
}

}  // namespace

ConditionPlan blank_condition() {
  ThresholdCondition threshold{
      *promql::parse_query_template("vector(0)"), {}, Reduce::kEach, {}, 100};
  return ConditionPlan{
      .name = "", .kind = std::move(threshold), .timeout = std::nullopt, .steps = {}};
}

void read_judging_keys(TableReader& reader, ConditionPlan& condition) {
  read_shared_keys(reader, condition);
  take(reader.duration("initial_delay", kDelays), condition.initial_delay);
  if (const auto timeout = reader.duration("timeout", kTimeouts)) condition.timeout = timeout;
  if (const auto n = reader.integer("min_passes", 1, kWithinLimit))
    condition.min_passes = static_cast<int>(*n);
  take(reader.choice<OnFail>("on_fail", {{"rollback", OnFail::kRollback},
                                         {"pause", OnFail::kPause},
                                         {"observe", OnFail::kObserve}}),
       condition.on_fail);
  const Choices<OnMissing> missing = {
      {"wait", OnMissing::kWait}, {"fail", OnMissing::kFail}, {"ignore", OnMissing::kIgnore}};
  take(reader.choice("on_no_data", missing), condition.on_no_data);
  take(reader.choice("on_error", missing), condition.on_error);
  take(reader.choice<bool>("share", {{"off", false}, {"auto", true}}), condition.share);
}

ConditionPlan read_readiness(TableReader& reader, Completeness completeness) {
  ConditionPlan condition = blank_condition();
  condition.name = kReadinessName;
  condition.is_readiness = true;
  auto& threshold = std::get<ThresholdCondition>(condition.kind);
  if (auto query = read_query(reader, "query")) {
    threshold.query = std::move(*query);
  } else if (completeness == Completeness::kDocument && reader.find("query") == nullptr) {
    reader.missing("query", "it says how many are ready, such as query = 'sum(up{app=\"x\"})'");
  }
  if (const auto split = promql::take_comparison_off(threshold.query.text());
      split && split->comparison) {
    reader.wrong("query",
                 "ends in a comparison, so that \"2 of 3\" could not be told from no data; take it "
                 "off and give the number as at_least");
  }
  for (const auto& variable : threshold.query.variables()) {
    if (!changes_on_the_way(variable.name)) continue;
    reader.wrong("query", "{{" + variable.name +
                              "}} has no place in it: it is asked before the first step, and is "
                              "the same question in all of them; leave it out");
  }
  read_shared_keys(reader, condition);
  condition.on_fail = OnFail::kObserve;
  take(reader.choice<OnFail>("on_lost", {{"ignore", OnFail::kObserve},
                                         {"pause", OnFail::kPause},
                                         {"rollback", OnFail::kRollback}}),
       condition.on_fail);
  if (completeness == Completeness::kDocument) check_within(reader, condition);
  return condition;
}

ConditionPlan read_condition(const Value& table, const std::string& path, Completeness completeness,
                             FieldErrors& errors) {
  ConditionPlan condition = blank_condition();
  TableReader reader(table, path, errors);
  if (!reader.is_table()) return condition;
  condition.name = read_name(reader);
  const bool is_document = completeness == Completeness::kDocument;
  const bool may_compare = !is_document || compares(table);
  read_judging_keys(reader, condition);
  read_steps(reader, condition.steps);
  auto query = read_query(reader, "query", may_compare ? Version::kAllowed : Version::kRefused);
  const auto least = reader.number("min_evidence", 0, 1e15);
  CompareKeys keys = read_compare_keys(reader);
  if (is_document && compares(table)) {
    auto compared = settle_compare(reader, std::move(keys), condition, std::move(query), least);
    if (compared) condition.kind = *std::move(compared);
  } else {
    read_threshold(reader, std::move(query), least, is_document, condition);
  }
  reader.finish();
  return condition;
}

}  // namespace rollwatch
