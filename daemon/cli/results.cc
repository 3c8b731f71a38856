#include "daemon/cli/results.h"

#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <limits>
#include <nlohmann/json.hpp>

#include "daemon/cli/fields.h"
#include "daemon/cli/problem.h"
#include "daemon/cli/requests.h"

namespace rollwatch {
namespace {

using nlohmann::json;

constexpr long kPage = 100;  // the most that is asked for at once

std::string as_text(const json& value, int indent) {
  return value.dump(indent, ' ', false, json::error_handler_t::replace);
}

}  // namespace

int code(ExitCode exit) { return static_cast<int>(exit); }

std::string as_line(const json& value) { return as_text(value, -1); }

void print(const Invocation& call, std::ostream& out, const json& result,
           const std::string& table) {
  if (call.output == Output::kTable) {
    out << table;
  } else if (call.output == Output::kJson) {
    out << as_text(result, 2) << "\n";
  } else {
    for (const json& item : child_at(result, "items")) out << as_line(item) << "\n";
  }
}

std::optional<json> fetch(const Request& request, Surroundings& surroundings) {
  const auto answer = surroundings.transport(request);
  if (!answer) {
    surroundings.err << fmt::format("rollwatch: no answer from the server: {}\n",
                                    answer.error().detail);
    return std::nullopt;
  }
  if (!is_success(*answer)) {
    surroundings.err << describe_problem(*answer);
    return std::nullopt;
  }
  auto value = json::parse(answer->body, nullptr, false);
  if (value.is_object()) return value;
  surroundings.err << "rollwatch: the server's answer is not JSON; is --server right?\n";
  return std::nullopt;
}

std::optional<json> fetch_pages(const PageRequest& request, long limit,
                                Surroundings& surroundings) {
  json items = json::array();
  std::string cursor;
  do {
    const long left = limit - static_cast<long>(items.size());
    const auto page = fetch(request(std::min(left, kPage), cursor), surroundings);
    if (!page) return std::nullopt;
    for (const json& item : child_at(*page, "items")) {
      if (static_cast<long>(items.size()) < limit) items.push_back(item);
    }
    const std::string next = text_at(*page, "next_cursor");
    if (next == cursor) break;
    cursor = next;
  } while (!cursor.empty() && static_cast<long>(items.size()) < limit);
  if (!cursor.empty() && static_cast<long>(items.size()) >= limit)
    surroundings.err << fmt::format(
        "rollwatch: these are {}, and there are more: --limit N for as many as N\n", limit);
  return items;
}

std::optional<json> fetch_all(const std::string& id, const std::string& below,
                              Surroundings& surroundings) {
  return fetch_pages(
      [&](long, const std::string& cursor) { return page_request(id, below, cursor); },
      std::numeric_limits<long>::max(), surroundings);
}

std::optional<std::string> ask(const std::string& question, Surroundings& surroundings) {
  surroundings.err << question << std::flush;
  std::string line;
  if (!std::getline(surroundings.in, line)) return std::nullopt;
  return line;
}

}  // namespace rollwatch
