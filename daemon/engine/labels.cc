#include "daemon/engine/labels.h"

#include <nlohmann/json.hpp>

#include "analysis/text.h"

namespace rollwatch {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kLongestLabelText = 290;

}  // namespace

std::string label_text(const DecisionLabel& label) {
  const Json json{{"label", label.word()},
                  {"reason", label.reason},
                  {"by", label.by},
                  {"at", format_time(label.at)}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<DecisionLabel> read_label(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  const auto text_of = [&json](const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  const auto at = parse_time(text_of("at"));
  if (!at) return std::nullopt;
  return DecisionLabel{text_of("label") == "right", text_of("by"), text_of("reason"), *at};
}

std::optional<DecisionKind> judged_decision(State state) {
  switch (state) {
    case State::kPromoted:
      return DecisionKind::kPromote;
    case State::kRolledBack:
    case State::kRollbackFailed:
      return DecisionKind::kRollback;
    default:
      return std::nullopt;
  }
}

std::string label_sentence(DecisionKind kind, const DecisionLabel& label) {
  const char* what = kind == DecisionKind::kPromote ? "the promotion" : "the rollback";
  const std::string by = label.by.empty() ? "nobody named" : label.by;
  return cut(std::string(what) + " is labelled " + std::string(label.word()) + " by " + by + ": " +
                 label.reason,
             kLongestLabelText);
}

}  // namespace rollwatch
