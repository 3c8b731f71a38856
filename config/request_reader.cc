#include "config/request_reader.h"

#include <algorithm>

#include "analysis/order_template.h"
#include "config/address.h"
#include "config/connection_reader.h"

namespace rollwatch {
namespace {

using Headers = std::map<std::string, Secret>;

constexpr std::string_view kNothing = "none";

bool any_from_environment(const Value& value) {
  if (const auto* table = value.as_table())
    return std::ranges::any_of(
        *table, [](const Value::Member& member) { return any_from_environment(member.value); });
  if (const auto* array = value.as_array())
    return std::ranges::any_of(*array, any_from_environment);
  return value.from_environment();
}

std::vector<int> read_statuses(TableReader& reader, std::string_view key) {
  std::vector<int> statuses;
  const Value* list = reader.array(key, std::string(key) + " = [409]");
  if (list == nullptr) return statuses;
  for (const Value& item : *list->as_array()) {
    const std::int64_t* status = item.as_integer();
    if (status != nullptr && *status >= 200 && *status <= 599) {
      statuses.push_back(static_cast<int>(*status));
    } else {
      reader.errors().push_back(
          {item.origin(), join_key(reader.path(), key), "must be HTTP statuses, from 200 to 599"});
    }
  }
  return statuses;
}

class RequestReader {
 public:
  RequestReader(OrchestratorSettings& orchestrator, SectionContext& context)
      : orchestrator_(orchestrator), context_(context) {}

  void read(TableReader& reader) {
    headers_ = read_templates_of_headers(reader);
    orchestrator_.bearer_token_file = context_.readable_file(reader, "bearer_token_file", true);
    check_one_authorization(reader);
    for (const char* kind : {"advance", "promote", "rollback", "pause", "resume"})
      read_kind(reader, kind);
    if (const Value* look = reader.table("look")) {
      TableReader inside(*look, join_key(reader.path(), "look"), context_.errors);
      orchestrator_.look = read_look(inside);
    }
    check_look(reader);
    orchestrator_.tls = read_tls(reader, rollback_url(), context_);
    auto& variables = orchestrator_.variables;
    std::ranges::sort(variables);
    variables.erase(std::unique(variables.begin(), variables.end()), variables.end());
  }

 private:
  // Remembers the variables; an error is recorded at the value.
  std::optional<OrderTemplate> parse(const std::string& text, const Origin& origin,
                                     const std::string& path) {
    auto parsed = OrderTemplate::parse(text);
    if (!parsed) {
      context_.errors.push_back({origin, path, parsed.error()});
      return std::nullopt;
    }
    std::ranges::copy(parsed->variables(), std::back_inserter(orchestrator_.variables));
    return std::move(*parsed);
  }

  Secret read_url(TableReader& reader) {
    auto url = context_.secret(reader, "url");
    if (!SectionContext::is_given(reader, "url"))
      reader.missing("url",
                     "give the address, such as url = \"https://api.example.net/{{service}}\"");
    if (!url) return Secret();
    const std::string key = SectionContext::written_key(reader, "url");
    const auto parsed =
        parse(url->reveal(), reader.find(key)->origin(), join_key(reader.path(), key));
    if (!parsed) return Secret();
    if (const auto problem = url_problem(sample(*parsed), UrlUse::kReceiver))
      reader.wrong(key, *problem);
    if (!parsed->host_is_fixed()) reader.wrong(key, std::string(kHostMustBeFixed));
    return std::move(*url);
  }

  // With something in the place of every variable: to be checked as what it will be.
  static std::string sample(const OrderTemplate& text) {
    TemplateValues values;
    for (const std::string& name : text.variables()) values[name] = "1";
    return text.render(values).value();
  }

  Headers read_templates_of_headers(TableReader& reader) {
    Headers headers = read_headers(reader);
    const Value* table = headers.empty() ? nullptr : reader.find("headers");
    for (const auto& [name, value] : headers)
      parse(value.reveal(), table->find(name)->origin(),
            join_key(join_key(reader.path(), "headers"), name));
    return headers;
  }

  void check_one_authorization(TableReader& reader) {
    if (orchestrator_.bearer_token_file.empty()) return;
    const bool header = std::ranges::any_of(headers_, [](const auto& one) {
      return nearest(one.first, {"authorization"}) == "authorization";
    });
    if (header) reader.wrong("bearer_token_file", "give it or an Authorization header, not both");
  }

  void check_strings(const Value& value, const std::string& path) {
    if (const auto* table = value.as_table()) {
      for (const Value::Member& member : *table) check_strings(member.value, path);
    } else if (const auto* array = value.as_array()) {
      for (const Value& item : *array) check_strings(item, path);
    } else if (const std::string* text = value.as_string()) {
      parse(*text, value.origin(), path);
    } else if (value.kind() == Value::Kind::kDate) {
      context_.errors.push_back(
          {value.origin(), path, "must not hold a date, which JSON has not; write it as a string"});
    }
  }

  // A table or list is the JSON it looks like; a string is JSON itself, for what TOML cannot say,
  // such as null.
  std::string read_body(TableReader& reader) {
    const Value* body = reader.find("body");
    if (body == nullptr) return {};
    const std::string path = join_key(reader.path(), "body");
    if (const std::string* text = body->as_string()) {
      auto json = value_from_json(*text);
      if (!json) {
        reader.wrong("body", "must be a table, or a string of JSON: " + json.error().message);
        return {};
      }
      place(*json, body->origin());
      check_strings(*json, path);
      return *text;
    }
    if (body->as_table() == nullptr && body->as_array() == nullptr) {
      reader.wrong("body", "must be a table, a list, or a string of JSON, not " +
                               std::string(describe(body->kind())));
      return {};
    }
    check_strings(*body, path);
    return to_json(*body);
  }

  // What is written inside one string is written where the string is.
  static void place(Value& value, const Origin& origin) {
    value.set_origin(origin);
    if (auto* table = value.as_table())
      for (Value::Member& member : *table) place(member.value, origin);
    if (auto* array = value.as_array())
      for (Value& item : *array) place(item, origin);
  }

  // `already = { "/status/abort" = true }`
  std::string read_expectations(TableReader& parent, std::string_view key) {
    const Value* table = parent.table(key);
    if (table == nullptr) return {};
    const std::string path = join_key(parent.path(), key);
    if (table->as_table()->empty())
      parent.wrong(key, "must say what is to be seen, such as { \"/status/phase\" = \"Healthy\" }");
    for (const Value::Member& member : *table->as_table()) {
      if (member.key.empty() || member.key.front() != '/')
        context_.errors.push_back(
            {member.key_origin, join_key(path, member.key),
             "must be a JSON pointer into the answer, such as \"/status/phase\""});
      if (member.value.as_table() != nullptr || member.value.as_array() != nullptr)
        context_.errors.push_back({member.value.origin(), join_key(path, member.key),
                                   "must be a string, a number or true or false"});
    }
    check_strings(*table, path);
    return to_json(*table);
  }

  RequestShape read_request(TableReader& reader) {
    RequestShape request;
    const Choices<const char*> methods = {
        {"POST", "POST"}, {"PUT", "PUT"}, {"PATCH", "PATCH"}, {"DELETE", "DELETE"}, {"GET", "GET"}};
    if (const auto method = reader.choice<const char*>("method", methods)) request.method = *method;
    request.url = read_url(reader);
    Headers headers = read_templates_of_headers(reader);
    headers.insert(headers_.begin(), headers_.end());  // the orchestrator's, but for its own
    request.headers = {headers.begin(), headers.end()};
    request.body = read_body(reader);
    request.already = read_expectations(reader, "already");
    request.done = read_statuses(reader, "done");
    request.refused = read_statuses(reader, "refused");
    request.retry = read_statuses(reader, "retry");
    request.wait_for_ack = reader.boolean("wait_for_ack").value_or(false);
    const Value* url = reader.find("url");
    request.url_is_secret = url == nullptr || url->from_environment();
    const Value* body = reader.find("body");
    request.body_is_secret = body != nullptr && any_from_environment(*body);
    reader.finish();
    return request;
  }

  LookShape read_look(TableReader& reader) {
    LookShape look;
    look.url = read_url(reader);
    look.headers = {headers_.begin(), headers_.end()};
    look.only_if = read_expectations(reader, "only_if");
    reader.finish();
    return look;
  }

  void read_kind(TableReader& reader, const std::string& kind) {
    const bool moves_traffic = kind != "pause" && kind != "resume";
    const bool may_be_nothing = kind != "rollback";
    const Value* given = reader.find(kind);
    if (given == nullptr) {
      if (moves_traffic)
        reader.missing(kind, "give [" + join_key(reader.path(), kind) +
                                 "] with method, url and body" +
                                 (may_be_nothing ? ", or \"none\" if it takes no request" : ""));
      return;
    }
    if (const std::string* text = given->as_string()) {
      if (*text != kNothing) {
        reader.wrong(kind, "must be a table with method, url and body" +
                               std::string(may_be_nothing ? ", or \"none\"" : ""));
      } else if (!may_be_nothing) {
        reader.wrong(kind, "must be a request: a rollback that does nothing would be called done");
      }
      return;
    }
    if (reader.table(kind) == nullptr) return;
    TableReader inside(*given, join_key(reader.path(), kind), context_.errors);
    orchestrator_.requests.emplace(kind, read_request(inside));
  }

  void check_look(TableReader& reader) {
    bool looks_for_something = orchestrator_.look && !orchestrator_.look->only_if.empty();
    for (const auto& [kind, request] : orchestrator_.requests) {
      if (request.already.empty()) continue;
      looks_for_something = true;
      if (!orchestrator_.look)
        reader.wrong(kind, "has already, and nothing is read that could show it; give [" +
                               join_key(reader.path(), "look") + "] with a url");
    }
    if (orchestrator_.look && !looks_for_something)
      reader.wrong("look", "looks for nothing; give it only_if, or an order already");
  }

  std::string rollback_url() const {
    const auto rollback = orchestrator_.requests.find("rollback");
    return rollback == orchestrator_.requests.end() ? "" : rollback->second.url.reveal();
  }

  OrchestratorSettings& orchestrator_;
  SectionContext& context_;
  Headers headers_;  // of every request
};

}  // namespace

void read_request_preset(TableReader& reader, OrchestratorSettings& orchestrator,
                         SectionContext& context) {
  RequestReader(orchestrator, context).read(reader);
}

}  // namespace rollwatch
