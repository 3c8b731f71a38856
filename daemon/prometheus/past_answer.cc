#include "daemon/prometheus/past_answer.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

namespace rollwatch {
namespace {

using Json = nlohmann::json;

std::optional<double> sample_value(const Json& value) {
  const auto* text = value.get_ptr<const std::string*>();
  if (text == nullptr) return std::nullopt;
  if (*text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (*text == "+Inf" || *text == "Inf") return std::numeric_limits<double>::infinity();
  if (*text == "-Inf") return -std::numeric_limits<double>::infinity();
  double number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return number;
}

std::vector<Label> labels_of(const Json& metric) {
  std::vector<Label> labels;
  for (const auto& [name, value] : metric.items())
    labels.push_back({name, value.get<std::string>()});
  return labels;
}

// Where a time lies among the slots; nothing for one between them.
std::optional<std::size_t> slot_at(const PastQuestion& question, double seconds) {
  const double since =
      seconds * 1000 - static_cast<double>(question.first.time_since_epoch().count());
  const double slot = since / static_cast<double>(question.step.count());
  const double nearest = std::round(slot);
  if (nearest < 0 || std::fabs(slot - nearest) > 0.01 ||
      nearest >= static_cast<double>(slots_in(question)))
    return std::nullopt;
  return static_cast<std::size_t>(nearest);
}

std::vector<PastSlot> turned_round(const PastQuestion& question, const Json& result) {
  std::vector<std::vector<Series>> series(slots_in(question));
  for (const Json& one : result) {
    const std::vector<Label> labels = labels_of(one.at("metric"));
    for (const Json& sample : one.at("values")) {
      const auto slot = slot_at(question, sample.at(0).get<double>());
      const auto value = sample_value(sample.at(1));
      if (slot && value) series[*slot].push_back({labels, *value});
    }
  }
  std::vector<PastSlot> slots;
  for (std::size_t i = 0; i < series.size(); ++i) {
    PastSlot slot{question.first + static_cast<std::int64_t>(i) * question.step, {}};
    slot.answer.result = Vector{SeriesList(std::move(series[i]))};
    slots.push_back(std::move(slot));
  }
  return slots;
}

}  // namespace

std::size_t slots_in(const PastQuestion& question) {
  if (question.step <= Millis{0} || question.last < question.first) return 0;
  return static_cast<std::size_t>((question.last - question.first) / question.step) + 1;
}

Past past_of(const PastQuestion& question, const Answer& answer) {
  if (const auto* failure = std::get_if<QueryFailure>(&answer.result))
    return Unexpected(failure->message);
  if (answer.partial)
    return Unexpected("the answer is not whole" +
                      (answer.warnings.empty() ? "" : ": " + answer.warnings.front()));
  const auto* kind = std::get_if<Unusable>(&answer.result);
  if (kind == nullptr || kind->kind != "matrix" || !answer.raw)
    return Unexpected(
        std::string("the datasource answered a question about the past with "
                    "something else than a range of values"));
  try {
    return turned_round(question, Json::parse(*answer.raw).at("data").at("result"));
  } catch (const Json::exception&) {
    return Unexpected(std::string("the answer about the past is not what the API promises"));
  }
}

}  // namespace rollwatch
