#include "test/scenarios/words.h"

#include <algorithm>
#include <limits>
#include <map>
#include <stdexcept>

namespace rollwatch {
namespace {

// `{pod="a",version="1.24"} 0.2` → the labels, and "0.2"
std::vector<Label> take_labels(std::string& rest) {
  std::vector<Label> labels;
  const std::size_t end = rest.find('}');
  if (end == std::string::npos) throw std::runtime_error("a brace is not closed: " + rest);
  for (const std::string& pair : split(rest.substr(1, end - 1), ',')) {
    const std::size_t equal = pair.find("=\"");
    if (equal == std::string::npos || pair.back() != '"')
      throw std::runtime_error("not a label: " + pair);
    labels.push_back({pair.substr(0, equal), pair.substr(equal + 2, pair.size() - equal - 3)});
  }
  rest = trim(rest.substr(end + 1));
  return labels;
}

void read_values(const std::string& text, Behaviour& behaviour) {
  for (std::string value : split(text, ',')) {
    if (value.starts_with('{')) behaviour.labels.push_back(take_labels(value));
    behaviour.values.push_back(number_in(value));
  }
  if (!behaviour.labels.empty() && behaviour.labels.size() != behaviour.values.size())
    throw std::runtime_error("either every series has labels or none");
}

}  // namespace

std::string trim(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string take_word(std::string& rest) {
  rest = trim(rest);
  const std::size_t end = std::min(rest.find(' '), rest.size());
  std::string word = rest.substr(0, end);
  rest = trim(rest.substr(end));
  return word;
}

std::vector<std::string> split(const std::string& text, char by) {
  std::vector<std::string> parts(1);
  int braces = 0;
  for (const char c : text) {
    if (c == '{') ++braces;
    if (c == '}') --braces;
    if (c == by && braces == 0)
      parts.emplace_back();
    else
      parts.back() += c;
  }
  for (std::string& part : parts) part = trim(part);
  return parts;
}

Millis duration_in(const std::string& text) {
  const auto span = parse_duration(text);
  if (!span) throw std::runtime_error("not a duration: " + text);
  return *span;
}

double number_in(const std::string& text) {
  if (text == "nan") return std::numeric_limits<double>::quiet_NaN();
  if (text == "infinite") return std::numeric_limits<double>::infinity();
  std::size_t read = 0;
  double number = 0;
  try {
    number = std::stod(text, &read);
  } catch (const std::exception&) {
    read = 0;
  }
  if (read == 0 || read != text.size()) unknown("number", text);
  return number;
}

Behaviour behaviour_in(const std::string& text) {
  using Kind = Behaviour::Kind;
  const std::map<std::string, Kind> words{
      {"no data", Kind::kNoData},     {"down", Kind::kDown},
      {"slow", Kind::kSlow},          {"nonsense", Kind::kNonsense},
      {"bad query", Kind::kBadQuery}, {"string", Kind::kUnusable},
      {"matrix", Kind::kUnusable},    {"native histogram", Kind::kUnusable},
      {"http 503", Kind::kHttpError}};
  Behaviour behaviour;
  if (const auto word = words.find(text); word != words.end()) {
    behaviour.kind = word->second;
    behaviour.text = text.starts_with("http ") ? text.substr(5) : text;
    return behaviour;
  }
  const std::map<std::string, Kind> prefixes{{"partial ", Kind::kPartial},
                                             {"scalar ", Kind::kScalar}};
  behaviour.kind = Kind::kValue;
  std::string values = text;
  for (const auto& [prefix, kind] : prefixes) {
    if (!text.starts_with(prefix)) continue;
    behaviour.kind = kind;
    values = text.substr(prefix.size());
  }
  read_values(values, behaviour);
  return behaviour;
}

Deployer deployer_in(const std::string& text) {
  const std::map<std::string, Deployer> words{{"acknowledges", Deployer::kAcknowledges},
                                              {"accepts", Deployer::kAccepts},
                                              {"refuses", Deployer::kRefuses},
                                              {"fails", Deployer::kFails},
                                              {"is down", Deployer::kIsDown}};
  const auto word = words.find(text);
  if (word == words.end()) unknown("deployer's way", text);
  return word->second;
}

void unknown(const std::string& what, const std::string& word) {
  throw std::runtime_error("unknown " + what + " \"" + word + "\"");
}

std::string take_from(std::string& rest, const std::string& keyword) {
  const std::size_t at = (" " + rest).find(" " + keyword + " ");
  if (at == std::string::npos) return "";
  std::string taken = trim(rest.substr(at + keyword.size() + 1));
  rest = trim(rest.substr(0, at));
  return taken;
}

}  // namespace rollwatch
