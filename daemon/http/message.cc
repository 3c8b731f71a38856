#include "daemon/http/message.h"

#include <fmt/format.h>

#include <algorithm>

namespace rollwatch {
namespace {

std::optional<int> hex_digit(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return std::nullopt;
}

// Calls take(part) for every part between separators; false as soon as take says so.
template <class Take>
bool each_part(std::string_view text, char separator, Take take) {
  for (std::size_t begin = 0;;) {
    const std::size_t end = std::min(text.find(separator, begin), text.size());
    if (!take(text.substr(begin, end - begin))) return false;
    if (end == text.size()) return true;
    begin = end + 1;
  }
}

bool read_path(std::string_view path, ServerRequest& request) {
  request.path = path;
  if (path.empty() || path.front() != '/') return false;
  path.remove_prefix(1);
  if (path.empty()) return true;
  return each_part(path, '/', [&](std::string_view part) {
    auto segment = percent_decode(part, false);
    if (segment) request.segments.push_back(std::move(*segment));
    return segment.has_value();
  });
}

bool read_query(std::string_view query, ServerRequest& request) {
  return each_part(query, '&', [&](std::string_view part) {
    if (part.empty()) return true;
    const std::size_t equals = std::min(part.find('='), part.size());
    auto key = percent_decode(part.substr(0, equals), true);
    auto value = percent_decode(equals == part.size() ? "" : part.substr(equals + 1), true);
    if (!key || !value) return false;
    request.query.emplace_back(std::move(*key), std::move(*value));
    return true;
  });
}

bool has_body(int status) { return status >= 200 && status != 204 && status != 304; }

}  // namespace

std::optional<std::string_view> ServerRequest::header(std::string_view lower_case_name) const {
  const auto found = std::ranges::find(headers, lower_case_name, &Headers::value_type::first);
  if (found == headers.end()) return std::nullopt;
  return found->second;
}

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const auto high = hex_digit(text[i + 1]);
      const auto low = hex_digit(text[i + 2]);
      if (!high || !low || (*high == 0 && *low == 0)) return std::nullopt;
      decoded += static_cast<char>(*high * 16 + *low);
      i += 2;
    } else {
      decoded += text[i] == '+' && plus_is_space ? ' ' : text[i];
    }
  }
  return decoded;
}

bool read_target(std::string_view target, ServerRequest& request) {
  if (const std::size_t scheme = target.find("://");
      scheme != std::string_view::npos && target.front() != '/') {
    target.remove_prefix(std::min(target.find('/', scheme + 3), target.size()));
    if (target.empty()) target = "/";
  }
  const std::size_t question = std::min(target.find('?'), target.size());
  if (!read_path(target.substr(0, question), request)) return false;
  return question == target.size() || read_query(target.substr(question + 1), request);
}

std::string_view status_phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 204:
      return "No Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 421:
      return "Misdirected Request";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Unknown";
  }
}

std::string lower_case(std::string_view ascii) {
  std::string lower(ascii);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

std::string render_head(const ServerResponse& response, bool keep_alive, std::string_view date) {
  std::string head =
      fmt::format("HTTP/1.1 {} {}\r\n", response.status, status_phrase(response.status));
  for (const auto& [name, value] : response.headers) {
    std::string line = value;
    std::ranges::replace_if(
        line, [](char c) { return c == '\r' || c == '\n' || c == '\0'; }, ' ');
    head += fmt::format("{}: {}\r\n", name, line);
  }
  if (has_body(response.status) && !response.stream)
    head += fmt::format("Content-Length: {}\r\n", response.body.size());
  if (!date.empty()) head += fmt::format("Date: {}\r\n", date);
  head += keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
  return head;
}

}  // namespace rollwatch
