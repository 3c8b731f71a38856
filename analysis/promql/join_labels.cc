#include "analysis/promql/join_labels.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "analysis/promql/lexer.h"

namespace rollwatch::promql {
namespace {

// What a group's result is depends on its own series only. In topk, quantile or count_values a
// parameter, or more than one series a group, would have to be thought about.
constexpr std::array<std::string_view, 8> kAggregations = {"sum",   "avg",   "min",    "max",
                                                           "count", "group", "stddev", "stdvar"};
// What they make of a series depends on that series only, and nothing comes of nothing.
constexpr std::array<std::string_view, 17> kFunctions = {"rate",
                                                         "irate",
                                                         "increase",
                                                         "delta",
                                                         "idelta",
                                                         "deriv",
                                                         "changes",
                                                         "resets",
                                                         "avg_over_time",
                                                         "min_over_time",
                                                         "max_over_time",
                                                         "sum_over_time",
                                                         "last_over_time",
                                                         "count_over_time",
                                                         "stddev_over_time",
                                                         "stdvar_over_time",
                                                         "present_over_time"};

template <class List>
bool is_one_of(const List& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

// One aggregation, in parts. Views point into the query's text.
struct Aggregation {
  std::string name;
  std::set<std::string> by;
  std::map<std::string, std::string> picks;  // label, and the variable it must be equal to
  std::string inside;                        // what is aggregated, without the matchers of `picks`

  std::string labels() const {
    std::set<std::string> all = by;
    for (const auto& [label, variable] : picks) all.insert(label);
    std::string text;
    for (const std::string& label : all) text += (text.empty() ? "" : ", ") + label;
    return "(" + text + ")";
  }
  std::string joined() const { return joined(name); }
  std::string joined(const std::string& with) const {
    return with + " by " + labels() + " (" + inside + ")";
  }
  // Whether every series it answers with has some label.
  bool is_labelled() const {
    return std::any_of(by.begin(), by.end(),
                       [this](const std::string& label) { return picks.contains(label); });
  }
};

// Reads a query of one of the shapes; every function is nothing where the tokens are anything else.
class Reader {
 public:
  explicit Reader(const Lexed& lexed) : lexed_(lexed) {
    for (std::size_t i = 0; i < lexed.tokens.size(); ++i)
      if (lexed.tokens[i].kind != TokenKind::kComment) tokens_.push_back(i);
  }

  struct Shape {
    Aggregation above;
    std::optional<Aggregation> below;
    bool or_zero = false;  // above
  };

  std::optional<Shape> read() {
    while (is_wrapped()) {
      ++at_;
      tokens_.pop_back();
    }
    auto shape = read_shape();
    return at_ == tokens_.size() ? std::move(shape) : std::nullopt;
  }

 private:
  const Token* here(std::size_t further = 0) const {
    return at_ + further < tokens_.size() ? &lexed_.tokens[tokens_[at_ + further]] : nullptr;
  }
  bool is(TokenKind kind, std::size_t further = 0) const {
    const Token* token = here(further);
    return token != nullptr && token->kind == kind;
  }
  bool skip(TokenKind kind) {
    if (!is(kind)) return false;
    ++at_;
    return true;
  }

  // Whether the parenthesis that opens here is closed by the last token.
  bool is_wrapped() const {
    std::size_t further = 0;
    int depth = 0;
    do {
      if (is(TokenKind::kLeftParen, further)) ++depth;
      if (is(TokenKind::kRightParen, further)) --depth;
      ++further;
    } while (depth > 0 && here(further) != nullptr);
    return further > 1 && here(further) == nullptr;
  }

  std::optional<Shape> read_shape() {
    Shape shape;
    auto above = read_operand(&shape.or_zero);
    if (!above) return std::nullopt;
    shape.above = *std::move(above);
    if (skip(TokenKind::kSlash)) {
      shape.below = read_operand(nullptr);
      if (!shape.below) return std::nullopt;
    }
    return shape;
  }

  // An aggregation, in parentheses or not; where or_zero is given also "(… or vector(0))".
  std::optional<Aggregation> read_operand(bool* or_zero) {
    if (!skip(TokenKind::kLeftParen)) return read_aggregation();
    auto inner = read_operand(or_zero);
    if (inner && or_zero != nullptr && !*or_zero && is(TokenKind::kOr)) {
      if (!read_or_zero()) return std::nullopt;
      *or_zero = true;
    }
    if (!inner || !skip(TokenKind::kRightParen)) return std::nullopt;
    return inner;
  }

  bool read_or_zero() {
    if (!skip(TokenKind::kOr) || !is(TokenKind::kIdentifier) || here()->text != "vector")
      return false;
    ++at_;
    if (!skip(TokenKind::kLeftParen) || !is(TokenKind::kNumber) || here()->text != "0")
      return false;
    ++at_;
    return skip(TokenKind::kRightParen);
  }

  std::optional<Aggregation> read_aggregation() {
    if (!is(TokenKind::kIdentifier)) return std::nullopt;
    Aggregation found;
    found.name = lowered(here()->text);
    if (!is_one_of(kAggregations, found.name)) return std::nullopt;
    ++at_;
    const bool has_by = is(TokenKind::kBy);
    if (has_by && !read_by(found.by)) return std::nullopt;
    if (!skip(TokenKind::kLeftParen)) return std::nullopt;
    if (!read_inside(found) || !skip(TokenKind::kRightParen)) return std::nullopt;
    if (!has_by && is(TokenKind::kBy) && !read_by(found.by)) return std::nullopt;
    return found;
  }

  bool read_by(std::set<std::string>& labels) {
    ++at_;
    if (!skip(TokenKind::kLeftParen)) return false;
    while (is(TokenKind::kIdentifier)) {
      labels.emplace(here()->text);
      ++at_;
      if (!skip(TokenKind::kComma)) break;
    }
    return skip(TokenKind::kRightParen);
  }

  bool read_inside(Aggregation& found) {
    if (!is(TokenKind::kIdentifier)) return false;
    if (!is(TokenKind::kLeftParen, 1)) return read_selector(found, found.inside);
    if (!is_one_of(kFunctions, here()->text)) return false;
    const std::string function(here()->text);
    at_ += 2;
    std::string selector;
    if (!read_selector(found, selector) || !skip(TokenKind::kLeftBracket)) return false;
    const bool is_window = is(TokenKind::kPlaceholder) && variable_at(tokens_[at_]) == "window";
    if (!is(TokenKind::kDuration) && !is_window) return false;
    selector += "[" + (is_window ? "{{window}}" : std::string(here()->text)) + "]";
    ++at_;
    if (!skip(TokenKind::kRightBracket) || !skip(TokenKind::kRightParen)) return false;
    found.inside = function + "(" + selector + ")";
    return true;
  }

  // A metric's name must be given: several metrics could become series with equal labels once
  // a function has taken their names off, and then one rollout's would break the answer of all.
  bool read_selector(Aggregation& found, std::string& text) {
    if (!is(TokenKind::kIdentifier) || is_metricsql_operator(*here())) return false;
    text = here()->text;
    ++at_;
    if (!skip(TokenKind::kLeftBrace)) return true;
    std::string matchers;
    while (is(TokenKind::kIdentifier)) {
      if (!read_matcher(found, matchers)) return false;
      if (!skip(TokenKind::kComma)) break;
    }
    if (!matchers.empty()) text += "{" + matchers + "}";
    return skip(TokenKind::kRightBrace);
  }

  bool read_matcher(Aggregation& found, std::string& matchers) {
    const Token& label = *here();
    const Token* op = here(1);
    const Token* value = here(2);
    if (op == nullptr || value == nullptr || value->kind != TokenKind::kString) return false;
    if (op->kind != TokenKind::kEqual && op->kind != TokenKind::kNotEqual &&
        op->kind != TokenKind::kRegexMatch && op->kind != TokenKind::kRegexMismatch)
      return false;
    const std::string_view variable = variable_at(tokens_[at_ + 2]);
    at_ += 3;
    if (variable.empty()) {
      if (!matchers.empty()) matchers += ",";
      matchers += std::string(label.text) + std::string(op->text) + std::string(value->text);
      return true;
    }
    // The string is the variable and nothing else, and is the only one that says so of this label.
    if (op->kind != TokenKind::kEqual || label.text == "__name__" || !is_rollouts_own(variable))
      return false;
    const bool whole = value->text.size() == placeholder_at(tokens_[at_ - 1])->text.size() + 2;
    return whole && found.picks.emplace(label.text, variable).second;
  }

  static bool is_rollouts_own(std::string_view variable) {
    return variable != "window" && variable != "step" && variable != "weight";
  }

  const Placeholder* placeholder_at(std::size_t token) const {
    const auto found = std::find_if(lexed_.placeholders.begin(), lexed_.placeholders.end(),
                                    [token](const Placeholder& p) { return p.token == token; });
    return found == lexed_.placeholders.end() ? nullptr : &*found;
  }
  // The first variable that stands in the token, or is it; empty if there is none.
  std::string_view variable_at(std::size_t token) const {
    const Placeholder* found = placeholder_at(token);
    return found == nullptr ? std::string_view() : found->name;
  }

  const Lexed& lexed_;
  std::vector<std::size_t> tokens_;  // without comments
  std::size_t at_ = 0;
};

// Whether the name can stand in `by (…)` as it does in a matcher.
bool is_plain_label(const std::string& label) {
  const auto lexed = lex(label, LexMode::kPlain);
  return lexed && lexed->tokens.size() == 1 && lexed->tokens[0].kind == TokenKind::kIdentifier &&
         label.find(':') == std::string::npos;
}

// To VictoriaMetrics a lone series without labels is a number, and goes with every series of the
// other side. So it does where a query groups by labels that series may lack, and such a query is
// left alone. Joined, it would where none of A's series have the labels; with `on` it does not.
std::optional<std::string> joined_text(const Reader::Shape& shape) {
  const Aggregation& above = shape.above;
  if (!shape.below) return above.joined();
  if (above.picks != shape.below->picks || above.by != shape.below->by) return std::nullopt;
  if (!above.by.empty() && !above.is_labelled()) return std::nullopt;
  const std::string divided = " / on " + above.labels() + " " + shape.below->joined();
  if (!shape.or_zero) return above.joined() + divided;
  // vector(0) has no labels, so with a `by` it is no group of anybody's.
  if (!above.by.empty()) return std::nullopt;
  return "(" + above.joined() + " or 0 * " + shape.below->joined("count") + ")" + divided;
}

}  // namespace

std::optional<JoinedQuery> join_labels(const QueryTemplate& query) {
  const auto lexed = lex(query.text());
  if (!lexed) return std::nullopt;
  const auto shape = Reader(*lexed).read();
  if (!shape || shape->above.picks.empty()) return std::nullopt;
  const auto text = joined_text(*shape);
  if (!text) return std::nullopt;
  auto joined = parse_query_template(*text);
  if (!joined) return std::nullopt;
  JoinedQuery result{*std::move(joined), {}, {}};
  for (const auto& [label, variable] : shape->above.picks) {
    if (!is_plain_label(label)) return std::nullopt;
    result.picks.push_back({label, variable});
    if (!shape->above.by.contains(label)) result.added.push_back(label);
  }
  return result;
}

}  // namespace rollwatch::promql
