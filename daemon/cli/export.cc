// rollwatch export: all history as JSON lines, to stdout or into a file.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <system_error>

#include "daemon/cli/commands.h"
#include "daemon/cli/fields.h"
#include "daemon/cli/problem.h"
#include "daemon/cli/requests.h"
#include "daemon/cli/results.h"

namespace rollwatch {
namespace {

constexpr std::chrono::seconds kBetweenReports{1};
constexpr std::size_t kLongestEnd = 4096;  // of the line that says how it ended

std::string amount(std::uint64_t lines, std::uint64_t bytes) {
  constexpr double kMegabyte = 1e6;
  return fmt::format("{} lines, {:.1f} MB", lines, static_cast<double>(bytes) / kMegabyte);
}

// Counts what comes, and says so now and then on a terminal.
class Progress {
 public:
  explicit Progress(Surroundings& surroundings)
      : surroundings_(surroundings), told_at_(surroundings.pace.steady()) {}

  void add(std::string_view piece) {
    bytes_ += piece.size();
    lines_ += static_cast<std::uint64_t>(std::ranges::count(piece, '\n'));
    remember_last_line(piece);
    const auto now = surroundings_.pace.steady();
    if (!surroundings_.terminal.redraws || now - told_at_ < kBetweenReports) return;
    told_at_ = now;
    surroundings_.err << "\r\x1b[K" << amount(lines_, bytes_) << std::flush;
    drawn_ = true;
  }

  // Before anything else is said.
  void clear() {
    if (drawn_) surroundings_.err << "\r\x1b[K";
    drawn_ = false;
  }

  std::string text() const { return amount(lines_, bytes_); }

  // Null unless the last line is whole and JSON.
  nlohmann::json last_line() const {
    return whole_ ? nlohmann::json::parse(line_, nullptr, false) : nlohmann::json();
  }

 private:
  // Of a line that is longer than the last one can be, the beginning is enough.
  void remember_last_line(std::string_view piece) {
    for (const char c : piece) {
      if (whole_) line_.clear();
      whole_ = c == '\n';
      if (!whole_ && line_.size() < kLongestEnd) line_ += c;
    }
  }

  Surroundings& surroundings_;
  Pace::Steady told_at_;
  std::uint64_t lines_ = 0;
  std::uint64_t bytes_ = 0;
  std::string line_;
  bool whole_ = false;
  bool drawn_ = false;
};

// The last line says that everything was there, or why the rest is missing.
std::string why_not_whole(const nlohmann::json& last) {
  if (text_at(last, "type") == "end") return "";
  const std::string detail = text_at(child_at(last, "data"), "detail");
  return detail.empty() ? "it has no end" : detail;
}

int write_export(Request request, std::ostream& out, Surroundings& surroundings) {
  Progress progress(surroundings);
  request.take = [&](std::string_view piece) {
    out.write(piece.data(), static_cast<std::streamsize>(piece.size()));
    progress.add(piece);
    return static_cast<bool>(out);
  };
  surroundings.pace.catch_interrupts();
  const auto answer = surroundings.transport(request);
  out.flush();
  progress.clear();
  if (surroundings.pace.interrupted()) {
    surroundings.err << fmt::format("rollwatch: interrupted; not whole: {}\n", progress.text());
    return code(ExitCode::kInterrupted);
  }
  if (!answer) {
    surroundings.err << fmt::format("rollwatch: the export broke off after {}: {}\n",
                                    progress.text(), answer.error().detail);
    return code(ExitCode::kFailed);
  }
  if (!is_success(*answer)) {
    surroundings.err << describe_problem(*answer);
    return code(ExitCode::kFailed);
  }
  if (const std::string why = why_not_whole(progress.last_line()); !out || !why.empty()) {
    surroundings.err << fmt::format("rollwatch: the export is not whole, {}: {}\n", progress.text(),
                                    out ? why : "it cannot be written");
    return code(ExitCode::kFailed);
  }
  surroundings.err << "exported " << progress.text() << "\n";
  return 0;
}

}  // namespace

int run_export(const Invocation& call, Surroundings& surroundings) {
  const auto request = export_request(call, surroundings.pace.wall());
  if (!request) return usage_failure(surroundings.err, request.error());
  const auto file = call.text("file");
  if (!file) return write_export(*request, surroundings.out, surroundings);
  const std::string beside = *file + ".part";
  std::ofstream out(beside, std::ios::binary | std::ios::trunc);
  if (!out) {
    surroundings.err << fmt::format("rollwatch: {} cannot be written: {}\n", beside,
                                    std::generic_category().message(errno));
    return code(ExitCode::kFailed);
  }
  int end = write_export(*request, out, surroundings);
  out.close();
  if (end == 0 && (!out || std::rename(beside.c_str(), file->c_str()) != 0)) {
    surroundings.err << fmt::format("rollwatch: {} cannot be written: {}\n", *file,
                                    std::generic_category().message(errno));
    end = code(ExitCode::kFailed);
  }
  if (end != 0) static_cast<void>(std::remove(beside.c_str()));
  return end;
}

}  // namespace rollwatch
