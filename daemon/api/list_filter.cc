#include "daemon/api/list_filter.h"

#include <fmt/format.h>

#include <algorithm>

#include "daemon/api/fields.h"

namespace rollwatch {
namespace {

constexpr std::string_view kLabelPrefix = "label.";

constexpr int kStates = static_cast<int>(State::kSuperseded) + 1;

void add_states(const std::string& name, std::vector<State>& states) {
  std::vector<std::string> known{"active"};
  bool found = false;
  for (int i = 0; i < kStates; ++i) {
    const auto state = static_cast<State>(i);
    known.emplace_back(name_of(state));
    if (name != name_of(state) && (name != "active" || is_final(state))) continue;
    found = true;
    if (std::ranges::find(states, state) == states.end()) states.push_back(state);
  }
  if (!found)
    refuse_query("state", fmt::format("\"{}\" is no state{}", name,
                                      suggestion(name, known, "there are", "")));
}

}  // namespace

ListFilter list_filter_of(const Call& call, std::vector<std::string> others) {
  others.insert(others.end(), {"state", "namespace", "service", "target"});
  check_query(call, others, kLabelPrefix);
  ListFilter filter;
  filter.visible = call.caller.namespaces;
  filter.ns = query_text(call, "namespace").value_or("");
  filter.service = query_text(call, "service").value_or("");
  filter.target = query_text(call, "target").value_or("");
  for (const auto& [key, value] : call.request.query) {
    if (key == "state") add_states(value, filter.states);
    if (!key.starts_with(kLabelPrefix)) continue;
    if (!filter.labels.emplace(key.substr(kLabelPrefix.size()), value).second)
      refuse_query(key, "is given twice");
  }
  return filter;
}

}  // namespace rollwatch
