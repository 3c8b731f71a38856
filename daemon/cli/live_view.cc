// The redrawn view of render.h: a few lines that tell the whole story of a running rollout.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "daemon/cli/fields.h"
#include "daemon/cli/render.h"
#include "daemon/cli/text.h"
#include "daemon/cli/trend.h"

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

// How long until the next slot, and how far the server says it has come. How long the step has
// lasted is not said where the steps are shown.
std::string footing(const nlohmann::json& rollout, const nlohmann::json& verdict, bool has_steps,
                    SysTime now) {
  std::vector<std::string> parts;
  if (child_at(verdict, "next_slot").is_string())
    parts.push_back("next slot " + countdown(verdict, now));
  const auto began = parse_time(text_at(child_at(rollout, "step"), "since"));
  if (!has_steps && began && *began <= now) {
    const auto spent = std::chrono::floor<std::chrono::seconds>(now - *began);
    parts.push_back("this step for " + format_duration(spent));
  }
  if (const std::string percent = text_at(verdict, "percent"); !percent.empty()) {
    parts.push_back(percent + " % done");
  }
  // Word for word what stands above already, in most states.
  const std::string said = text_at(verdict, "progress_message");
  const std::string reason = text_at(rollout, "reason");
  if (!said.empty() && (reason.empty() || !said.ends_with(reason))) parts.push_back(said);
  return joined(parts, " · ");
}

struct PaintedLine {
  std::string text;
  std::string word;  // what decides its colour
};

struct Column {
  std::string title;
  std::vector<std::string> cells = {};
  bool counts = false;  // of slots
};

std::size_t width_of(const std::vector<Column>& columns) {
  std::size_t width = 0;
  for (const Column& column : columns) {
    std::size_t widest = text_width(column.title);
    for (const std::string& cell : column.cells) widest = std::max(widest, text_width(cell));
    width += widest + 2;
  }
  return width - 2;
}

bool tells_nothing(const Column& column) {
  return column.counts && std::ranges::all_of(column.cells, [](const std::string& cell) {
           return cell == "0" || cell == "-";
         });
}

// Until it fits: counts that are all 0, the other counts from the right, then the rest.
void narrow(std::vector<Column>& columns, std::size_t room) {
  const auto drop_last = [&columns](auto which) {
    const auto found = std::find_if(columns.rbegin(), columns.rend(), which);
    if (found == columns.rend()) return false;
    columns.erase(std::next(found).base());
    return true;
  };
  while (width_of(columns) > room && drop_last(tells_nothing)) {
  }
  while (width_of(columns) > room && drop_last([](const Column& c) { return c.counts; })) {
  }
  for (const std::string_view title : {"trend", "next", "verdict"}) {
    if (width_of(columns) > room) drop_last([&](const Column& c) { return c.title == title; });
  }
}

std::vector<PaintedLine> condition_lines(const nlohmann::json& rollout, const Trends& trends,
                                         SysTime now, std::size_t room) {
  std::vector<Column> columns{{"condition"},
                              {"verdict"},
                              {"value"},
                              {"rule"},
                              {"trend"},
                              {"pass", {}, true},
                              {"fail", {}, true},
                              {"unclear", {}, true},
                              {"no data", {}, true},
                              {"error", {}, true},
                              {"missed", {}, true},
                              {"next"}};
  std::vector<std::string> words{""};
  bool has_trend = false;
  for (const auto& condition : child_at(rollout, "conditions")) {
    const auto& counts = child_at(condition, "counts");
    words.push_back(text_at(condition, "verdict"));
    std::string trend = trends.of(text_at(condition, "name"), text_at(condition, "rule"));
    has_trend = has_trend || !trend.empty();
    const std::vector<std::string> cells{cell_at(condition, "name"),
                                         cell_at(condition, "verdict"),
                                         cell_at(condition, "value"),
                                         cell_at(condition, "rule"),
                                         std::move(trend),
                                         cell_at(counts, "pass"),
                                         cell_at(counts, "fail"),
                                         cell_at(counts, "inconclusive"),
                                         cell_at(counts, "no_data"),
                                         cell_at(counts, "error"),
                                         cell_at(counts, "missed"),
                                         countdown(condition, now)};
    for (std::size_t i = 0; i < columns.size(); ++i) columns[i].cells.push_back(cells[i]);
  }
  if (!has_trend) std::erase_if(columns, [](const Column& c) { return c.title == "trend"; });
  narrow(columns, room);
  std::vector<std::vector<std::string>> rows(words.size());
  for (const Column& column : columns) {
    rows[0].push_back(column.title);
    for (std::size_t i = 0; i < column.cells.size(); ++i) rows[i + 1].push_back(column.cells[i]);
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

// The current step with how long it has lasted and how long it is to hold.
std::string step_cell(const nlohmann::json& step, const nlohmann::json& current, bool is_current,
                      bool is_done, SysTime now) {
  std::string text = cell_at(step, "weight") + " %";
  if (is_done) return text + " ✓";
  if (!is_current) return text;
  const auto since = parse_time(text_at(current, "since"));
  const std::string hold = text_at(step, "hold");
  if (since && *since <= now)
    text += " for " + format_duration(std::chrono::floor<std::chrono::seconds>(now - *since));
  if (since && *since <= now && !hold.empty() && hold != "0s") text += " of " + hold;
  return "▸ " + text;
}

}  // namespace

std::string steps_line(const nlohmann::json& rollout, SysTime now, std::size_t columns) {
  const auto& steps = child_at(child_at(rollout, "analysis"), "steps");
  if (!steps.is_array() || steps.empty()) return "";
  const auto& step = child_at(rollout, "step");
  const std::string state = text_at(rollout, "state");
  const bool begun = child_at(step, "index").is_number() && state != "waiting";
  const long at = begun ? number_at(step, "index") : -1;
  const bool all_done = state == "soaking" || state == "promoted";
  const bool moves = state == "analyzing" || state == "paused" || state == "promoting";
  std::vector<std::string> cells;
  std::size_t current = 0;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const auto index = static_cast<long>(i);
    if (index == at) current = i;
    cells.push_back(step_cell(steps[i], step, index == at && moves, index < at || all_done, now));
  }
  // 100 may be left out where steps are written.
  if (text_at(steps.back(), "weight") != "100") cells.emplace_back(all_done ? "100 % ✓" : "100 %");
  std::string whole = joined(cells, " → ");
  if (text_width(whole) <= columns) return whole;
  // As many as there is room for, from the current one on.
  std::string text = (current > 0 ? "… → " : "") + cells[current];
  for (std::size_t i = current + 1; i < cells.size(); ++i) {
    const bool last = i + 1 == cells.size();
    const std::string longer = text + " → " + cells[i];
    if (text_width(longer) + (last ? 0 : 4) > columns) return text + " → …";
    text = longer;
  }
  return text;
}

std::vector<std::string> live_view(const nlohmann::json& rollout, const nlohmann::json& verdict,
                                   const Trends& trends, SysTime now, const Canvas& canvas) {
  const std::string state = text_at(rollout, "state");
  const bool healthy = state == "analyzing" || state == "soaking" || state == "promoting";
  std::vector<std::string> lines;
  const auto add = [&](const std::string& line, std::string_view word = {}) {
    if (!line.empty()) lines.push_back(painted(line, word, canvas));
  };
  add(fmt::format("{} · {}", rollout_name(rollout), text_at(rollout, "id")));
  add(progress_text(rollout), healthy ? text_at(rollout, "verdict") : state);
  const std::string steps = steps_line(rollout, now, canvas.columns);
  add(steps);
  if (child_at(rollout, "ended_at").is_null()) add(footing(rollout, verdict, !steps.empty(), now));

  const std::string question = question_text(rollout);
  const std::size_t below = static_cast<std::size_t>(std::ranges::count(question, '\n'));
  // One row for the cursor, one for a note.
  const std::size_t used = lines.size() + below + 2;
  const std::size_t room = canvas.rows > used + 2 ? canvas.rows - used : 2;
  const auto conditions = condition_lines(rollout, trends, now, canvas.columns);
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
