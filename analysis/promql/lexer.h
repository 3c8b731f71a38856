// Splits a PromQL query into tokens: what Prometheus 2.42 and VictoriaMetrics' MetricsQL have in
// common, plus our own `{{variable}}` placeholders, which may stand in code, strings and comments.
//
//   auto lexed = lex("rate(x{app=\"{{service}}\"}[{{window}}]) > 5");
//   lexed->tokens        ... kLeftBracket, kPlaceholder "{{window}}", kRightBracket ...
//   lexed->placeholders  "service" inside the string token, "window" as a token of its own
//
// It knows words, not grammar: `5 5 ( )` is four good tokens. Brackets are balanced in every
// answer, and every string has only escapes that both servers understand.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/expected.h"

namespace rollwatch::promql {

// Where and why a query was refused. Lines and columns count from 1; columns count bytes, so a
// letter outside ASCII (in a string or comment) moves the column by more than one.
struct PromqlError {
  std::string message;
  int line = 1;
  int column = 1;

  friend bool operator==(const PromqlError&, const PromqlError&) = default;
};

// "line 2, column 7: unexpected character '$'"
std::string to_string(const PromqlError& error);

enum class TokenKind {
  kIdentifier,   // metric, label or function name; `sum` and other function-like words too
  kNumber,       // 1, .5, 1e-3, 0x1F, Inf, NaN, and MetricsQL's 5K or 2MiB
  kDuration,     // 5m, 1h30m, 500ms, and MetricsQL's 1.5h or 3i
  kString,       // with its quotes: "…", '…' or `…`
  kPlaceholder,  // {{name}}
  kComment,      // from # up to the line's end, without the newline
  kLeftParen,
  kRightParen,
  kLeftBrace,
  kRightBrace,
  kLeftBracket,
  kRightBracket,
  kComma,
  kColon,  // only inside [ ]; elsewhere a colon belongs to an identifier
  kAt,
  kEqual,          // =
  kRegexMatch,     // =~
  kRegexMismatch,  // !~
  kEqualEqual,
  kNotEqual,  // comparison and label matcher
  kGreater,
  kGreaterEqual,
  kLess,
  kLessEqual,
  kPlus,
  kMinus,
  kStar,
  kSlash,
  kPercent,
  kCaret,
  // Words in any case. Between { and } they are identifiers, as `{on="x"}` is a label.
  kAnd,
  kOr,
  kUnless,
  kAtan2,
  kBool,
  kOn,
  kIgnoring,
  kGroupLeft,
  kGroupRight,
  kBy,
  kWithout,
  kOffset,
  kStart,  // only right after @: elsewhere a metric may have this name
  kEnd,    // the same
};

struct Token {
  TokenKind kind = TokenKind::kIdentifier;
  std::string_view text;   // points into the lexed query
  std::size_t offset = 0;  // of the first byte
  int line = 1;
  int column = 1;

  std::size_t end() const { return offset + text.size(); }
};

// A `{{name}}` wherever it stands.
struct Placeholder {
  std::string_view name;   // without braces and spaces
  std::string_view text;   // with them
  std::size_t offset = 0;  // of the first brace
  int line = 1;
  int column = 1;
  std::size_t token = 0;  // index of the token it is, or is inside of (a string or a comment)

  std::size_t end() const { return offset + text.size(); }
};

struct Lexed {
  std::vector<Token> tokens;
  std::vector<Placeholder> placeholders;  // in order of their offsets
};

enum class LexMode {
  kTemplate,  // `{{` always opens a placeholder; anything else behind it is an error
  kPlain,     // a finished query: `{{` has no meaning in strings, and is an error outside of them
};

// The views in the result point into query, which must outlive them.
Expected<Lexed, PromqlError> lex(std::string_view query, LexMode mode = LexMode::kTemplate);

// ASCII letters only, as PromQL's words are.
std::string lowered(std::string_view text);

// `default`, `if` and `ifnot`: operators to MetricsQL, ordinary names to Prometheus. They bind
// weaker than any other operator.
bool is_metricsql_operator(const Token& token);

// The length of the `{{ name }}` that text starts with, or 0. A name is words of letters, digits
// and
// '_' joined by dots; spaces and tabs around it are allowed. Sets name.
std::size_t placeholder_length(std::string_view text, std::string_view& name);

// What is said about a `{{` that opens no placeholder.
std::string_view bad_placeholder_message();

}  // namespace rollwatch::promql
