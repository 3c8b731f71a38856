// Every key of an analysis with ways to get it wrong, by table: of a policy (and [defaults], a
// service and a request), a step, a ramp, the readiness gate and a condition.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "test/config/key_table.h"

namespace rollwatch {

// A table inside of an analysis: where it stands in a file and in a request.
struct AnalysisTable {
  std::string_view name;  // "": the analysis itself
  bool is_list;           // of tables, as conditions are
  std::vector<KeyRow> rows;
};

const std::vector<AnalysisTable>& analysis_tables();

// "interval" … "on_error": for a policy and for a condition.
std::vector<KeyRow> judging_rows();

// `[LAYER.condition]` and the like. layer is "defaults", "policy.p" or "service.'n/s'".
FileTable file_table(const AnalysisTable& table, const std::string& layer);

}  // namespace rollwatch
