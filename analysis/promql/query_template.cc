#include "analysis/promql/query_template.h"

#include <algorithm>
#include <utility>

#include "analysis/promql/literals.h"

namespace rollwatch::promql {
namespace {

Variable variable_of(const Placeholder& placeholder, Placement placement) {
  return Variable{std::string(placeholder.name), placement.context, placement.quote,
                  placeholder.line, placeholder.column};
}

// Cuts text at the placeholders; placements has one entry for each.
std::vector<Segment> cut(std::string_view text, const std::vector<Placeholder>& placeholders,
                         const std::vector<Placement>& placements) {
  std::vector<Segment> segments;
  std::size_t done = 0;
  for (std::size_t i = 0; i < placeholders.size(); ++i) {
    const Placeholder& placeholder = placeholders[i];
    if (placeholder.offset > done) {
      segments.emplace_back(std::string(text.substr(done, placeholder.offset - done)));
    }
    segments.emplace_back(variable_of(placeholder, placements[i]));
    done = placeholder.end();
  }
  if (done < text.size()) segments.emplace_back(std::string(text.substr(done)));
  return segments;
}

Expected<std::vector<Placeholder>, TemplateError> find_placeholders(std::string_view text) {
  std::vector<Placeholder> found;
  int line = 1;
  int column = 1;
  for (std::size_t offset = 0; offset < text.size();) {
    const std::string_view rest = text.substr(offset);
    if (rest.starts_with("{{")) {
      std::string_view name;
      const std::size_t length = placeholder_length(rest, name);
      if (length == 0) {
        return Unexpected(TemplateError{std::string(bad_placeholder_message()), line, column});
      }
      found.push_back(Placeholder{name, rest.substr(0, length), offset, line, column, 0});
      offset += length;
      column += static_cast<int>(length);
      continue;
    }
    const std::size_t length = utf8_length(rest);
    if (length == 0) return Unexpected(TemplateError{"not valid UTF-8", line, column});
    if (rest.front() == '\n') {
      ++line;
      column = 1;
    } else {
      column += static_cast<int>(length);
    }
    offset += length;
  }
  return found;
}

// " (it is \"…\")", or nothing for what would not be readable in a message.
std::string shown(std::string_view value) {
  const bool readable = value.size() <= 60 && std::all_of(value.begin(), value.end(), [](char c) {
                          return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F;
                        });
  return readable ? " (it is \"" + std::string(value) + "\")" : "";
}

// The value as it is written in its place, or why it cannot be.
Expected<std::string, std::string> written(const Variable& variable, const std::string& value) {
  const auto in_string = [&](std::string_view text) -> Expected<std::string, std::string> {
    // encode() looks at this value alone; together with backslashes of the template or of another
    // value before it an even number of them at the end could become odd. escape_regex pairs them.
    const bool open_end = variable.quote == QuoteKind::kRaw && value.ends_with('\\') &&
                          variable.context != VariableContext::kRegexMatcher;
    auto encoded = encode(text, variable.quote);
    if (encoded && !open_end) return *std::move(encoded);
    return Unexpected(
        std::string("has a value that a `raw string` cannot hold (a backtick, a carriage return, "
                    "U+FFFD, or a backslash at its end); write that string of the query with "
                    "\"double quotes\""));
  };
  switch (variable.context) {
    case VariableContext::kLabelString:
      return in_string(value);
    case VariableContext::kRegexMatcher:
      return in_string(escape_regex(value));
    case VariableContext::kReplacement:
      return in_string(escape_replacement(value));
    case VariableContext::kNumber:
    case VariableContext::kTimestamp:
      if (!is_plain_number(value)) {
        return Unexpected("stands where a number is needed, such as 5 or 0.25" + shown(value));
      }
      if (variable.context == VariableContext::kNumber && value.starts_with('-')) {
        return "(" + value + ")";
      }
      return value;
    case VariableContext::kDuration:
      if (!is_plain_duration(value)) {
        return Unexpected("stands where a duration is needed, such as 30s, 5m or 1h30m" +
                          shown(value));
      }
      return value;
    case VariableContext::kPlainText:
      return value;
  }
  return Unexpected(std::string("stands in an unknown place"));
}

constexpr std::size_t kUsualLength = 256;

Expected<std::string, RenderError> render_segments(const std::vector<Segment>& segments,
                                                   const VariableLookup& lookup) {
  std::string out;
  out.reserve(kUsualLength);
  for (const Segment& segment : segments) {
    if (const auto* literal = std::get_if<std::string>(&segment)) {
      out += *literal;
      continue;
    }
    const auto& variable = std::get<Variable>(segment);
    const auto refuse = [&](const std::string& why) {
      return Unexpected(RenderError{variable.name, "{{" + variable.name + "}} " + why});
    };
    const std::optional<std::string> value = lookup(variable.name);
    if (!value) return refuse("is not known here");
    if (value->empty()) return refuse("is empty; give it a value or leave it out of the text");
    if (!is_valid_utf8(*value)) return refuse("has a value that is not valid UTF-8");
    auto text = written(variable, *value);
    if (!text) return refuse(text.error());
    out += *text;
  }
  return out;
}

}  // namespace

std::vector<Variable> SegmentedText::variables() const {
  std::vector<Variable> found;
  for (const Segment& segment : segments_) {
    if (const auto* variable = std::get_if<Variable>(&segment)) found.push_back(*variable);
  }
  return found;
}

bool SegmentedText::uses(std::string_view name) const {
  return std::any_of(segments_.begin(), segments_.end(), [name](const Segment& segment) {
    const auto* variable = std::get_if<Variable>(&segment);
    return variable != nullptr && variable->name == name;
  });
}

Expected<QueryTemplate, TemplateError> parse_query_template(std::string_view text) {
  const auto lexed = lex(text);
  if (!lexed) return Unexpected(lexed.error());
  const auto placements = place_variables(*lexed);
  if (!placements) return Unexpected(placements.error());
  return QueryTemplate(std::string(text), cut(text, lexed->placeholders, *placements));
}

Expected<TextTemplate, TemplateError> parse_text_template(std::string_view text) {
  const auto placeholders = find_placeholders(text);
  if (!placeholders) return Unexpected(placeholders.error());
  const std::vector<Placement> placements(placeholders->size());
  return TextTemplate(std::string(text), cut(text, *placeholders, placements));
}

Expected<std::string, RenderError> render(const QueryTemplate& query,
                                          const VariableLookup& lookup) {
  return render_segments(query.segments(), lookup);
}

Expected<std::string, RenderError> render(const TextTemplate& text, const VariableLookup& lookup) {
  return render_segments(text.segments(), lookup);
}

std::string_view to_string(VariableContext context) {
  switch (context) {
    case VariableContext::kLabelString:
      return "label string";
    case VariableContext::kRegexMatcher:
      return "regular expression";
    case VariableContext::kReplacement:
      return "replacement text";
    case VariableContext::kNumber:
      return "number";
    case VariableContext::kTimestamp:
      return "timestamp";
    case VariableContext::kDuration:
      return "duration";
    case VariableContext::kPlainText:
      return "plain text";
  }
  return "unknown";
}

}  // namespace rollwatch::promql
