#include "daemon/cli/trend.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "daemon/cli/fields.h"

namespace rollwatch {
namespace {

constexpr std::array<std::string_view, 8> kBars{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
constexpr std::string_view kNoValue = "·";

// The number of "> 0.05"; nothing for a rule without one.
std::optional<double> limit_of(const std::string& rule) {
  const std::size_t begin = rule.find_last_of(' ') + 1;
  double limit = 0;
  const auto [end, error] = std::from_chars(rule.data() + begin, rule.data() + rule.size(), limit);
  if (error != std::errc() || end != rule.data() + rule.size()) return std::nullopt;
  return limit;
}

}  // namespace

std::string bars(const std::deque<std::optional<double>>& values, const std::string& rule) {
  std::optional<double> least;
  std::optional<double> most;
  const auto widen = [&](double value) {
    least = least ? std::min(*least, value) : value;
    most = most ? std::max(*most, value) : value;
  };
  for (const auto& value : values) {
    if (value) widen(*value);
  }
  if (const auto limit = limit_of(rule)) widen(*limit);
  // Small against a limit from above is small, not the bottom of what was seen.
  if (rule.starts_with('>') && least && *least > 0) widen(0);
  std::string text;
  for (const auto& value : values) {
    if (!value) {
      text += kNoValue;
      continue;
    }
    const double span = *most - *least;
    const double share = span > 0 ? (*value - *least) / span : 0;
    const auto index = static_cast<std::size_t>(
        std::clamp(std::floor(share * kBars.size()), 0.0, static_cast<double>(kBars.size() - 1)));
    text += kBars[index];
  }
  return text;
}

void Trends::add(const std::string& condition, const std::string& slot,
                 const nlohmann::json& value) {
  Trend& trend = trends_[condition];
  if (slot.empty() || slot <= trend.last_slot) return;
  trend.last_slot = slot;
  trend.values.push_back(value.is_number() ? std::optional(value.get<double>()) : std::nullopt);
  if (trend.values.size() > kWidth) trend.values.pop_front();
}

void Trends::add_evaluation(const nlohmann::json& evaluation) {
  add(text_at(evaluation, "condition"), text_at(evaluation, "slot"), child_at(evaluation, "value"));
}

void Trends::add_rollout(const nlohmann::json& rollout) {
  for (const auto& condition : child_at(rollout, "conditions")) {
    const auto& last = child_at(condition, "last");
    const std::string outcome = text_at(last, "outcome");
    const bool has_value = outcome == "pass" || outcome == "fail" || outcome == "inconclusive";
    add(text_at(condition, "name"), text_at(last, "slot"),
        has_value ? child_at(condition, "value") : nlohmann::json());
  }
}

std::string Trends::of(const std::string& condition, const std::string& rule) const {
  const auto found = trends_.find(condition);
  return found == trends_.end() ? "" : bars(found->second.values, rule);
}

}  // namespace rollwatch
