#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "analysis/comparison.h"
#include "daemon/page/html.h"
#include "daemon/page/rollout_html.h"

namespace rollwatch {
namespace {

using Json = nlohmann::ordered_json;

// The drawing's own units.
constexpr double kWidth = 600, kHeight = 80, kMargin = 4;
constexpr std::size_t kShownSlots = 20;

struct Scale {
  double least = 0, greatest = 1;
  // Down the drawing; finite for finite values.
  double y(double value) const {
    return kHeight - kMargin - (value - least) / (greatest - least) * (kHeight - 2 * kMargin);
  }
};

std::string coordinate(double number) {
  char text[32];  // NOLINT(*-avoid-c-arrays)
  std::snprintf(text, sizeof text, "%.1f", number);
  return text;
}

// Of a comparison evidence is drawn: each event multiplies it, so that powers of ten lie evenly, as
// they do in the script's charts.
bool is_comparison(const Json& condition) {
  const auto comparison = condition.find("comparison");
  return comparison != condition.end() && comparison->is_object();
}

constexpr double kLeastDrawn = 1e-3;  // less is drawn as this

Json on_axis(const Json& value, bool is_log) {
  if (!is_log || !value.is_number()) return value;
  return std::log10(std::max(value.get<double>(), kLeastDrawn));
}

// Nothing if there is no finite value. Zero is in view: of evidence that is what it began with, 1.
std::optional<Scale> scale_of(const Json& values, const Json& limit) {
  std::optional<Scale> scale;
  const auto include = [&](const Json& value) {
    if (!value.is_number()) return;
    const double number = value.get<double>();
    if (!scale) scale = Scale{std::min(0.0, number), std::max(0.0, number)};
    scale->least = std::min(scale->least, number);
    scale->greatest = std::max(scale->greatest, number);
  };
  for (const Json& value : values) include(value);
  if (!scale) return scale;
  include(limit);
  if (scale->greatest - scale->least <= 0) scale->greatest = scale->least + 1;
  if (!std::isfinite(scale->greatest - scale->least)) return std::nullopt;
  return scale;
}

// Each run of values is a line; a gap is a gap.
std::string line_of(const Json& values, const Scale& scale) {
  const double step = values.size() > 1 ? kWidth / static_cast<double>(values.size() - 1) : 0;
  std::string path;
  bool draws = false;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!values[i].is_number()) {
      draws = false;
      continue;
    }
    path += (draws ? "L" : "M") + coordinate(static_cast<double>(i) * step) + " " +
            coordinate(scale.y(values[i].get<double>()));
    // A single point has a length too, so that it is seen.
    if (!draws) path += "h1";
    draws = true;
  }
  return path;
}

std::string drawing_of(const Json& condition) {
  const bool is_log = is_comparison(condition);
  Json values = Json::array();
  for (const Json& value : condition.at("points").at("value"))
    values.push_back(on_axis(value, is_log));
  const Json& rule = condition.at("fail_if");
  const Json decides = rule.is_object() ? on_axis(rule.at("value"), is_log) : Json(nullptr);
  const auto scale = scale_of(values, decides);
  if (!scale) return "";
  std::string limit;
  if (decides.is_number()) {
    const std::string y = coordinate(scale->y(decides.get<double>()));
    limit = "<path class=\"limit\" d=\"M0 " + y + "H600\" stroke=\"currentColor\" " +
            "stroke-dasharray=\"4 4\" fill=\"none\"></path>";
  }
  const auto shown = [is_log](double at) { return format_number(is_log ? std::pow(10, at) : at); };
  const std::string name = text_of(condition.at("name"));
  std::string label = (is_log ? "Evidence of " : "Values of ") + name + " from " +
                      shown(scale->least) + " to " + shown(scale->greatest);
  if (is_log) label += " on a logarithmic axis";
  if (!limit.empty())
    label += is_log ? "; the dashed line is what decides, " + number_text(rule.at("value"))
                    : "; the dashed line is the limit, " + text_of(condition.at("rule"));
  return "<svg class=\"values\" viewBox=\"0 0 600 80\" width=\"600\" height=\"80\" role=\"img\" "
         "aria-label=\"" +
         html_text(label) + "\"><path class=\"line\" d=\"" + line_of(values, *scale) +
         "\" stroke=\"currentColor\" stroke-width=\"2\" fill=\"none\"></path>" + limit + "</svg>";
}

std::string counts_of(const Json& counts) {
  std::string text;
  for (const auto& [name, count] : counts.items()) {
    if (count == 0) continue;
    text += (text.empty() ? "" : ", ") + number_text(count) + " " + words_of(name);
  }
  return text.empty() ? "no slot yet" : text;
}

// "0.083, limit > 0.05: failing. 3 of the last 3 answers fail, 3 would fail it."
std::string standing_of(const Json& condition) {
  const std::string value = number_text(condition.at("value"));
  const std::string within = condition.at("within").is_string()
                                 ? "all " + number_text(condition.at("answers"))
                                 : "the last " + number_text(condition.at("answers"));
  std::string text = "Verdict: " + words_of(text_of(condition.at("verdict"))) +
                     ". Value: " + (value.empty() ? "none yet" : value) + ", rule " +
                     text_of(condition.at("rule")) + ". Of " + within + " answers " +
                     number_text(condition.at("failing")) + " fail; " +
                     number_text(condition.at("fail_after")) +
                     " fail it (then: " + text_of(condition.at("on_fail")) + ").";
  if (!condition.at("evidence").is_null())
    text += " Evidence: " + number_text(condition.at("evidence")) + " events of the " +
            number_text(condition.at("min_evidence")) + " that a pass needs.";
  return text + " In all: " + counts_of(condition.at("counts")) + ".";
}

std::string slots_of(const Json& condition) {
  const Json& slots = condition.at("slots");
  if (slots.empty()) return "";
  Table table({"Slot", "Outcome", "Value", "What it showed"});
  std::size_t shown = 0;
  for (auto slot = slots.rbegin(); slot != slots.rend() && shown < kShownSlots; ++slot, ++shown) {
    const std::string run =
        slot->contains("slots") ? " × " + number_text(slot->at("slots")) : std::string();
    table.add({html_time(text_of(slot->at("slot"))),
               mark_of_outcome(text_of(slot->at("outcome"))) + run,
               html_text(number_text(slot->at("value"))), html_text(text_of(slot->at("detail")))});
  }
  return table.html_alone("The latest slots of " + text_of(condition.at("name")));
}

}  // namespace

std::string text_of(const Json& text) {
  return text.is_string() ? text.get<std::string>() : std::string();
}

std::string number_text(const Json& number) {
  if (number.is_number_integer() || number.is_number_unsigned()) return number.dump();
  return number.is_number() ? format_number(number.get<double>()) : std::string();
}

std::string words_of(std::string_view name) {
  std::string words(name);
  std::replace(words.begin(), words.end(), '_', ' ');
  return words;
}

namespace {

struct Mark {
  std::string_view name, shape;
};
constexpr Mark kStateMarks[] = {
    {"waiting", "◷"},         {"analyzing", "●"},    {"paused", "‖"},     {"promoting", "▲"},
    {"soaking", "◐"},         {"rolling_back", "◀"}, {"promoted", "✓"},   {"rolled_back", "◀"},
    {"rollback_failed", "!"}, {"cancelled", "⊘"},    {"superseded", "»"},
};
constexpr Mark kOutcomeMarks[] = {
    {"pass", "✓"},    {"fail", "✗"},  {"inconclusive", "◐"},
    {"no_data", "○"}, {"error", "!"}, {"missed", "–"},
};

template <std::size_t n>
std::string mark(const Mark (&marks)[n], std::string_view name) {  // NOLINT(*-avoid-c-arrays)
  std::string shape;
  for (const Mark& one : marks)
    if (one.name == name) shape = one.shape;
  return "<span class=\"mark " + html_text(name) + "\"><span aria-hidden=\"true\">" + shape +
         "</span> " + html_text(words_of(name)) + "</span>";
}

}  // namespace

std::string mark_of_state(std::string_view state) { return mark(kStateMarks, state); }
std::string mark_of_outcome(std::string_view outcome) { return mark(kOutcomeMarks, outcome); }

Table::Table(const std::vector<std::string_view>& heads) {
  for (const std::string_view head : heads)
    head_ += "<th scope=\"col\">" + html_text(head) + "</th>";
}

void Table::add(const std::vector<std::string>& cells) {
  body_ += "<tr>";
  for (const std::string& cell : cells) body_ += "<td>" + cell + "</td>";
  body_ += "</tr>";
}

std::string Table::html_alone(std::string_view label) const {
  return "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"" + html_text(label) +
         "\"><table><thead><tr>" + head_ + "</tr></thead><tbody>" + body_ +
         "</tbody></table></div>";
}

std::string Table::html(std::string_view heading, std::string_view none,
                        std::size_t earlier) const {
  std::string html = "<section><h2>" + html_text(heading) + "</h2>";
  html += body_.empty() ? "<p>" + html_text(none) + "</p>" : html_alone(heading);
  if (earlier > 0)
    html += "<p>" + std::to_string(earlier) + " earlier ones are not shown here.</p>";
  return html + "</section>";
}

std::string condition_html(const Json& condition) {
  std::string html = "<article class=\"condition\"><h3>" +
                     html_text(text_of(condition.at("name"))) + "</h3><p>" +
                     html_text(standing_of(condition)) + "</p>";
  html += drawing_of(condition) + slots_of(condition);
  html += "<p>Asked of " + html_text(text_of(condition.at("datasource"))) + " every " +
          html_text(text_of(condition.at("interval")));
  if (const std::string at = text_of(condition.at("evaluated_at")); !at.empty())
    html += ", last for " + html_time(at);
  if (const std::string graph = text_of(condition.at("graph_url")); !graph.empty())
    html += " (" + html_link(graph, "graph") + ")";
  html += ":</p><pre tabindex=\"0\"><code>" + html_text(text_of(condition.at("query"))) +
          "</code></pre>";
  if (const std::string evidence = text_of(condition.at("evidence_query")); !evidence.empty())
    html += "<p>Evidence:</p><pre tabindex=\"0\"><code>" + html_text(evidence) + "</code></pre>";
  if (const std::string curl = text_of(condition.at("curl")); !curl.empty())
    html += "<p>The same question again:</p><pre tabindex=\"0\"><code>" + html_text(curl) +
            "</code></pre>";
  return html + "</article>";
}

}  // namespace rollwatch
