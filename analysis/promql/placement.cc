#include "analysis/promql/placement.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "analysis/promql/regex_place.h"

namespace rollwatch::promql {
namespace {

// The arguments (from 0) of functions that are more than plain strings. label_transform,
// label_match and label_mismatch are VictoriaMetrics'.
struct SpecialArgument {
  std::string_view function;
  int argument;
  VariableContext context;
};
constexpr std::array<SpecialArgument, 6> kSpecialArguments = {
    {{"label_replace", 2, VariableContext::kReplacement},
     {"label_replace", 4, VariableContext::kRegexMatcher},
     {"label_transform", 2, VariableContext::kRegexMatcher},
     {"label_transform", 3, VariableContext::kReplacement},
     {"label_match", 2, VariableContext::kRegexMatcher},
     {"label_mismatch", 2, VariableContext::kRegexMatcher}}};

bool is_operator(TokenKind kind) {
  switch (kind) {
    case TokenKind::kEqualEqual:
    case TokenKind::kNotEqual:
    case TokenKind::kGreater:
    case TokenKind::kGreaterEqual:
    case TokenKind::kLess:
    case TokenKind::kLessEqual:
    case TokenKind::kPlus:
    case TokenKind::kMinus:
    case TokenKind::kStar:
    case TokenKind::kSlash:
    case TokenKind::kPercent:
    case TokenKind::kCaret:
    case TokenKind::kAnd:
    case TokenKind::kOr:
    case TokenKind::kUnless:
    case TokenKind::kAtan2:
      return true;
    default:
      return false;
  }
}

// Words before a ( ) that holds label names.
bool takes_labels(TokenKind kind) {
  return kind == TokenKind::kBy || kind == TokenKind::kWithout || kind == TokenKind::kOn ||
         kind == TokenKind::kIgnoring || kind == TokenKind::kGroupLeft ||
         kind == TokenKind::kGroupRight;
}

// Tokens that would merge with, or be misread beside, a value written right next to them.
bool is_wordlike(TokenKind kind) {
  return kind == TokenKind::kIdentifier || kind == TokenKind::kNumber ||
         kind == TokenKind::kDuration || kind == TokenKind::kPlaceholder ||
         kind == TokenKind::kString || kind >= TokenKind::kAnd;
}

// An open bracket and what it belongs to.
struct Frame {
  TokenKind opener = TokenKind::kLeftParen;
  bool label_names = false;  // by (…), on (…)
  std::string function;      // in lower case; empty if this is no call
  int argument = 0;
};

class Placer {
 public:
  explicit Placer(const Lexed& lexed) : lexed_(lexed) {
    for (std::size_t i = 0; i < lexed.tokens.size(); ++i) {
      if (lexed.tokens[i].kind != TokenKind::kComment) code_.push_back(i);
    }
  }

  Expected<std::vector<Placement>, PromqlError> run() {
    for (const Placeholder& placeholder : lexed_.placeholders) {
      if (lexed_.tokens[placeholder.token].kind == TokenKind::kComment) {
        refuse(placeholder, "stands in a comment; take it out of the comment");
        return Unexpected(*error_);
      }
    }
    for (here_ = 0; here_ < code_.size(); ++here_) {
      const TokenKind kind = token().kind;
      if (kind == TokenKind::kPlaceholder) place_bare();
      if (kind == TokenKind::kString) place_in_string();
      if (error_) return Unexpected(*error_);
      follow_brackets();
    }
    return std::move(placements_);
  }

 private:
  const Token& token() const { return lexed_.tokens[code_[here_]]; }
  const Token* before(std::size_t steps = 1) const {
    return here_ < steps ? nullptr : &lexed_.tokens[code_[here_ - steps]];
  }
  const Token* after() const {
    return here_ + 1 < code_.size() ? &lexed_.tokens[code_[here_ + 1]] : nullptr;
  }
  static bool is(const Token* token, TokenKind kind) {
    return token != nullptr && token->kind == kind;
  }
  bool inside(TokenKind opener) const {
    return !frames_.empty() && frames_.back().opener == opener;
  }
  bool among_label_names() const { return !frames_.empty() && frames_.back().label_names; }

  void follow_brackets() {
    switch (token().kind) {
      case TokenKind::kLeftParen: {
        Frame frame;
        const Token* previous = before();
        frame.label_names = previous != nullptr && takes_labels(previous->kind);
        if (is(previous, TokenKind::kIdentifier)) frame.function = lowered(previous->text);
        frames_.push_back(std::move(frame));
        return;
      }
      case TokenKind::kLeftBrace:
      case TokenKind::kLeftBracket:
        frames_.push_back(Frame{token().kind, false, {}, 0});
        return;
      case TokenKind::kRightParen:
      case TokenKind::kRightBrace:
      case TokenKind::kRightBracket:
        frames_.pop_back();
        return;
      case TokenKind::kComma:
        if (!frames_.empty()) ++frames_.back().argument;
        return;
      default:
        return;
    }
  }

  void refuse(const Placeholder& placeholder, std::string_view sentence) {
    if (error_) return;
    error_ = PromqlError{std::string(placeholder.text) + " " + std::string(sentence),
                         placeholder.line, placeholder.column};
  }
  void accept(VariableContext context, QuoteKind quote = QuoteKind::kNone) {
    placements_.push_back(Placement{context, quote});
  }

  void place_bare() {
    const Placeholder& placeholder = lexed_.placeholders[placements_.size()];
    if (refuse_if_joined(placeholder)) return;
    if (inside(TokenKind::kLeftBrace)) return refuse_in_braces(placeholder);
    if (inside(TokenKind::kLeftBracket)) return place_in_brackets(placeholder);
    if (among_label_names()) {
      return refuse(placeholder, "stands where a label name must stand; write the name itself");
    }
    const Token* previous = before();
    const bool negated = is(previous, TokenKind::kMinus) && is(before(2), TokenKind::kOffset);
    if (is(previous, TokenKind::kOffset) || negated) return accept(VariableContext::kDuration);
    if (is(previous, TokenKind::kAt)) return accept(VariableContext::kTimestamp);
    place_operand(placeholder);
  }

  // foo_{{x}}, {{x}}m, {{a}}{{b}}: one word made of several parts.
  bool refuse_if_joined(const Placeholder& placeholder) {
    const Token* previous = before();
    const Token* next = after();
    const bool joined_before =
        previous != nullptr && is_wordlike(previous->kind) && previous->end() == token().offset;
    const bool joined_after =
        next != nullptr && is_wordlike(next->kind) && token().end() == next->offset;
    if (!joined_before && !joined_after) return false;
    const Token& neighbour = joined_before ? *previous : *next;
    const std::string joined = "is joined to '" + std::string(neighbour.text) + "'; ";
    if (neighbour.kind == TokenKind::kIdentifier && !inside(TokenKind::kLeftBracket)) {
      refuse(placeholder, joined +
                              "a variable cannot be part of a name. Choose a metric with "
                              "{__name__=\"…\"}, where variables may stand in the string");
    } else {
      refuse(placeholder,
             joined +
                 "outside of strings a variable stands for a whole number or duration, "
                 "whose value carries its unit");
    }
    return true;
  }

  void refuse_in_braces(const Placeholder& placeholder) {
    const Token* previous = before();
    const bool value = is(previous, TokenKind::kEqual) || is(previous, TokenKind::kNotEqual) ||
                       is(previous, TokenKind::kRegexMatch) ||
                       is(previous, TokenKind::kRegexMismatch);
    if (value) {
      return refuse(placeholder, "stands where a string must stand; put quotes around it: \"" +
                                     std::string(placeholder.text) + "\"");
    }
    refuse(placeholder,
           "stands where a label name or a whole matcher must stand; write the name itself and use "
           "variables in the quoted value");
  }

  void place_in_brackets(const Placeholder& placeholder) {
    const bool opens = is(before(), TokenKind::kLeftBracket) || is(before(), TokenKind::kColon);
    const bool closes = is(after(), TokenKind::kRightBracket) || is(after(), TokenKind::kColon);
    if (opens && closes) return accept(VariableContext::kDuration);
    refuse(placeholder, "must be the whole duration in the [ ], as in [" +
                            std::string(placeholder.text) +
                            "] or [1h:" + std::string(placeholder.text) + "]");
  }

  void place_operand(const Placeholder& placeholder) {
    const Token* previous = before();
    const Token* next = after();
    if (is(next, TokenKind::kLeftParen) || is(next, TokenKind::kBy) ||
        is(next, TokenKind::kWithout)) {
      return refuse(placeholder,
                    "stands where a function's name must stand; write the name itself");
    }
    if (is(next, TokenKind::kLeftBrace) || is(next, TokenKind::kLeftBracket) ||
        is(next, TokenKind::kOffset) || is(next, TokenKind::kAt)) {
      return refuse(placeholder,
                    "stands where a metric's name must stand; write the name itself, or "
                    "{__name__=\"" +
                        std::string(placeholder.text) + "\"}");
    }
    const bool starts = previous == nullptr || is_operator(previous->kind) ||
                        is_metricsql_operator(*previous) ||
                        previous->kind == TokenKind::kLeftParen ||
                        previous->kind == TokenKind::kComma || previous->kind == TokenKind::kBool;
    const bool ends = next == nullptr || is_operator(next->kind) || is_metricsql_operator(*next) ||
                      next->kind == TokenKind::kRightParen || next->kind == TokenKind::kComma;
    if (starts && ends) return accept(VariableContext::kNumber);
    refuse(placeholder,
           "stands where it is neither a string, a number nor a duration; write this part of the "
           "query without a variable");
  }

  void place_in_string() {
    const std::size_t index = code_[here_];
    const std::size_t first = placements_.size();
    std::size_t last = first;
    while (last < lexed_.placeholders.size() && lexed_.placeholders[last].token == index) ++last;
    if (first == last) return;
    const auto context = string_context(lexed_.placeholders[first]);
    if (!context) return;
    for (std::size_t i = first; i < last; ++i) {
      const bool more = i + 1 < last;
      const std::string_view why = why_not_here(*context, first, i, more);
      if (!why.empty()) return refuse(lexed_.placeholders[i], why);
    }
    for (std::size_t i = first; i < last; ++i) accept(*context, quote_kind(token().text.front()));
  }

  std::optional<VariableContext> string_context(const Placeholder& placeholder) {
    if (inside(TokenKind::kLeftBrace)) return matcher_context(placeholder);
    if (among_label_names()) {
      refuse(placeholder, "stands where a label name must stand; write the name itself");
      return std::nullopt;
    }
    const Token* previous = before();
    const Token* next = after();
    const bool starts = previous == nullptr || previous->kind == TokenKind::kLeftParen ||
                        previous->kind == TokenKind::kComma;
    const bool ends =
        next == nullptr || next->kind == TokenKind::kRightParen || next->kind == TokenKind::kComma;
    if (!starts || !ends || inside(TokenKind::kLeftBracket)) {
      refuse(
          placeholder,
          "is in a string that is neither a matcher's value nor a whole function argument; write "
          "the text in one pair of quotes, without + or anything else beside it");
      return std::nullopt;
    }
    if (!frames_.empty()) {
      for (const SpecialArgument& special : kSpecialArguments) {
        const Frame& frame = frames_.back();
        if (special.function == frame.function && special.argument == frame.argument) {
          return special.context;
        }
      }
    }
    return VariableContext::kLabelString;
  }

  std::optional<VariableContext> matcher_context(const Placeholder& placeholder) {
    const Token* op = before();
    const Token* label = before(2);
    const bool regex = is(op, TokenKind::kRegexMatch) || is(op, TokenKind::kRegexMismatch);
    const bool plain = is(op, TokenKind::kEqual) || is(op, TokenKind::kNotEqual);
    const bool ends = !is(after(), TokenKind::kPlus);
    if ((!regex && !plain) || !ends) {
      refuse(placeholder,
             "is in a string that is not the whole value of a matcher; write a label, = or =~ and "
             "the value in one pair of quotes, as in app=\"" +
                 std::string(placeholder.text) + "\"");
      return std::nullopt;
    }
    if (label != nullptr && label->text == "__graphite__") {
      refuse(placeholder, "is in a Graphite pattern, where values cannot be escaped; use matchers");
      return std::nullopt;
    }
    return regex ? VariableContext::kRegexMatcher : VariableContext::kLabelString;
  }

  // Placeholders first…i of this string are looked at; i is the one in question.
  std::string_view why_not_here(VariableContext context, std::size_t first, std::size_t i,
                                bool more) const {
    if (context == VariableContext::kLabelString) return {};
    const QuoteKind quote = quote_kind(token().text.front());
    const auto& placeholders = lexed_.placeholders;
    const auto literal = [&](std::size_t from, std::size_t to) {
      const std::string_view raw = token().text.substr(from - token().offset, to - from);
      // A piece of a raw string may end in a backslash, which a whole one may not.
      if (quote == QuoteKind::kRaw) return std::string(raw);
      return decode(raw, quote).value_or(std::string());
    };
    std::string so_far = literal(token().offset + 1, placeholders[first].offset);
    for (std::size_t k = first; k < i; ++k) {
      so_far += context == VariableContext::kReplacement ? "-" : "x";
      so_far += literal(placeholders[k].end(), placeholders[k + 1].offset);
    }
    if (context == VariableContext::kReplacement) return why_not_in_replacement(so_far);
    const std::size_t end = more ? placeholders[i + 1].offset : token().end() - 1;
    return why_not_in_regex(so_far, literal(placeholders[i].end(), end));
  }

  const Lexed& lexed_;
  std::vector<std::size_t> code_;  // indices of the tokens that are no comments
  std::size_t here_ = 0;           // index into code_
  std::vector<Frame> frames_;
  std::vector<Placement> placements_;
  std::optional<PromqlError> error_;
};

}  // namespace

Expected<std::vector<Placement>, PromqlError> place_variables(const Lexed& lexed) {
  return Placer(lexed).run();
}

}  // namespace rollwatch::promql
