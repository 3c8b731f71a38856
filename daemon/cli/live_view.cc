// The redrawn view of render.h: a few lines that tell the whole story of a running rollout.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "daemon/cli/fields.h"
#include "daemon/cli/render.h"
#include "daemon/cli/text.h"

namespace rollwatch {
namespace {

constexpr std::string_view kGreen = "\x1b[32m";
constexpr std::string_view kYellow = "\x1b[33m";
constexpr std::string_view kRed = "\x1b[31m";

std::string_view colour_of(std::string_view word) {
  for (const std::string_view good : {"promoted", "passing", "passed"}) {
    if (word == good) return kGreen;
  }
  for (const std::string_view bad :
       {"failing", "failed", "rolling_back", "rolled_back", "rollback_failed"}) {
    if (word == bad) return kRed;
  }
  for (const std::string_view odd : {"paused", "unknown", "cancelled", "superseded"}) {
    if (word == odd) return kYellow;
  }
  return {};
}

// Cut first, since colours take bytes and no columns.
std::string painted(const std::string& line, std::string_view word, const Canvas& canvas) {
  const std::string cut = cut_to_width(line, canvas.columns);
  const std::string_view colour = canvas.colours ? colour_of(word) : std::string_view{};
  return colour.empty() ? cut : fmt::format("{}{}\x1b[0m", colour, cut);
}

std::string countdown(const nlohmann::json& object, SysTime now) {
  const auto slot = parse_time(text_at(object, "next_slot"));
  if (!slot) return "-";
  const auto left = std::chrono::ceil<std::chrono::seconds>(*slot - now);
  return left.count() <= 0 ? "now" : "in " + format_duration(left);
}

// Hold and progress as the server words them, and how long until the next slot.
std::string footing(const nlohmann::json& rollout, const nlohmann::json& verdict, SysTime now) {
  std::vector<std::string> parts;
  if (const auto& since = child_at(child_at(rollout, "step"), "since"); since.is_string()) {
    if (const auto began = parse_time(since.get_ref<const std::string&>());
        began && *began <= now) {
      const auto spent = std::chrono::floor<std::chrono::seconds>(now - *began);
      parts.push_back("this step for " + format_duration(spent));
    }
  }
  if (const std::string percent = text_at(verdict, "percent"); !percent.empty()) {
    parts.push_back(percent + " % done");
  }
  if (const std::string said = text_at(verdict, "progress_message"); !said.empty()) {
    parts.push_back(said);
  }
  if (child_at(verdict, "next_slot").is_string())
    parts.push_back("next slot " + countdown(verdict, now));
  return joined(parts, " · ");
}

struct PaintedLine {
  std::string text;
  std::string word;  // what decides its colour
};

std::vector<PaintedLine> condition_lines(const nlohmann::json& rollout, SysTime now) {
  std::vector<std::vector<std::string>> rows{{"condition", "verdict", "value", "rule", "pass",
                                              "fail", "unclear", "no data", "error", "missed",
                                              "next"}};
  std::vector<std::string> words{""};
  for (const auto& condition : child_at(rollout, "conditions")) {
    const auto& counts = child_at(condition, "counts");
    words.push_back(text_at(condition, "verdict"));
    rows.push_back(
        {cell_at(condition, "name"), cell_at(condition, "verdict"), cell_at(condition, "value"),
         cell_at(condition, "rule"), cell_at(counts, "pass"), cell_at(counts, "fail"),
         cell_at(counts, "inconclusive"), cell_at(counts, "no_data"), cell_at(counts, "error"),
         cell_at(counts, "missed"), countdown(condition, now)});
  }
  std::vector<PaintedLine> lines;
  std::string table = aligned(rows);
  for (std::size_t row = 0, begin = 0; row < rows.size(); ++row) {
    const std::size_t end = table.find('\n', begin);
    lines.push_back({table.substr(begin, end - begin), words[row]});
    begin = end + 1;
  }
  return lines;
}

}  // namespace

std::vector<std::string> live_view(const nlohmann::json& rollout, const nlohmann::json& verdict,
                                   SysTime now, const Canvas& canvas) {
  const std::string state = text_at(rollout, "state");
  const bool healthy = state == "analyzing" || state == "soaking" || state == "promoting";
  std::vector<std::string> lines;
  const auto add = [&](const std::string& line, std::string_view word = {}) {
    if (!line.empty()) lines.push_back(painted(line, word, canvas));
  };
  add(fmt::format("{} · {}", rollout_name(rollout), text_at(rollout, "id")));
  add(progress_text(rollout), healthy ? text_at(rollout, "verdict") : state);
  if (child_at(rollout, "ended_at").is_null()) add(footing(rollout, verdict, now));

  const std::string question = question_text(rollout);
  const std::size_t below = static_cast<std::size_t>(std::ranges::count(question, '\n'));
  // One row for the cursor, one for a note.
  const std::size_t used = lines.size() + below + 2;
  const std::size_t room = canvas.rows > used + 2 ? canvas.rows - used : 2;
  const auto conditions = condition_lines(rollout, now);
  const std::size_t shown = conditions.size() <= room ? conditions.size() : room - 1;
  for (std::size_t i = 0; i < shown && conditions.size() > 1; ++i) {
    add(conditions[i].text, conditions[i].word);
  }
  if (shown < conditions.size()) add(fmt::format("… and {} more", conditions.size() - shown));

  for (std::size_t begin = 0; begin < question.size();) {
    const std::size_t end = question.find('\n', begin);
    add(question.substr(begin, end - begin), "paused");
    begin = end + 1;
  }
  return lines;
}

}  // namespace rollwatch
