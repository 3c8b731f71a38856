// A condition in a report: what is asked, how it is judged, where it stands, and its history.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>

#include "daemon/api/report.h"

namespace rollwatch {

nlohmann::ordered_json report_condition_json(const ReportFacts& facts, std::size_t index);

}  // namespace rollwatch
