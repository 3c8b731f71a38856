#include "config/store_url.h"

#include <algorithm>

namespace rollwatch {

std::optional<std::string> sqlite_path(const std::string& url) {
  constexpr std::string_view kScheme = "sqlite:";
  if (url.rfind(kScheme, 0) != 0) return std::nullopt;
  std::string path = url.substr(kScheme.size());
  const std::size_t slashes = path.find_first_not_of('/');
  if (slashes == 2 || slashes == std::string::npos)
    return std::nullopt;  // a host, or nothing at all
  if (slashes > 1) path = path.substr(slashes - 1);
  if (path.front() == ':' || path.find('?') != std::string::npos) return std::nullopt;
  return path;
}

bool is_postgres_url(std::string_view url) {
  for (const std::string_view scheme : {"postgresql://", "postgres://"})
    if (url.substr(0, scheme.size()) == scheme) return url.size() > scheme.size();
  return false;
}

std::string shown_postgres_url(const std::string& url) {
  const std::size_t start = url.find("://") + 3;
  const std::size_t end = std::min(url.find('?'), url.size());
  // Bytes that should have been escaped: nothing is certain.
  if (url.find('@', end) != std::string::npos) return url.substr(0, start) + "…";
  const std::size_t at = url.rfind('@', end);
  const std::size_t host = at == std::string::npos || at < start ? start : at + 1;
  return url.substr(0, start) + url.substr(host, end - host);
}

}  // namespace rollwatch
