#include "analysis/order_template.h"

#include <algorithm>
#include <array>
#include <optional>

namespace rollwatch {
namespace {

constexpr std::string_view kOpen = "{{";
constexpr std::string_view kClose = "}}";

std::string_view inside_spaces(std::string_view text) {
  const std::size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

constexpr std::array<std::string_view, 17> kVariables = {
    "namespace",     "service", "target",      "candidate", "stable", "weight",
    "stable_weight", "step",    "kind",        "rollout",   "order",  "fence",
    "reason",        "by",      "explain_url", "labels.",   "args."};

// "labels." stands for all that begin with it.
bool is_known(std::string_view name) {
  return std::any_of(kVariables.begin(), kVariables.end(), [&](std::string_view one) {
    return one.back() == '.' ? name.size() > one.size() && name.starts_with(one) : name == one;
  });
}

std::string list_of_variables() {
  std::string list;
  for (const std::string_view name : kVariables) {
    if (!list.empty()) list += ' ';
    list.append(name).append(name.back() == '.' ? "NAME" : "");
  }
  return list;
}

}  // namespace

bool is_number_variable(std::string_view name) {
  constexpr std::array<std::string_view, 4> kNumbers = {"weight", "stable_weight", "step", "fence"};
  return std::find(kNumbers.begin(), kNumbers.end(), name) != kNumbers.end();
}

Expected<OrderTemplate, std::string> OrderTemplate::parse(std::string_view text) {
  OrderTemplate result;
  std::string* literal = &result.beginning_;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t open = text.find(kOpen, at);
    literal->append(text.substr(at, open - at));
    if (open == std::string_view::npos) break;
    const std::size_t close = text.find(kClose, open);
    if (close == std::string_view::npos) return Unexpected(std::string("a \"{{\" has no \"}}\""));
    std::string_view inside = text.substr(open + kOpen.size(), close - open - kOpen.size());
    Part part;
    if (const std::size_t bar = inside.find('|'); bar != std::string_view::npos) {
      if (inside_spaces(inside.substr(bar + 1)) != "string")
        return Unexpected("\"" + std::string(inside_spaces(inside.substr(bar + 1))) +
                          "\" is no way to write a variable; there is only {{name | string}}");
      part.as_string = true;
      inside = inside.substr(0, bar);
    }
    part.variable = inside_spaces(inside);
    if (!is_known(part.variable))
      return Unexpected("there is no variable {{" + part.variable +
                        "}}; there are: " + list_of_variables());
    result.parts_.push_back(std::move(part));
    literal = &result.parts_.back().text;
    at = close + kClose.size();
  }
  return result;
}

Expected<std::string, std::string> OrderTemplate::render(
    const TemplateValues& values,
    const std::function<std::string(const std::string&)>& encode) const {
  std::string text = beginning_;
  for (const Part& part : parts_) {
    const auto value = values.find(part.variable);
    if (value == values.end() || value->second.empty())
      return Unexpected("{{" + part.variable + "}} has no value for this rollout");
    text += encode(value->second) + part.text;
  }
  return text;
}

Expected<std::string, std::string> OrderTemplate::render(const TemplateValues& values) const {
  return render(values, [](const std::string& value) { return value; });
}

bool OrderTemplate::host_is_fixed() const {
  if (parts_.empty()) return true;
  constexpr std::string_view kScheme = "://";
  const std::size_t scheme = beginning_.find(kScheme);
  return scheme != std::string::npos &&
         beginning_.find('/', scheme + kScheme.size()) != std::string::npos;
}

std::string OrderTemplate::lone_variable() const {
  if (parts_.size() != 1 || !beginning_.empty() || !parts_.front().text.empty() ||
      parts_.front().as_string)
    return {};
  return parts_.front().variable;
}

std::vector<std::string> OrderTemplate::variables() const {
  std::vector<std::string> names;
  names.reserve(parts_.size());
  for (const Part& part : parts_) names.push_back(part.variable);
  return names;
}

std::vector<std::string> missing_variables(const RolloutSpec& spec,
                                           const std::vector<std::string>& variables) {
  std::vector<std::string> missing;
  for (const std::string& name : variables) {
    const std::size_t dot = name.find('.');
    bool there = name != "stable" || !spec.stable.empty();
    if (dot != std::string::npos) {
      const auto& given = name.starts_with("labels.") ? spec.labels : spec.args;
      const auto value = given.find(name.substr(dot + 1));
      there = value != given.end() && !value->second.empty();
    }
    if (!there && std::find(missing.begin(), missing.end(), name) == missing.end())
      missing.push_back(name);
  }
  return missing;
}

}  // namespace rollwatch
