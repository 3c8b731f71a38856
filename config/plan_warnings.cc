#include "config/plan_warnings.h"

#include <optional>
#include <set>

#include "analysis/comparison.h"
#include "analysis/promql/lexer.h"
#include "analysis/promql/trailing_comparison.h"
#include "config/compare_warnings.h"

namespace rollwatch {

namespace {

using promql::Token;
using promql::TokenKind;

std::string about(const ConditionPlan& condition, const std::string& text) {
  return "condition \"" + condition.name + "\": " + text;
}

// A burst of events lies in `window / interval` slots, one after the other.
std::optional<std::string> burst_warning(const ConditionPlan& condition,
                                         const ThresholdCondition& threshold) {
  if (!threshold.query.uses("window")) return std::nullopt;
  if (condition.fail_after * condition.interval > condition.window) return std::nullopt;
  return "fail_after (" + std::to_string(condition.fail_after) +
         ") is not greater than window / interval (" + format_duration(condition.window) + " / " +
         format_duration(condition.interval) +
         "): one burst could be seen by all of them; raise fail_after or shorten window";
}

std::optional<std::string> filter_warning(const ThresholdCondition& threshold) {
  if (!threshold.rule.fail_if && !threshold.rule.pass_if) return std::nullopt;
  const auto split = promql::take_comparison_off(threshold.query.text());
  if (!split || !split->comparison) return std::nullopt;
  return "the query itself ends in \"" + to_string(*split->comparison) +
         "\", so values for which that is false are no data and not a pass; take it off the query, "
         "as "
         "there is a fail_if or pass_if";
}

// Names of labels that are matched anywhere in the tokens.
std::set<std::string_view> matched_labels(const Token* begin, const Token* end) {
  std::set<std::string_view> labels;
  bool in_braces = false;
  for (const Token* token = begin; token != end; ++token) {
    if (token->kind == TokenKind::kLeftBrace) in_braces = true;
    if (token->kind == TokenKind::kRightBrace) in_braces = false;
    if (in_braces && token->kind == TokenKind::kIdentifier) labels.insert(token->text);
  }
  return labels;
}

const Token* outermost_division(const std::vector<Token>& tokens) {
  int depth = 0;
  for (const Token& token : tokens) {
    switch (token.kind) {
      case TokenKind::kLeftParen:
      case TokenKind::kLeftBrace:
      case TokenKind::kLeftBracket:
        ++depth;
        break;
      case TokenKind::kRightParen:
      case TokenKind::kRightBrace:
      case TokenKind::kRightBracket:
        --depth;
        break;
      case TokenKind::kSlash:
        if (depth == 0) return &token;
        break;
      default:
        break;
    }
  }
  return nullptr;
}

// `errors / all`: with no error at all there may be no series of errors, and then no ratio either.
// A label that only the numerator matches on is the sign of such a part.
std::optional<std::string> ratio_warning(const ThresholdCondition& threshold, const Value& query) {
  if (query.from_environment()) return std::nullopt;  // its labels are not to be shown
  const auto lexed = promql::lex(threshold.query.text());
  if (!lexed) return std::nullopt;
  const Token* division = outermost_division(lexed->tokens);
  if (division == nullptr) return std::nullopt;
  const Token* begin = lexed->tokens.data();
  const Token* end = begin + lexed->tokens.size();
  for (const Token* token = begin; token != division; ++token) {
    if (token->kind == TokenKind::kOr) return std::nullopt;
  }
  const auto above = matched_labels(begin, division);
  const auto below = matched_labels(division, end);
  for (const std::string_view label : above) {
    if (below.contains(label)) continue;
    return "the numerator may be empty (only it matches on \"" + std::string(label) +
           "\"), and then there is no data instead of 0; write (… or vector(0)) / …";
  }
  return std::nullopt;
}

}  // namespace

FieldErrors plan_warnings(const Plan& plan, const Value& document) {
  FieldErrors warnings;
  const Value* conditions = document.find("condition");
  for (std::size_t i = 0; i < plan.conditions.size(); ++i) {
    const ConditionPlan& condition = plan.conditions[i];
    if (condition.is_readiness) continue;
    const Value& table = (*conditions->as_array())[i];
    const Origin& origin = table.origin();
    if (comparison_of(condition) != nullptr)
      for (const std::string& warning : compare_warnings(plan, i, table))
        warnings.push_back({origin, "", about(condition, warning)});
    const auto* kind = std::get_if<ThresholdCondition>(&condition.kind);
    if (kind == nullptr || kind->counts) continue;
    const ThresholdCondition& threshold = *kind;
    for (auto& warning : {burst_warning(condition, threshold), filter_warning(threshold),
                          ratio_warning(threshold, *table.find("query"))}) {
      if (warning) warnings.push_back({origin, "", about(condition, *warning)});
    }
  }
  return warnings;
}

}  // namespace rollwatch
