#include "test/prometheus/describe.h"

#include <sstream>
#include <variant>

#include "daemon/prometheus/prometheus_source.h"

namespace rollwatch {

namespace {

std::string text_of(double value) {
  if (value != value) return "NaN";
  std::ostringstream text;
  text.precision(17);
  text << value;
  return text.str();
}

std::string text_of(const Vector& vector) {
  std::string text = "vector:";
  for (const Series& series : vector.series) {
    text += text.back() == ':' ? " {" : ", {";
    for (const Label& label : series.labels) {
      if (text.back() != '{') text += ",";
      text += label.name + "=\"" + label.value + "\"";
    }
    text += "} " + text_of(series.value);
  }
  return text;
}

}  // namespace

std::string describe(const Answer& answer) {
  std::string text;
  if (const auto* vector = std::get_if<Vector>(&answer.result)) {
    text = text_of(*vector);
  } else if (const auto* scalar = std::get_if<Scalar>(&answer.result)) {
    text = "scalar: " + text_of(scalar->value);
  } else if (const auto* unusable = std::get_if<Unusable>(&answer.result)) {
    text = "unusable: " + unusable->kind;
  } else {
    const auto& failure = std::get<QueryFailure>(answer.result);
    text = std::string(result_word(Answer{failure, {}, false, nullptr, {}})) + " " +
           std::to_string(failure.http_status) + ": " + failure.message;
  }
  if (answer.partial) text += " [partial]";
  for (const std::string& warning : answer.warnings) text += " [warning: " + warning + "]";
  return text;
}

}  // namespace rollwatch
