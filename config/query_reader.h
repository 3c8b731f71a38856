// Reads what goes to a datasource: queries with their variables, and the labels that pick a
// rollout's series out of a shared answer.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "analysis/plan.h"
#include "config/table_reader.h"

namespace rollwatch {

// {{version}} stands for one version after the other, so only a comparison can ask with it.
enum class Version : bool { kRefused, kAllowed };

// What is wrong with a query that came from the environment is not shown.
std::optional<promql::QueryTemplate> read_query(TableReader& reader, std::string_view key,
                                                Version version = Version::kRefused);

// {{step}} and {{weight}}: they are not the same all through a rollout.
bool changes_on_the_way(const std::string& variable);

std::vector<SelectLabel> read_select(TableReader& reader);

// Labels with templates for values, at `key`; empty if there are none, or they are wrong.
std::vector<SelectLabel> read_labels(TableReader& reader, std::string_view key,
                                     std::string_view example);

// With `select` the question is the same for every rollout that asks it.
void check_shared_query(TableReader& reader, const ThresholdCondition& threshold);

}  // namespace rollwatch
