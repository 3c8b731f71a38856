#include "daemon/cli/junit.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "analysis/time.h"
#include "daemon/cli/fields.h"
#include "daemon/cli/render.h"

namespace rollwatch {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

struct Tally {
  int tests = 0;
  int failures = 0;
  int errors = 0;
  int skipped = 0;
};

std::string attribute(std::string_view name, const std::string& value) {
  return fmt::format(" {}=\"{}\"", name, xml_text(value));
}

// kind "": the test passed.
std::string test_case(const std::string& classname, const std::string& name, std::string_view kind,
                      const std::string& message, const std::string& output, Tally& tally) {
  ++tally.tests;
  std::string text =
      "    <testcase" + attribute("classname", classname) + attribute("name", name) + ">\n";
  if (!kind.empty()) {
    tally.failures += kind == "failure" ? 1 : 0;
    tally.errors += kind == "error" ? 1 : 0;
    tally.skipped += kind == "skipped" ? 1 : 0;
    text += fmt::format("      <{}{}/>\n", kind, attribute("message", message));
  }
  if (!output.empty()) text += fmt::format("      <system-out>{}</system-out>\n", xml_text(output));
  return text + "    </testcase>\n";
}

// A condition that only watches fails nothing.
std::string_view kind_of(const nlohmann::json& condition) {
  const std::string verdict = text_at(condition, "verdict");
  if (verdict == "passing" || verdict == "passed") return "";
  if (verdict == "failing" || verdict == "failed")
    return text_at(condition, "on_fail") == "observe" ? "skipped" : "failure";
  return verdict == "unknown" ? "error" : "skipped";
}

std::string condition_output(const nlohmann::json& condition) {
  const auto& counts = child_at(condition, "counts");
  std::string text =
      fmt::format("value {}, rule {}\n", cell_at(condition, "value"), cell_at(condition, "rule"));
  text +=
      fmt::format("pass {}, fail {}, inconclusive {}, no data {}, error {}, missed {}\n",
                  cell_at(counts, "pass"), cell_at(counts, "fail"), cell_at(counts, "inconclusive"),
                  cell_at(counts, "no_data"), cell_at(counts, "error"), cell_at(counts, "missed"));
  return text;
}

std::string condition_message(const nlohmann::json& condition) {
  const auto& last = child_at(condition, "last");
  return fmt::format(
      "{}: {}", cell_at(condition, "verdict"),
      text_at(last, "detail").empty() ? cell_at(last, "outcome") : text_at(last, "detail"));
}

std::string_view kind_of(ExitCode end) {
  if (end == ExitCode::kPromoted) return "";
  return end == ExitCode::kRolledBack || end == ExitCode::kRollbackFailed ? "failure" : "error";
}

std::string seconds_taken(const nlohmann::json& rollout) {
  const auto begun = parse_time(text_at(rollout, "created_at"));
  auto ended = parse_time(text_at(rollout, "ended_at"));
  if (!ended) ended = parse_time(text_at(rollout, "updated_at"));
  if (!begun || !ended || *ended < *begun) return "0";
  return fmt::format("{:.3f}", static_cast<double>((*ended - *begun).count()) / 1000.0);
}

// How many bytes of UTF-8 begin here; 0 if none that XML may hold.
std::size_t good_bytes(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return first >= 0x20 || first == '\n' || first == '\t' ? 1 : 0;
  const std::size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < size) return 0;
  unsigned point = first & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return 0;
    point = point << 6U | (byte(i) & 0x3FU);
  }
  const unsigned least = size == 4 ? 0x10000U : size == 3 ? 0x800U : 0x80U;
  const bool surrogate = point >= 0xD800U && point <= 0xDFFFU;
  if (point < least || point > 0x10FFFFU || surrogate || (point & 0xFFFEU) == 0xFFFEU) return 0;
  return size;
}

}  // namespace

std::string end_message(const nlohmann::json& rollout, ExitCode end) {
  switch (end) {
    case ExitCode::kTimeout:
      return "--timeout passed; the rollout goes on";
    case ExitCode::kInterrupted:
      return "interrupted; the rollout goes on";
    case ExitCode::kFailed:
      return "could not tell how it ends";
    default:
      return progress_text(rollout);
  }
}

std::string xml_text(const std::string& text) {
  std::string escaped;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t size = good_bytes(std::string_view(text).substr(i));
    if (size == 0) {
      escaped += kReplacement;
      ++i;
      continue;
    }
    switch (text[i]) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        escaped += text.substr(i, size);
    }
    i += size;
  }
  return escaped;
}

std::string junit_report(const nlohmann::json& rollout, ExitCode end) {
  const std::string service = text_at(rollout, "service");
  const std::string classname =
      service.empty() ? "rollwatch"
                      : fmt::format("rollwatch.{}.{}", text_at(rollout, "namespace"), service);
  const std::string name = service.empty() ? "rollout" : rollout_name(rollout);
  Tally tally;
  std::string cases;
  for (const auto& condition : child_at(rollout, "conditions"))
    cases += test_case(classname, text_at(condition, "name"), kind_of(condition),
                       condition_message(condition), condition_output(condition), tally);
  const std::string output = rollout.is_null() ? "" : result_line(rollout) + "\n";
  cases += test_case(classname, name, kind_of(end), end_message(rollout, end), output, tally);
  const std::string counts =
      fmt::format(" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\"", tally.tests,
                  tally.failures, tally.errors, tally.skipped);
  std::string suite = attribute("name", name) + counts + attribute("time", seconds_taken(rollout));
  if (const std::string at = text_at(rollout, "created_at"); !at.empty())
    suite += attribute("timestamp", at);
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"rollwatch\" tests=\"{}\" "
      "failures=\"{}\" errors=\"{}\">\n  <testsuite{}>\n{}  </testsuite>\n</testsuites>\n",
      tally.tests, tally.failures, tally.errors, suite, cases);
}

}  // namespace rollwatch
