#include "analysis/promql/trailing_comparison.h"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "analysis/promql/literals.h"

namespace rollwatch::promql {
namespace {

std::optional<CompareOp> compare_op(TokenKind kind) {
  switch (kind) {
    case TokenKind::kGreater:
      return CompareOp::kGreater;
    case TokenKind::kGreaterEqual:
      return CompareOp::kGreaterEqual;
    case TokenKind::kLess:
      return CompareOp::kLess;
    case TokenKind::kLessEqual:
      return CompareOp::kLessEqual;
    case TokenKind::kEqualEqual:
      return CompareOp::kEqual;
    case TokenKind::kNotEqual:
      return CompareOp::kNotEqual;
    default:
      return std::nullopt;
  }
}

constexpr const char* kNotOneExpression = "is not one expression ending in a comparison";

bool is_opener(TokenKind kind) {
  return kind == TokenKind::kLeftParen || kind == TokenKind::kLeftBrace ||
         kind == TokenKind::kLeftBracket;
}
bool is_closer(TokenKind kind) {
  return kind == TokenKind::kRightParen || kind == TokenKind::kRightBrace ||
         kind == TokenKind::kRightBracket;
}

bool binds_tighter(TokenKind kind) {
  return kind == TokenKind::kPlus || kind == TokenKind::kMinus || kind == TokenKind::kStar ||
         kind == TokenKind::kSlash || kind == TokenKind::kPercent || kind == TokenKind::kCaret ||
         kind == TokenKind::kAtan2;
}

// Than a comparison.
bool binds_weaker(const Token& token) {
  return token.kind == TokenKind::kAnd || token.kind == TokenKind::kOr ||
         token.kind == TokenKind::kUnless || is_metricsql_operator(token);
}

// Walks tokens as `operand (operator operand)*`, stepping over every bracketed group whole. That is
// all the grammar needed to know which operator is outermost.
class Outline {
 public:
  Outline(const std::vector<Token>& tokens, std::size_t begin, std::size_t end)
      : tokens_(tokens), at_(begin), end_(end) {}

  // Empty if the tokens are one expression in which nothing binds weaker than a comparison.
  std::string why_not() {
    bool after_operand = false;
    while (at_ < end_) {
      if (!after_operand) {
        if (is(TokenKind::kPlus) || is(TokenKind::kMinus)) {
          ++at_;
          continue;
        }
        if (!read_operand()) return kNotOneExpression;
        after_operand = true;
      } else if (binds_weaker(here())) {
        return "has '" + std::string(here().text) +
               "' outside of parentheses, which binds weaker than the comparison; put parentheses "
               "around what stands left of the comparison";
      } else if (read_operator()) {
        after_operand = false;
      } else if (!read_suffix()) {
        return kNotOneExpression;
      }
    }
    return after_operand ? std::string() : kNotOneExpression;
  }

 private:
  const Token& here() const { return tokens_[at_]; }
  bool is(TokenKind kind) const { return at_ < end_ && here().kind == kind; }
  bool skip(TokenKind kind) {
    if (!is(kind)) return false;
    ++at_;
    return true;
  }

  // Past the group that opens here; false if none does.
  bool skip_group(TokenKind opener) {
    if (!is(opener)) return false;
    int depth = 0;
    do {
      if (is_opener(here().kind)) ++depth;
      if (is_closer(here().kind)) --depth;
      ++at_;
    } while (at_ < end_ && depth > 0);
    return depth == 0;
  }

  bool read_operand() {
    named_ = is(TokenKind::kIdentifier);
    callable_ = named_;
    switch (here().kind) {
      case TokenKind::kIdentifier:
      case TokenKind::kNumber:
      case TokenKind::kDuration:
      case TokenKind::kPlaceholder:
        ++at_;
        return true;
      case TokenKind::kLeftParen:
      case TokenKind::kLeftBrace:
        return skip_group(here().kind);
      default:
        return false;
    }
  }

  // A tighter or equal operator with its matching words.
  bool read_operator() {
    if (!binds_tighter(here().kind) && !compare_op(here().kind)) return false;
    ++at_;
    skip(TokenKind::kBool);
    if (skip(TokenKind::kOn) || skip(TokenKind::kIgnoring)) {
      if (!skip_group(TokenKind::kLeftParen)) return false;
      if (skip(TokenKind::kGroupLeft) || skip(TokenKind::kGroupRight)) {
        skip_group(TokenKind::kLeftParen);
      }
    }
    return true;
  }

  // What may follow an operand: arguments, matchers, range, offset, @, by (…).
  bool read_suffix() {
    const bool named = named_;
    const bool callable = callable_;
    named_ = false;
    callable_ = false;
    if (is(TokenKind::kLeftParen)) return callable && skip_group(TokenKind::kLeftParen);
    if (is(TokenKind::kLeftBrace)) return named && skip_group(TokenKind::kLeftBrace);
    if (is(TokenKind::kLeftBracket)) return skip_group(TokenKind::kLeftBracket);
    if (skip(TokenKind::kBy) || skip(TokenKind::kWithout)) {
      callable_ = true;  // sum by (a) (x)
      return skip_group(TokenKind::kLeftParen);
    }
    if (skip(TokenKind::kOffset)) {
      skip(TokenKind::kMinus);
      return skip(TokenKind::kDuration) || skip(TokenKind::kPlaceholder) ||
             skip(TokenKind::kNumber);
    }
    if (skip(TokenKind::kAt)) return read_timestamp();
    if (is(TokenKind::kIdentifier) && lowered(here().text) == "keep_metric_names") {
      ++at_;
      return true;
    }
    return false;
  }

  bool read_timestamp() {
    if (skip(TokenKind::kStart) || skip(TokenKind::kEnd)) return skip_group(TokenKind::kLeftParen);
    if (!skip(TokenKind::kPlus)) skip(TokenKind::kMinus);
    return skip(TokenKind::kNumber) || skip(TokenKind::kPlaceholder);
  }

  const std::vector<Token>& tokens_;
  std::size_t at_;
  std::size_t end_;
  bool named_ = false;     // the last thing was a name, so matchers may follow
  bool callable_ = false;  // arguments may follow
};

// Whether the parenthesis at begin is closed by the very last token.
bool wrapped(const std::vector<Token>& tokens, std::size_t begin, std::size_t end) {
  if (end - begin < 2 || tokens[begin].kind != TokenKind::kLeftParen) return false;
  int depth = 0;
  for (std::size_t i = begin; i < end; ++i) {
    if (is_opener(tokens[i].kind)) ++depth;
    if (is_closer(tokens[i].kind)) --depth;
    if (depth == 0) return i + 1 == end;
  }
  return false;
}

// Takes away every pair of parentheses around the whole.
void unwrap(const std::vector<Token>& tokens, std::size_t& begin, std::size_t& end) {
  while (wrapped(tokens, begin, end)) {
    ++begin;
    --end;
  }
}

// A range alone is answered with all of its samples, a string with itself: with the comparison gone
// there would be nothing left that has a value. Empty if the tokens are neither.
std::string why_no_value(const std::vector<Token>& tokens, std::size_t begin, std::size_t end) {
  unwrap(tokens, begin, end);
  if (end - begin == 1 && tokens[begin].kind == TokenKind::kString) return kNotOneExpression;
  int depth = 0;
  for (std::size_t i = begin; i < end; ++i) {
    if (depth == 0 && tokens[i].kind == TokenKind::kLeftBracket) {
      return "has a range such as [5m] outside of a function, which is no single value; put a "
             "function around it, as in max_over_time(…[5m])";
    }
    if (is_opener(tokens[i].kind)) ++depth;
    if (is_closer(tokens[i].kind)) --depth;
  }
  return {};
}

// Whether the tokens are numbers and arithmetic, such as (0.05) or 5 / 100.
bool is_computed_number(const std::vector<Token>& tokens, std::size_t begin, std::size_t end) {
  for (std::size_t i = begin; i < end; ++i) {
    const TokenKind kind = tokens[i].kind;
    const bool belongs = kind == TokenKind::kNumber || kind == TokenKind::kLeftParen ||
                         kind == TokenKind::kRightParen || binds_tighter(kind);
    if (!belongs) return false;
  }
  return begin < end;
}

// What is said of a query that does not end in an operator and a number.
std::string why_no_comparison(const std::vector<Token>& tokens, std::size_t begin,
                              std::size_t end) {
  std::size_t op_at = end;  // of the last comparison outside of brackets
  int depth = 0;
  for (std::size_t i = begin; i < end; ++i) {
    if (is_opener(tokens[i].kind)) ++depth;
    if (is_closer(tokens[i].kind)) --depth;
    if (depth == 0 && compare_op(tokens[i].kind)) op_at = i;
  }
  if (op_at > begin && op_at < end) {
    if (is_computed_number(tokens, op_at + 1, end)) {
      return "compares with a calculation or a number in parentheses; write the number itself, as "
             "in > 0.05";
    }
    const bool one_operand =
        std::none_of(tokens.begin() + static_cast<std::ptrdiff_t>(op_at),
                     tokens.begin() + static_cast<std::ptrdiff_t>(end), binds_weaker);
    if (one_operand && is_computed_number(tokens, begin, op_at)) {
      return "has the number on the left of the comparison; write it on the right, as in … > 0.05";
    }
  }
  return "does not end in a comparison with a number";
}

TrailingComparison left_alone(std::string_view query, std::string why) {
  return TrailingComparison{std::string(query), std::nullopt, std::move(why)};
}

}  // namespace

Expected<TrailingComparison, PromqlError> take_comparison_off(std::string_view query) {
  const auto lexed = lex(query);
  if (!lexed) return Unexpected(lexed.error());
  std::vector<Token> tokens;
  for (const Token& token : lexed->tokens) {
    if (token.kind != TokenKind::kComment) tokens.push_back(token);
  }
  std::size_t begin = 0;
  std::size_t end = tokens.size();
  unwrap(tokens, begin, end);
  if (end - begin < 3) return left_alone(query, why_no_comparison(tokens, begin, end));
  const Token& number = tokens[end - 1];
  std::size_t op_at = end - 2;
  double sign = 1;
  if (tokens[op_at].kind == TokenKind::kMinus || tokens[op_at].kind == TokenKind::kPlus) {
    sign = tokens[op_at].kind == TokenKind::kMinus ? -1 : 1;
    --op_at;  // there are three tokens at least
  }
  if (tokens[op_at].kind == TokenKind::kBool) {
    return left_alone(query, "compares with 'bool'; leave out 'bool'");
  }
  const auto op = compare_op(tokens[op_at].kind);
  if (!op || op_at == begin) return left_alone(query, why_no_comparison(tokens, begin, end));
  if (number.kind == TokenKind::kPlaceholder) {
    return left_alone(query, "compares with a variable, not with a number");
  }
  if (number.kind != TokenKind::kNumber)
    return left_alone(query, why_no_comparison(tokens, begin, end));
  const auto limit = number_value(number.text);
  if (!limit) {
    return left_alone(query, "compares with " + std::string(number.text) +
                                 ", which is no plain finite number; write it in decimal digits");
  }
  if (std::string why = Outline(tokens, begin, op_at).why_not(); !why.empty()) {
    return left_alone(query, std::move(why));
  }
  if (std::string why = why_no_value(tokens, begin, op_at); !why.empty()) {
    return left_alone(query, std::move(why));
  }
  const std::size_t from = tokens[begin].offset;
  const std::size_t to = tokens[op_at - 1].end();
  return TrailingComparison{
      std::string(query.substr(from, to - from)), Comparison{*op, sign * *limit}, {}};
}

}  // namespace rollwatch::promql
