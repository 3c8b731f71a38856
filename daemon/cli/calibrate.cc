// rollwatch calibrate: how often stable itself would have been rolled back, with progress.
#include <fmt/format.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "analysis/comparison.h"
#include "daemon/cli/commands.h"
#include "daemon/cli/fields.h"
#include "daemon/cli/problem.h"
#include "daemon/cli/requests.h"
#include "daemon/cli/results.h"
#include "daemon/cli/text.h"

namespace rollwatch {
namespace {

using nlohmann::json;

// Where nobody draws lines again, a line of progress so often.
constexpr std::chrono::seconds kBetweenLines{10};

// Takes the answer's lines as they come.
class Calibration {
 public:
  Calibration(const Invocation& call, Surroundings& surroundings)
      : as_lines_(call.output == Output::kJsonLines),
        surroundings_(surroundings),
        told_at_(surroundings.pace.steady()) {}

  bool take(std::string_view piece) {
    rest_ += piece;
    std::size_t begin = 0;
    for (std::size_t end = 0; (end = rest_.find('\n', begin)) != std::string::npos; begin = end + 1)
      take_line(std::string_view(rest_).substr(begin, end - begin));
    rest_.erase(0, begin);
    return true;
  }

  // Before anything else is said.
  void clear() {
    if (drawn_) surroundings_.err << "\r\x1b[K";
    drawn_ = false;
  }

  const json& begun() const { return begun_; }
  const json& windows() const { return windows_; }
  const json& end() const { return end_; }  // null: there was none
  std::string why_no_end() const { return error_.empty() ? "it has no end" : error_; }

 private:
  void take_line(std::string_view text) {
    json line = json::parse(text, nullptr, false);
    const std::string type = text_at(line, "type");
    if (as_lines_) {
      clear();
      surroundings_.out << text << std::endl;
    }
    if (type == "calibration") {
      begin(line);
      begun_ = std::move(line);
    } else if (type == "window") {
      trials_ += number_at(line, "trials");
      rolled_back_ += child_at(line, "rolled_back").size();
      windows_.push_back(std::move(line));
      tell();
    } else if (type == "end") {
      end_ = std::move(line);
    } else if (type == "error") {
      error_ = text_at(line, "detail");
    }
  }

  void begin(const json& line) {
    for (const json& one : child_at(line, "left_out"))
      surroundings_.err << text_at(one, "condition") << " is left out: " << text_at(one, "why")
                        << "\n";
    for (const json& warning : child_at(line, "warnings"))
      surroundings_.err << "warning: " << text_of(warning) << "\n";
    const long windows = number_at(line, "windows");
    const long possible = number_at(line, "possible");
    if (windows < possible)
      surroundings_.err << fmt::format("{} rollouts fit in; {} of them are played, evenly\n",
                                       possible, windows);
  }

  void tell() {
    const auto now = surroundings_.pace.steady();
    if (!surroundings_.terminal.redraws && now - told_at_ < kBetweenLines) return;
    told_at_ = now;
    const std::string text = fmt::format("window {} of {}, {} of {} rolled back", windows_.size(),
                                         number_at(begun_, "windows"), rolled_back_, trials_);
    if (!surroundings_.terminal.redraws) {
      surroundings_.err << text << std::endl;
      return;
    }
    surroundings_.err << "\r\x1b[K" << text << std::flush;
    drawn_ = true;
  }

  const bool as_lines_;
  Surroundings& surroundings_;
  Pace::Steady told_at_;
  std::string rest_;  // of a line that is not whole yet
  json begun_, end_;
  json windows_ = json::array();
  std::string error_;
  long trials_ = 0;
  std::size_t rolled_back_ = 0;
  bool drawn_ = false;
};

std::string percent_at(const json& object, std::string_view key) {
  const json& value = child_at(object, key);
  if (!value.is_number()) return "-";
  return format_number(100 * value.get<double>()) + " %";
}

std::string counts_text(const char* what, const json& items, std::string_view name) {
  if (items.empty()) return "";
  std::vector<std::vector<std::string>> rows{{what, "ROLLED BACK", "OF"}};
  for (const json& item : items)
    rows.push_back({text_at(item, name), cell_at(item, "rolled_back"), cell_at(item, "trials")});
  return "\n" + aligned(rows);
}

std::string calibration_text(const json& begun, const json& end) {
  std::vector<std::string> names;
  for (const json& name : child_at(begun, "conditions")) names.push_back(text_of(name));
  std::string text =
      fmt::format("{}: {} past rollouts of {} between {} and {}\n\n", joined(names, ", "),
                  number_at(begun, "windows"), text_at(begun, "rollout"), text_at(begun, "from"),
                  text_at(begun, "to"));
  text += aligned({{"TRIALS", "ROLLED BACK", "SHARE", "95 % FROM", "TO", "ALPHA"},
                   {cell_at(end, "trials"), cell_at(end, "rolled_back"), percent_at(end, "share"),
                    percent_at(end, "low"), percent_at(end, "high"), percent_at(end, "alpha")}});
  if (names.size() > 1)
    text += counts_text("CONDITION", child_at(end, "by_condition"), "condition");
  text += counts_text("POD", child_at(end, "by_pod"), "pod");
  for (const json& sentence : child_at(end, "words")) text += "\n" + text_of(sentence) + "\n";
  return text;
}

}  // namespace

int run_calibrate(const Invocation& call, Surroundings& surroundings) {
  Calibration calibration(call, surroundings);
  Request request = calibrate_request(call);
  request.take = [&calibration](std::string_view piece) { return calibration.take(piece); };
  surroundings.pace.catch_interrupts();
  const auto answer = surroundings.transport(request);
  calibration.clear();
  if (surroundings.pace.interrupted()) {
    surroundings.err << "rollwatch: interrupted\n";
    return code(ExitCode::kInterrupted);
  }
  if (!answer) {
    surroundings.err << fmt::format("rollwatch: no answer from the server: {}\n",
                                    answer.error().detail);
    return code(ExitCode::kFailed);
  }
  if (!is_success(*answer)) {
    surroundings.err << describe_problem(*answer);
    return code(ExitCode::kFailed);
  }
  const json& end = calibration.end();
  if (end.is_null()) {
    surroundings.err << fmt::format("rollwatch: the calibration broke off: {}\n",
                                    calibration.why_no_end());
    return code(ExitCode::kFailed);
  }
  if (call.output != Output::kJsonLines)
    print(call, surroundings.out,
          {{"calibration", calibration.begun()}, {"windows", calibration.windows()}, {"end", end}},
          calibration_text(calibration.begun(), end));
  return number_at(end, "trials") > 0 ? 0 : code(ExitCode::kFailed);
}

}  // namespace rollwatch
