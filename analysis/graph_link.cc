#include "analysis/graph_link.h"

#include <algorithm>
#include <chrono>

#include "analysis/text.h"

namespace rollwatch {
std::string graph_link(std::string_view datasource_url, std::string_view query, SysTime at,
                       SysTime since) {
  // The clock may have been put back in between.
  const Millis span = std::max(at - since, Millis{0});
  const auto range =
      std::chrono::duration_cast<std::chrono::seconds>(span) + std::chrono::minutes{10};
  return std::string(datasource_url) + "/graph?g0.expr=" + url_encoded(query) +
         "&g0.tab=0&g0.range_input=" + std::to_string(range.count()) +
         "s&g0.end_input=" + url_encoded(format_time(at + std::chrono::minutes{5}).substr(0, 19));
}

}  // namespace rollwatch
