#include "notifiers/classify.h"

#include <array>
#include <charconv>
#include <chrono>

#include "notifiers/text.h"

namespace rollwatch {
namespace {

constexpr std::string_view kNotFollowed = "redirects are not followed";

std::optional<int> number_in(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < 0) return std::nullopt;
  return number;
}

// "Sun, 06 Nov 1994 08:49:37 GMT"
std::optional<SysTime> http_date(std::string_view text) {
  constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  if (text.size() != 29 || text.substr(3, 2) != ", " || text.substr(25) != " GMT" ||
      text[7] != ' ' || text[11] != ' ' || text[16] != ' ' || text[19] != ':' || text[22] != ':') {
    return std::nullopt;
  }
  const auto day = number_in(text.substr(5, 2));
  const auto year = number_in(text.substr(12, 4));
  const auto hour = number_in(text.substr(17, 2));
  const auto minute = number_in(text.substr(20, 2));
  const auto second = number_in(text.substr(23, 2));
  unsigned month = 0;
  while (month < kMonths.size() && kMonths[month] != text.substr(8, 3)) ++month;
  if (!day || !year || !hour || !minute || !second || month == kMonths.size()) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{*year}, std::chrono::month{month + 1},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return std::chrono::sys_days{date} + std::chrono::hours{*hour} + std::chrono::minutes{*minute} +
         std::chrono::seconds{*second};
}

Ruling again(const Reply& reply, SysTime now) {
  Ruling ruling;
  if (reply.status >= 300 && reply.status < 400) ruling.note = kNotFollowed;
  if (reply.retry_after) ruling.retry_after = parse_retry_after(*reply.retry_after, now);
  return ruling;
}

Ruling ended(ReplyEnd end, std::string note = {}) { return {end, std::move(note), std::nullopt}; }

}  // namespace

std::optional<Millis> parse_retry_after(std::string_view text, SysTime now) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  if (const auto seconds = number_in(text)) return std::chrono::seconds{*seconds};
  const auto date = http_date(text);
  if (!date || *date <= now) return std::nullopt;
  return *date - now;
}

Ruling rule_on_order(const Reply& reply, SysTime now) {
  if (reply.status == 202) return ended(ReplyEnd::kAccepted);
  if (reply.status >= 200 && reply.status < 300) return ended(ReplyEnd::kDone);
  if (reply.status == 409 || reply.status == 410 || reply.status == 422)
    return ended(ReplyEnd::kRefused);
  return again(reply, now);
}

Ruling rule_on_slack_webhook(const Reply& reply, SysTime now) {
  const std::string word = clean_utf8(one_line(reply.body.substr(0, reply.body.find('\n'))), 100);
  if (reply.status >= 200 && reply.status < 300) {
    if (word == "ok") return ended(ReplyEnd::kDone);
    return ended(ReplyEnd::kRefused,
                 "answered HTTP " + std::to_string(reply.status) + " without Slack's \"ok\"");
  }
  if (reply.status >= 400 && reply.status < 500 && reply.status != 408 && reply.status != 429) {
    return ended(ReplyEnd::kRefused, word.empty() ? "refused without a word" : "refused: " + word);
  }
  return again(reply, now);
}

Ruling rule_on_notification(const Reply& reply, SysTime now) {
  if (reply.status >= 200 && reply.status < 300) return ended(ReplyEnd::kDone);
  const bool is_for_good = reply.status >= 400 && reply.status < 500 && reply.status != 408 &&
                           reply.status != 425 && reply.status != 429;
  if (is_for_good) return ended(ReplyEnd::kRefused, "refused: no repetition will change that");
  return again(reply, now);
}

}  // namespace rollwatch
