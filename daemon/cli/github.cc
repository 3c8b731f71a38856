#include "daemon/cli/github.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "daemon/cli/fields.h"
#include "daemon/cli/junit.h"
#include "daemon/cli/render.h"

namespace rollwatch {
namespace {

std::string title_of(const nlohmann::json& rollout) {
  return rollout.is_null() ? "rollout" : rollout_name(rollout);
}

// Text from outside is no Markdown and no HTML.
std::string markdown_text(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (std::string_view("\\`*_[]|<>#!&").find(c) != std::string_view::npos) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

// In the value of a workflow command; in a property also what separates properties.
std::string command_text(const std::string& text, bool property) {
  std::string escaped;
  for (const char c : text) {
    const bool special = c == '%' || c == '\r' || c == '\n' || (property && (c == ':' || c == ','));
    escaped += special ? fmt::format("%{:02X}", static_cast<unsigned char>(c)) : std::string(1, c);
  }
  return escaped;
}

}  // namespace

std::string github_output(const nlohmann::json& rollout, ExitCode end) {
  return fmt::format("id={}\nstate={}\nverdict={}\nexit_code={}\n", text_at(rollout, "id"),
                     text_at(rollout, "state"), text_at(rollout, "verdict"), static_cast<int>(end));
}

std::string github_summary(const nlohmann::json& rollout, ExitCode end) {
  std::string text = fmt::format("### {}\n\n{}\n", markdown_text(title_of(rollout)),
                                 markdown_text(end_message(rollout, end)));
  const auto& conditions = child_at(rollout, "conditions");
  if (!conditions.is_array() || conditions.empty()) return text;
  text +=
      "\n| condition | verdict | value | rule | pass | fail | latest |\n"
      "|---|---|---|---|---|---|---|\n";
  for (const auto& condition : conditions) {
    const auto& counts = child_at(condition, "counts");
    text += "|";
    for (const std::string& cell :
         {cell_at(condition, "name"), cell_at(condition, "verdict"), cell_at(condition, "value"),
          cell_at(condition, "rule"), cell_at(counts, "pass"), cell_at(counts, "fail"),
          text_at(child_at(condition, "last"), "detail")})
      text += fmt::format(" {} |", markdown_text(cell));
    text += "\n";
  }
  return text;
}

std::string github_annotation(const nlohmann::json& rollout, ExitCode end) {
  if (end == ExitCode::kPromoted) return "";
  return fmt::format("::error title={}::{}\n", command_text(title_of(rollout), true),
                     command_text(end_message(rollout, end), false));
}

}  // namespace rollwatch
