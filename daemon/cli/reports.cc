#include "daemon/cli/reports.h"

#include <fmt/format.h>

#include <cerrno>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <system_error>

#include "daemon/cli/github.h"
#include "daemon/cli/junit.h"
#include "daemon/cli/results.h"

namespace rollwatch {
namespace {

bool put(const std::string& file, const std::string& text, std::ios::openmode mode) {
  std::ofstream out(file, std::ios::binary | mode);
  out << text << std::flush;
  return static_cast<bool>(out);
}

}  // namespace

std::string report_problem(const Invocation& call) {
  const auto file = call.text("junit");
  if (!file || std::ofstream(*file, std::ios::binary | std::ios::app)) return "";
  return fmt::format("--junit {} cannot be written: {}", *file,
                     std::generic_category().message(errno));
}

int write_reports(const Invocation& call, Surroundings& surroundings, const nlohmann::json& rollout,
                  ExitCode end) {
  bool written = true;
  const auto leave = [&](const std::string& file, const std::string& text,
                         std::ios::openmode mode) {
    if (put(file, text, mode)) return;
    surroundings.err << fmt::format("rollwatch: {} cannot be written\n", file);
    written = false;
  };
  if (const auto file = call.text("junit"))
    leave(*file, junit_report(rollout, end), std::ios::trunc);
  if (call.has("github")) {
    surroundings.err << github_annotation(rollout, end);
    // Other steps wrote to these before.
    for (const auto& [name, text] : {std::pair{"GITHUB_OUTPUT", github_output(rollout, end)},
                                     {"GITHUB_STEP_SUMMARY", github_summary(rollout, end)}}) {
      const auto file = surroundings.variable ? surroundings.variable(name) : std::nullopt;
      if (file && !file->empty()) leave(*file, text, std::ios::app);
    }
  }
  return code(!written && end == ExitCode::kPromoted ? ExitCode::kFailed : end);
}

}  // namespace rollwatch
