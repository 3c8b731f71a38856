#include "analysis/promql/lexer.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "analysis/promql/literals.h"
#include "analysis/promql/quoting.h"

namespace rollwatch::promql {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_word(char c) { return is_letter(c) || is_digit(c); }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

struct Spelling {
  std::string_view text;
  TokenKind kind;
};

constexpr std::array<Spelling, 14> kKeywords = {{{"and", TokenKind::kAnd},
                                                 {"or", TokenKind::kOr},
                                                 {"unless", TokenKind::kUnless},
                                                 {"atan2", TokenKind::kAtan2},
                                                 {"bool", TokenKind::kBool},
                                                 {"on", TokenKind::kOn},
                                                 {"ignoring", TokenKind::kIgnoring},
                                                 {"group_left", TokenKind::kGroupLeft},
                                                 {"group_right", TokenKind::kGroupRight},
                                                 {"by", TokenKind::kBy},
                                                 {"without", TokenKind::kWithout},
                                                 {"offset", TokenKind::kOffset},
                                                 {"inf", TokenKind::kNumber},
                                                 {"nan", TokenKind::kNumber}}};

// Longest first.
constexpr std::array<Spelling, 17> kSymbols = {{{"==", TokenKind::kEqualEqual},
                                                {"=~", TokenKind::kRegexMatch},
                                                {"!=", TokenKind::kNotEqual},
                                                {"!~", TokenKind::kRegexMismatch},
                                                {">=", TokenKind::kGreaterEqual},
                                                {"<=", TokenKind::kLessEqual},
                                                {"=", TokenKind::kEqual},
                                                {">", TokenKind::kGreater},
                                                {"<", TokenKind::kLess},
                                                {"+", TokenKind::kPlus},
                                                {"-", TokenKind::kMinus},
                                                {"*", TokenKind::kStar},
                                                {"/", TokenKind::kSlash},
                                                {"%", TokenKind::kPercent},
                                                {"^", TokenKind::kCaret},
                                                {",", TokenKind::kComma},
                                                {"@", TokenKind::kAt}}};

constexpr std::array<Spelling, 3> kOpeners = {
    {{"(", TokenKind::kLeftParen}, {"{", TokenKind::kLeftBrace}, {"[", TokenKind::kLeftBracket}}};
// In the order of kOpeners.
constexpr std::array<Spelling, 3> kClosers = {{{")", TokenKind::kRightParen},
                                               {"}", TokenKind::kRightBrace},
                                               {"]", TokenKind::kRightBracket}}};

template <std::size_t N>
const Spelling* starting(const std::array<Spelling, N>& table, std::string_view text) {
  const auto found = std::find_if(table.begin(), table.end(),
                                  [&](const Spelling& s) { return text.starts_with(s.text); });
  return found == table.end() ? nullptr : &*found;
}

// "')'" for the token "(".
std::string closing_of(const Token& opener) {
  for (std::size_t i = 0; i < kOpeners.size(); ++i) {
    if (kOpeners[i].kind == opener.kind) return "'" + std::string(kClosers[i].text) + "'";
  }
  return "its counterpart";
}

std::string where(int line, int column) {
  return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

class Lexer {
 public:
  Lexer(std::string_view query, LexMode mode) : query_(query), mode_(mode) {}

  Expected<Lexed, PromqlError> run() {
    while (!error_ && offset_ < query_.size()) scan_one();
    if (!error_ && !open_.empty()) {
      const Token& opener = open_.back();
      fail_at(opener.line, opener.column,
              "'" + std::string(opener.text) + "' is opened here and never closed; " +
                  closing_of(opener) + " is missing");
    }
    if (error_) return Unexpected(*std::move(error_));
    return std::move(lexed_);
  }

 private:
  char at(std::size_t ahead) const {
    return offset_ + ahead < query_.size() ? query_[offset_ + ahead] : '\0';
  }
  std::string_view rest() const { return query_.substr(offset_); }
  bool inside(TokenKind opener) const { return !open_.empty() && open_.back().kind == opener; }

  void scan_one() {
    const char c = at(0);
    if (is_space(c)) return advance(1);
    if (mode_ == LexMode::kTemplate && rest().starts_with("{{")) return scan_placeholder_token();
    if (c == '#') return scan_comment();
    if (quote_kind(c) != QuoteKind::kNone) return scan_string();
    if (is_digit(c) || (c == '.' && is_digit(at(1)))) return scan_number_or_duration();
    if (c == ':' && inside(TokenKind::kLeftBracket)) return emit(TokenKind::kColon, 1);
    if (is_letter(c) || c == ':') return scan_word();
    if (const Spelling* opener = starting(kOpeners, rest())) return scan_opener(*opener);
    if (starting(kClosers, rest()) != nullptr) return scan_closer();
    if (const Spelling* symbol = starting(kSymbols, rest())) {
      return emit(symbol->kind, symbol->text.size());
    }
    if (c == '!') return fail("'!' must be followed by '=' or '~'");
    fail(unexpected(c));
  }

  static std::string unexpected(char c) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7F)
      return std::string("unexpected character '") + c +
             "'; take it out, or put quotes around the text it belongs to";
    constexpr std::string_view kHex = "0123456789abcdef";
    return std::string("unexpected byte 0x") + kHex[byte >> 4] + kHex[byte & 15] +
           "; outside of strings and comments a query is ASCII, so take it out or put quotes "
           "around "
           "the text it belongs to";
  }

  void advance(std::size_t count) {
    for (; count > 0; --count, ++offset_) {
      if (query_[offset_] == '\n') {
        ++line_;
        column_ = 1;
      } else {
        ++column_;
      }
    }
  }

  Token token_here(TokenKind kind, std::size_t length) const {
    return Token{kind, query_.substr(offset_, length), offset_, line_, column_};
  }

  void emit(TokenKind kind, std::size_t length) {
    lexed_.tokens.push_back(token_here(kind, length));
    advance(length);
  }

  void fail(std::string message) { fail_at(line_, column_, std::move(message)); }
  void fail_at(int line, int column, std::string message) {
    error_ = PromqlError{std::move(message), line, column};
  }

  // Records the placeholder here, which belongs to the token about to be added, and steps over it.
  bool take_placeholder() {
    std::string_view name;
    const std::size_t length = placeholder_length(rest(), name);
    if (length == 0) {
      fail(std::string(bad_placeholder_message()));
      return false;
    }
    lexed_.placeholders.push_back(Placeholder{name, query_.substr(offset_, length), offset_, line_,
                                              column_, lexed_.tokens.size()});
    advance(length);
    return true;
  }

  void scan_placeholder_token() {
    Token token = token_here(TokenKind::kPlaceholder, 0);
    if (!take_placeholder()) return;
    finish(token);
  }

  // Adds a token that began earlier and ends here.
  void finish(Token token) {
    token.text = query_.substr(token.offset, offset_ - token.offset);
    lexed_.tokens.push_back(token);
  }

  void scan_comment() {
    const Token token = token_here(TokenKind::kComment, 0);
    while (offset_ < query_.size() && at(0) != '\n') {
      if (mode_ == LexMode::kTemplate && rest().starts_with("{{")) {
        if (!take_placeholder()) return;
        continue;
      }
      advance(1);
    }
    finish(token);
  }

  void scan_string() {
    const Token token = token_here(TokenKind::kString, 0);
    const QuoteKind quote = quote_kind(at(0));
    const std::string opening(1, at(0));
    advance(1);
    while (offset_ < query_.size()) {
      if (quote_kind(at(0)) == quote) return close_string(token, quote);
      if (at(0) == '\n' && quote != QuoteKind::kRaw) break;
      if (!scan_string_character(quote)) return;
    }
    fail_at(
        token.line, token.column,
        "the string opened here with " + opening + " is not closed" +
            (quote == QuoteKind::kRaw ? "; a second ` is missing"
                                      : " on its line; a second " + opening +
                                            " is missing, or a line break in it that is written "
                                            "\\n"));
  }

  // The text is fine up to the closing quote here.
  void close_string(const Token& token, QuoteKind quote) {
    const std::string_view body = query_.substr(token.offset + 1, offset_ - token.offset - 1);
    if (quote == QuoteKind::kRaw && !decode(body, quote)) {
      return fail(
          "a `raw string` cannot end in a backslash, which VictoriaMetrics takes for an escape; "
          "write the string with \"double quotes\"");
    }
    advance(1);
    finish(token);
  }

  bool scan_string_character(QuoteKind quote) {
    if (mode_ == LexMode::kTemplate && rest().starts_with("{{")) return take_placeholder();
    if (at(0) == '\\' && quote != QuoteKind::kRaw) {
      const std::size_t escape = escape_length(rest(), quote);
      if (escape == 0) {
        fail("unknown escape sequence; a backslash itself is written \\\\ here");
        return false;
      }
      advance(escape);
      return true;
    }
    const std::size_t length = utf8_length(rest());
    if (length == 0) {
      fail("this string is not valid UTF-8; save the query as UTF-8");
      return false;
    }
    advance(length);
    return true;
  }

  void scan_number_or_duration() {
    const std::size_t number = number_length(rest());
    const std::size_t duration = duration_length(rest());
    const std::size_t length = std::max(number, duration);
    const char next = at(length);
    if (length == 0 || is_word(next) || next == '.') {
      std::size_t end = length;
      while (is_word(at(end)) || at(end) == '.') ++end;
      return fail(
          "'" + std::string(rest().substr(0, std::min<std::size_t>(end, 40))) +
          "' is neither a number nor a duration; write one such as 5, 0.05, 1e-3, 5m or 1h30m");
    }
    emit(duration > number ? TokenKind::kDuration : TokenKind::kNumber, length);
  }

  void scan_word() {
    const bool colons = !inside(TokenKind::kLeftBracket);
    std::size_t length = 1;
    while (is_word(at(length)) || (colons && at(length) == ':')) ++length;
    emit(word_kind(rest().substr(0, length)), length);
  }

  TokenKind word_kind(std::string_view word) const {
    if (inside(TokenKind::kLeftBrace) || word.size() > 11) return TokenKind::kIdentifier;
    const std::string name = lowered(word);
    for (const Spelling& keyword : kKeywords) {
      if (keyword.text == name) return keyword.kind;
    }
    if (!lexed_.tokens.empty() && lexed_.tokens.back().kind == TokenKind::kAt) {
      if (name == "start") return TokenKind::kStart;
      if (name == "end") return TokenKind::kEnd;
    }
    return TokenKind::kIdentifier;
  }

  // "the '(' opened at line 1, column 4; close that one with ')' first"
  std::string close_first() const {
    const Token& opener = open_.back();
    return "the '" + std::string(opener.text) + "' opened at " + where(opener.line, opener.column) +
           "; close that one with " + closing_of(opener) + " first";
  }

  void scan_opener(const Spelling& opener) {
    if (inside(TokenKind::kLeftBrace) || inside(TokenKind::kLeftBracket)) {
      return fail("'" + std::string(opener.text) + "' cannot stand inside " + close_first());
    }
    open_.push_back(token_here(opener.kind, 1));
    emit(opener.kind, 1);
  }

  void scan_closer() {
    const auto closer = static_cast<std::size_t>(starting(kClosers, rest()) - kClosers.data());
    const std::string text(kClosers[closer].text);
    if (open_.empty())
      return fail("'" + text + "' closes nothing that was opened; take it out, or open it earlier");
    if (!inside(kOpeners[closer].kind)) {
      return fail("'" + text + "' cannot close " + close_first());
    }
    open_.pop_back();
    emit(kClosers[closer].kind, 1);
  }

  std::string_view query_;
  LexMode mode_;
  std::size_t offset_ = 0;
  int line_ = 1;
  int column_ = 1;
  std::vector<Token> open_;
  Lexed lexed_;
  std::optional<PromqlError> error_;
};

}  // namespace

std::string lowered(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

bool is_metricsql_operator(const Token& token) {
  if (token.kind != TokenKind::kIdentifier) return false;
  const std::string word = lowered(token.text);
  return word == "default" || word == "if" || word == "ifnot";
}

std::string to_string(const PromqlError& error) {
  return where(error.line, error.column) + ": " + error.message;
}

Expected<Lexed, PromqlError> lex(std::string_view query, LexMode mode) {
  return Lexer(query, mode).run();
}

std::size_t placeholder_length(std::string_view text, std::string_view& name) {
  const auto at = [text](std::size_t i) { return i < text.size() ? text[i] : '\0'; };
  const auto skip_blanks = [&](std::size_t i) {
    while (at(i) == ' ' || at(i) == '\t') ++i;
    return i;
  };
  if (!text.starts_with("{{")) return 0;
  const std::size_t begin = skip_blanks(2);
  std::size_t end = begin;
  while (true) {
    if (!is_letter(at(end))) return 0;
    while (is_word(at(end))) ++end;
    if (at(end) != '.') break;
    ++end;
  }
  const std::size_t close = skip_blanks(end);
  if (at(close) != '}' || at(close + 1) != '}') return 0;
  name = text.substr(begin, end - begin);
  return close + 2;
}

std::string_view bad_placeholder_message() {
  return "'{{' must open a variable such as {{service}} or {{labels.team}}: a name of letters, "
         "digits, '_' and '.', then '}}'";
}

}  // namespace rollwatch::promql
