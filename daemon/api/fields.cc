#include "daemon/api/fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "daemon/api/cursors.h"

namespace rollwatch {
namespace {

constexpr std::size_t kLongestPage = 500;
constexpr std::size_t kUsualPage = 50;

bool is_control(std::string_view text, std::size_t i) {
  const auto byte = static_cast<unsigned char>(text[i]);
  if (byte < 0x20 || byte == 0x7f) return true;
  // C1 controls, as UTF-8 writes them.
  return byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0;
}

Origin at_pointer(std::string pointer) {
  Origin origin;
  origin.layer = "request";
  origin.pointer = std::move(pointer);
  return origin;
}

bool is_json(std::string_view content_type) {
  const std::string type = lower_case(content_type.substr(0, content_type.find(';')));
  const std::size_t end = type.find_last_not_of(" \t");
  const std::string_view bare =
      std::string_view(type).substr(0, end == std::string::npos ? 0 : end + 1);
  return bare == "application/json" || bare.ends_with("+json");
}

}  // namespace

std::optional<std::string> text_problem(std::string_view text, TextRule rule) {
  if (text.empty()) return "must not be empty; give a value or leave it out";
  if (text.size() > rule.longest)
    return fmt::format("must be at most {} bytes long, not {}", rule.longest, text.size());
  for (std::size_t i = 0; i < text.size(); ++i)
    if (is_control(text, i) && !(rule.several_lines && (text[i] == '\n' || text[i] == '\t')))
      return "must not contain control characters";
  if (!rule.several_lines && (text.front() == ' ' || text.back() == ' '))
    return "must not begin or end with a space";
  return std::nullopt;
}

Value body_object(const ServerRequest& request, bool may_be_empty) {
  // `curl -d` calls everything a form unless told otherwise; the body shows what it is.
  const std::string_view type = request.header("content-type").value_or("");
  if (!request.body.empty() && !type.empty() && !is_json(type) &&
      type != "application/x-www-form-urlencoded")
    throw Refusal{{415, fmt::format("send JSON (application/json), not {}", type)}};
  const std::string_view coding = request.header("content-encoding").value_or("");
  if (!request.body.empty() && !coding.empty() && lower_case(coding) != "identity")
    throw Refusal{{415, fmt::format("send the body as it is, not in Content-Encoding {}", coding)}};
  if (request.body.empty() && may_be_empty) return Value(Value::Table{});
  auto value = value_from_json(request.body, "request");
  if (!value) {
    Problem problem{400, "the body is not acceptable JSON: " + value.error().message};
    problem.errors.emplace_back(value.error().pointer, value.error().message);
    throw Refusal{problem};
  }
  if (value->as_table() == nullptr) {
    const std::string detail =
        fmt::format("must be a JSON object, not {}", describe(value->kind()));
    Problem problem{422, "the body " + detail};
    problem.errors.emplace_back("", detail);
    throw Refusal{problem};
  }
  return std::move(*value);
}

std::optional<std::string> BodyReader::text_of(const Value& value, TextRule rule) {
  const std::string* text = value.as_string();
  std::optional<std::string> problem;
  if (text == nullptr)
    problem = fmt::format("must be a string, not {}", describe(value.kind()));
  else
    problem = text_problem(*text, rule);
  if (!problem) return *text;
  errors_.push_back({value.origin(), "", std::move(*problem)});
  return std::nullopt;
}

std::optional<std::string> BodyReader::text(std::string_view key, TextRule rule) {
  if (!is_given(key)) return std::nullopt;
  return text_of(*reader_.find(key), rule);
}

std::string BodyReader::required_text(std::string_view key, TextRule rule) {
  if (!is_given(key)) {
    wrong(key, "is required");
    return "";
  }
  return text_of(*reader_.find(key), rule).value_or("");
}

std::optional<SysTime> BodyReader::time(std::string_view key) {
  const auto written = text(key);
  if (!written) return std::nullopt;
  auto read = parse_time(*written);
  if (!read) wrong(key, "must be a time in RFC 3339, such as \"2026-01-02T03:04:05Z\"");
  return read;
}

std::vector<std::string> BodyReader::texts(std::string_view key, std::size_t most, bool or_one) {
  std::vector<std::string> found;
  if (!is_given(key)) return found;
  const Value* value = reader_.find(key);
  const Value::Array* array = value->as_array();
  if (array == nullptr && or_one && value->as_string() != nullptr) {
    if (auto one = text_of(*value, kName)) found.push_back(std::move(*one));
  } else if (array == nullptr) {
    wrong(key, fmt::format("must be {}a list of strings, not {}", or_one ? "a string or " : "",
                           describe(value->kind())));
  } else if (array->size() > most) {
    wrong(key, fmt::format("must have at most {} entries, not {}", most, array->size()));
  } else {
    for (const Value& entry : *array) {
      auto one = text_of(entry, kName);
      if (!one) continue;
      if (std::ranges::find(found, *one) != found.end())
        errors_.push_back({entry.origin(), "", fmt::format("\"{}\" is named twice", *one)});
      found.push_back(std::move(*one));
    }
  }
  return found;
}

std::map<std::string, std::string> BodyReader::pairs(std::string_view key, std::size_t most,
                                                     TextRule rule) {
  std::map<std::string, std::string> found;
  if (!is_given(key)) return found;
  const Value* value = reader_.find(key);
  const Value::Table* table = value->as_table();
  if (table == nullptr) {
    wrong(key, fmt::format("must be an object of strings, not {}", describe(value->kind())));
    return found;
  }
  if (table->size() > most) {
    wrong(key, fmt::format("must have at most {} entries, not {}", most, table->size()));
    return found;
  }
  for (const Value::Member& member : *table) {
    if (auto problem = text_problem(member.key, kName))
      errors_.push_back({member.value.origin(), "", "its name " + *problem});
    if (auto text = text_of(member.value, rule)) found.emplace(member.key, std::move(*text));
  }
  return found;
}

void BodyReader::wrong(std::string_view key, std::string detail) {
  wrong_at("/" + pointer_token(key), std::move(detail));
}
void BodyReader::wrong_at(const std::string& pointer, std::string detail) {
  errors_.push_back({at_pointer(pointer), "", std::move(detail)});
}
void BodyReader::add(FieldErrors errors) {
  for (FieldError& error : errors) errors_.push_back(std::move(error));
}

void BodyReader::finish() {
  reader_.finish();
  refuse_errors();
}

void BodyReader::refuse_errors() {
  if (errors_.empty()) return;
  Problem problem{422, ""};
  for (const FieldError& error : errors_)
    problem.errors.emplace_back(error.origin.pointer, error.detail());
  const auto& [pointer, detail] = problem.errors.front();
  problem.detail = pointer.empty() ? detail : pointer + ": " + detail;
  if (problem.errors.size() > 1)
    problem.detail += fmt::format(" (and {} more)", problem.errors.size() - 1);
  throw Refusal{problem};
}

void refuse_query(std::string_view name, std::string detail) {
  Problem problem{422, fmt::format("query parameter {}: {}", name, detail)};
  problem.errors.emplace_back(fmt::format("?{}", name), std::move(detail));
  throw Refusal{problem};
}

std::optional<std::string> query_text(const Call& call, std::string_view name) {
  std::optional<std::string> found;
  for (const auto& [key, value] : call.request.query) {
    if (key != name) continue;
    if (found) refuse_query(name, "is given twice");
    found = value;
  }
  return found;
}

std::optional<Millis> query_duration(const Call& call, std::string_view name) {
  const auto text = query_text(call, name);
  if (!text) return std::nullopt;
  const auto duration = parse_duration(*text);
  if (!duration) refuse_query(name, "must be a duration, such as 30s or 5m");
  return duration;
}

std::optional<std::uint32_t> query_number(const Call& call, std::string_view name,
                                          std::uint32_t least, std::uint32_t most) {
  const auto text = query_text(call, name);
  if (!text) return std::nullopt;
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || end != text->data() + text->size() || number < least || number > most)
    refuse_query(name, fmt::format("must be a whole number from {} to {}", least, most));
  return number;
}

std::optional<std::string> query_cursor(const Call& call, std::string_view list,
                                        std::string_view name) {
  const auto text = query_text(call, name);
  if (!text) return std::nullopt;
  auto place = open_cursor(list, *text);
  if (!place) refuse_cursor(name);
  return place;
}

void refuse_cursor(std::string_view name) {
  refuse_query(name, "is not one that this list gave; without one it begins anew");
}

std::size_t query_limit(const Call& call) {
  return query_number(call, "limit", 1, kLongestPage).value_or(kUsualPage);
}

void check_query(const Call& call, const std::vector<std::string>& known, std::string_view prefix) {
  for (const auto& [key, value] : call.request.query) {
    if (std::ranges::find(known, key) != known.end()) continue;
    if (!prefix.empty() && key.starts_with(prefix) && key.size() > prefix.size()) continue;
    std::vector<std::string> names = known;
    if (!prefix.empty()) names.push_back(std::string(prefix) + "NAME");
    refuse_query(key, "is not known here" + suggestion(key, names, "known are", "; none is"));
  }
}

}  // namespace rollwatch
