#include "daemon/app/repeats.h"

#include <algorithm>

namespace rollwatch {
namespace {

constexpr Millis kSpan{60'000};
constexpr std::size_t kMost = 1'000;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return c >= 'a' && c <= 'z'; }
bool is_mark(char c) { return std::string_view("(),.:;[]\"").find(c) != std::string_view::npos; }

// "3", "(12", "250ms:"; not "10.0.0.1:9090" nor "eu-1", which are names.
bool is_number(std::string_view word) {
  const auto drop = [&word](auto is_one) {
    std::size_t count = 0;
    for (; !word.empty() && is_one(word.front()); ++count) word.remove_prefix(1);
    return count;
  };
  drop(is_mark);
  const bool has_digits = drop(is_digit) > 0;
  const bool has_unit = drop(is_letter) <= 2;
  drop(is_mark);
  return has_digits && has_unit && word.empty();
}

// Of a rollout, an order, a notification: "ro_01m8ce8q5f806ev92ffmrn3czx", and what follows it.
bool is_id(std::string_view word) {
  constexpr std::size_t kLongestPrefix = 4;
  constexpr std::size_t kBody = 26;
  const std::size_t prefix = word.find('_');
  if (prefix == std::string_view::npos || prefix == 0 || prefix > kLongestPrefix) return false;
  const std::string_view body = word.substr(prefix + 1, kBody);
  return body.size() == kBody &&
         std::ranges::all_of(body, [](char c) { return is_digit(c) || is_letter(c); });
}

// Of a request: "[03a7dbfb57d13385-1]". An address has colons in its brackets.
bool is_request_id(std::string_view word) {
  const std::size_t end = word.find(']');
  return word.starts_with('[') && end != std::string_view::npos &&
         word.substr(0, end).find(':') == std::string_view::npos;
}

// Word by word, and of a path part by part.
std::string common_to(std::string_view line) {
  std::string common;
  while (!line.empty()) {
    const std::size_t end = std::min(line.find_first_of(" /"), line.size());
    const std::string_view word = line.substr(0, end);
    const bool differs = is_number(word) || is_id(word) || is_request_id(word);
    common += differs ? std::string_view("#") : word;
    common += ' ';
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return common;
}

std::string with_count(const std::string& line, std::size_t left_out) {
  if (left_out == 0) return line;
  return line + " (" + std::to_string(left_out) + " more like it since it was last told)";
}

}  // namespace

std::optional<std::string> Repeats::admit(std::string_view line, SysTime now) {
  std::string common = common_to(line);
  // A flood of lines that have nothing in common is shown, and not remembered.
  if (seen_.size() >= kMost && !seen_.contains(common)) return std::string(line);
  const auto [found, is_new] = seen_.try_emplace(std::move(common));
  Seen& seen = found->second;
  // A clock that was set back must not keep anything from being told.
  if (!is_new && now >= seen.shown_at && now - seen.shown_at < kSpan) {
    ++seen.left_out;
    seen.latest = line;
    return std::nullopt;
  }
  std::string shown = with_count(std::string(line), seen.left_out);
  seen = {now, 0, ""};
  return shown;
}

std::vector<std::string> Repeats::overdue(SysTime now) {
  std::vector<std::string> lines;
  for (auto one = seen_.begin(); one != seen_.end();) {
    Seen& seen = one->second;
    if (now >= seen.shown_at && now - seen.shown_at < kSpan) {
      ++one;
    } else if (seen.left_out > 0) {
      lines.push_back(with_count(seen.latest, seen.left_out - 1));
      seen = {now, 0, ""};
      ++one;
    } else {
      one = seen_.erase(one);
    }
  }
  return lines;
}

std::vector<std::string> Repeats::rest() {
  std::vector<std::string> lines;
  for (const auto& [common, seen] : seen_)
    if (seen.left_out > 0) lines.push_back(with_count(seen.latest, seen.left_out - 1));
  seen_.clear();
  return lines;
}

}  // namespace rollwatch
