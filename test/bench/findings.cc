#include "test/bench/findings.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdio>

#include "test/support/process.h"

namespace rollwatch::bench {
namespace {

std::string verdict(const Finding& found, const char* name, const std::optional<double>& limit) {
  if (!limit) return "";
  const bool met = found.is_more_better ? found.value >= *limit : found.value <= *limit;
  return fmt::format("  {} {:g}: {}", name, *limit, met ? "met" : "missed");
}

std::string json_number(const std::optional<double>& value) {
  return value && std::isfinite(*value) ? fmt::format("{:.6g}", *value) : "null";
}

}  // namespace

void Findings::add(const std::string& scenario, const std::vector<Finding>& found) {
  std::printf("\n%s\n", scenario.c_str());
  for (const Finding& one : found) {
    const int digits = std::abs(one.value) >= 100 || one.value == std::floor(one.value) ? 0 : 2;
    std::printf(
        "%s", fmt::format("  {:<58} {:>10.{}f} {:<6}{}{}\n", one.what, one.value, digits, one.unit,
                          verdict(one, "must", one.must), verdict(one, "aim", one.aim))
                  .c_str());
    json_ += fmt::format(
        R"({}{{"scenario":"{}","what":"{}","value":{},"unit":"{}","must":{},"aim":{},"more":{}}})",
        json_.empty() ? "" : ",\n", scenario, one.what, json_number(one.value), one.unit,
        json_number(one.must), json_number(one.aim), one.is_more_better);
  }
  std::fflush(stdout);
}

void Findings::write(const std::string& file) const {
  if (!file.empty()) write_file(file, "[" + json_ + "]\n");
}

}  // namespace rollwatch::bench
