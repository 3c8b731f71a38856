// What most verbs do with a server's answer: fetch it, or say why there is none, and print it in
// the form that was asked for.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "daemon/cli/arguments.h"
#include "daemon/cli/exit_code.h"
#include "daemon/cli/surroundings.h"

namespace rollwatch {

int code(ExitCode exit);

// One line, whatever the text holds.
std::string as_line(const nlohmann::json& value);

// `table`, or result as JSON, or each of its `items` as a line.
void print(const Invocation& call, std::ostream& out, const nlohmann::json& result,
           const std::string& table);

// The answer's JSON; nothing if there is none, which has been said.
std::optional<nlohmann::json> fetch(const Request& request, Surroundings& surroundings);

// Up to `limit` items of all pages, and says if there are more; `request` makes the request for so
// many from a cursor on.
using PageRequest = std::function<Request(long limit, const std::string& cursor)>;
std::optional<nlohmann::json> fetch_pages(const PageRequest& request, long limit,
                                          Surroundings& surroundings);
// All pages of a list below a rollout, such as "/events".
std::optional<nlohmann::json> fetch_all(const std::string& id, const std::string& below,
                                        Surroundings& surroundings);

// One line that answers the question; nothing at the end of the input.
std::optional<std::string> ask(const std::string& question, Surroundings& surroundings);

}  // namespace rollwatch
