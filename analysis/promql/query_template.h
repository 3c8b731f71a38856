// A PromQL query with `{{variables}}`, cut into literal text and variables that know what they
// stand for, so that a value can be written in such a way that it cannot change the query's
// meaning.
//
//   auto query = parse_query_template("rate(x{app=\"{{service}}\"}[{{window}}])");
//   auto text = render(*query, [](std::string_view name) { return values.find(name); });
//
// A place where no value would be safe for every text is refused when the template is parsed, with
// line and column; a value that does not fit its place is refused when it is rendered, by name.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "analysis/expected.h"
#include "analysis/promql/lexer.h"
#include "analysis/promql/placement.h"

namespace rollwatch::promql {

using TemplateError = PromqlError;

struct Variable {
  std::string name;
  VariableContext context = VariableContext::kPlainText;
  QuoteKind quote = QuoteKind::kNone;  // of the string it stands in
  int line = 1;                        // in the template's text
  int column = 1;

  friend bool operator==(const Variable&, const Variable&) = default;
};

using Segment = std::variant<std::string, Variable>;

// What a query and a plain text have in common. Immutable; equal when the texts are equal.
class SegmentedText {
 public:
  const std::string& text() const { return text_; }
  const std::vector<Segment>& segments() const { return segments_; }
  // Every occurrence in order; the same name may come several times, with different contexts.
  std::vector<Variable> variables() const;
  bool uses(std::string_view name) const;

  friend bool operator==(const SegmentedText& a, const SegmentedText& b) {
    return a.text_ == b.text_;
  }

 protected:
  SegmentedText(std::string text, std::vector<Segment> segments)
      : text_(std::move(text)), segments_(std::move(segments)) {}

 private:
  std::string text_;
  std::vector<Segment> segments_;
};

class QueryTemplate : public SegmentedText {
  using SegmentedText::SegmentedText;
  friend Expected<QueryTemplate, TemplateError> parse_query_template(std::string_view);
};

// A text outside of PromQL, such as a label's value "{{service}}-{{target}}": nothing is quoted.
class TextTemplate : public SegmentedText {
  using SegmentedText::SegmentedText;
  friend Expected<TextTemplate, TemplateError> parse_text_template(std::string_view);
};

Expected<QueryTemplate, TemplateError> parse_query_template(std::string_view text);
Expected<TextTemplate, TemplateError> parse_text_template(std::string_view text);

// A sentence that names the variable and says what its value must be. It quotes the value only when
// that is short and printable.
struct RenderError {
  std::string variable;
  std::string message;

  friend bool operator==(const RenderError&, const RenderError&) = default;
};

// nullopt: there is no such variable. An empty value is refused as well: it would silently match
// series that lack the label.
using VariableLookup = std::function<std::optional<std::string>(std::string_view name)>;

// Values are put in once: a value that looks like `{{service}}` stays as it is. A negative number
// gets parentheses, as -5 ^ 2 is not (-5) ^ 2.
Expected<std::string, RenderError> render(const QueryTemplate& query, const VariableLookup& lookup);
Expected<std::string, RenderError> render(const TextTemplate& text, const VariableLookup& lookup);

// "label string", "regular expression", "number", …: for messages and for --check-config.
std::string_view to_string(VariableContext context);

}  // namespace rollwatch::promql
