#include "daemon/postgres/address.h"

#include <libpq-fe.h>

#include <algorithm>
#include <memory>
#include <string_view>

namespace rollwatch {
namespace {

constexpr const char* kEscape =
    "; what is special in a user's name or a password (@ : / ? # % and the like) is written as % "
    "and two hexadecimal digits";

// An @ too many before the parameters: a part of the password would be taken for the host.
bool has_stray_at(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return false;
  std::string_view rest = url.substr(scheme + 3);
  rest = rest.substr(0, rest.find('?'));
  const std::string_view host = rest.substr(0, rest.find('/'));
  return std::count(host.begin(), host.end(), '@') > 1 ||
         rest.find('@', host.size()) != std::string_view::npos;
}

}  // namespace

std::optional<std::string> mistake_in_pg_url(const std::string& url) {
  if (has_stray_at(url)) return std::string("the address has an @ too many") + kEscape;
  char* raw = nullptr;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
      PQconninfoParse(url.c_str(), &raw), PQconninfoFree);
  const std::unique_ptr<char, decltype(&PQfreemem)> message(raw, PQfreemem);
  if (options) return std::nullopt;
  const std::string_view why = message ? message.get() : "";
  if (why.starts_with("invalid URI query parameter") && url.find("password=") == std::string::npos)
    return std::string(why.substr(0, why.find('\n')));
  return std::string("the address cannot be read") + kEscape;
}

}  // namespace rollwatch
