#include "notifiers/slack_words.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "notifiers/text.h"

namespace rollwatch {
namespace {

// Where Slack asks to slow down and does not say for how long.
constexpr Millis kSlowDown{30'000};

struct Word {
  std::string_view word;
  SlackFate fate;
  std::string_view advice;  // "" if the word says it all
};

constexpr std::string_view kNewToken = "give the bot token of an app that is installed";
constexpr std::array kWords = {
    Word{"invalid_auth", SlackFate::kConfiguration, kNewToken},
    Word{"not_authed", SlackFate::kConfiguration, kNewToken},
    Word{"account_inactive", SlackFate::kConfiguration, kNewToken},
    Word{"token_revoked", SlackFate::kConfiguration, kNewToken},
    Word{"token_expired", SlackFate::kConfiguration, kNewToken},
    Word{"not_allowed_token_type", SlackFate::kConfiguration, "give a bot token (xoxb-…)"},
    Word{"missing_scope", SlackFate::kConfiguration, "give the app the scope chat:write"},
    Word{"no_permission", SlackFate::kConfiguration, ""},
    Word{"access_denied", SlackFate::kConfiguration, ""},
    Word{"org_login_required", SlackFate::kConfiguration, ""},
    Word{"team_access_not_granted", SlackFate::kConfiguration, ""},
    Word{"ekm_access_denied", SlackFate::kConfiguration, ""},
    Word{"channel_not_found", SlackFate::kConfiguration,
         "check `channel`; a private one must have the app invited"},
    Word{"not_in_channel", SlackFate::kConfiguration, "invite the app to the channel"},
    Word{"is_archived", SlackFate::kConfiguration, "the channel is archived"},
    Word{"restricted_action", SlackFate::kConfiguration, "the app may not post there"},
    Word{"restricted_action_thread_only_channel", SlackFate::kConfiguration, ""},
    Word{"restricted_action_read_only_channel", SlackFate::kConfiguration, ""},
    Word{"team_added_to_org", SlackFate::kAgain, ""},
    Word{"invalid_blocks", SlackFate::kPayload, ""},
    Word{"invalid_blocks_format", SlackFate::kPayload, ""},
    Word{"invalid_attachments", SlackFate::kPayload, ""},
    Word{"invalid_arguments", SlackFate::kPayload, ""},
    Word{"invalid_array_arg", SlackFate::kPayload, ""},
    Word{"attachment_payload_limit_exceeded", SlackFate::kPayload, ""},
    Word{"msg_too_long", SlackFate::kPayload, ""},
    Word{"msg_blocks_too_long", SlackFate::kPayload, ""},
    Word{"too_many_attachments", SlackFate::kPayload, ""},
    Word{"no_text", SlackFate::kPayload, ""},
    Word{"message_not_found", SlackFate::kGone, ""},
    Word{"cant_update_message", SlackFate::kGone, ""},
    Word{"edit_window_closed", SlackFate::kGone, ""},
    Word{"thread_not_found", SlackFate::kGone, ""},
    Word{"cannot_reply_to_message", SlackFate::kGone, ""},
};

const Word* find(std::string_view word) {
  const auto* found = std::find_if(kWords.begin(), kWords.end(),
                                   [word](const Word& known) { return known.word == word; });
  return found == kWords.end() ? nullptr : found;
}

Ruling ruled(ReplyEnd end, std::string note) { return {end, std::move(note), std::nullopt}; }

// Tried again; 429 and "ratelimited" never at once.
Ruling later(const Reply& reply, std::string_view word, SysTime now) {
  Ruling ruling;
  if (reply.status >= 300 && reply.status < 400) ruling.note = "redirects are not followed";
  if (!word.empty()) ruling.note = "Slack says " + std::string(word);
  if (reply.retry_after) ruling.retry_after = parse_retry_after(*reply.retry_after, now);
  const bool too_many = reply.status == 429 || word == "ratelimited" || word == "rate_limited";
  if (too_many && !ruling.retry_after) ruling.retry_after = kSlowDown;
  return ruling;
}

}  // namespace

SlackAnswer read_slack_answer(std::string_view body) {
  SlackAnswer answer;
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (!json.is_object()) return answer;
  const auto ok = json.find("ok");
  if (ok == json.end() || !ok->is_boolean()) return answer;
  answer.is_slacks = true;
  answer.ok = ok->get<bool>();
  const auto text = [&json](const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  answer.word = clean_utf8(one_line(text("error")), 100);
  answer.channel = text("channel");
  answer.ts = text("ts");
  return answer;
}

SlackFate fate_of(std::string_view word) {
  const Word* known = find(word);
  return known == nullptr ? SlackFate::kAgain : known->fate;
}

Ruling rule_on_slack_api(const Reply& reply, SysTime now) {
  const SlackAnswer answer = read_slack_answer(reply.body);
  const bool success = reply.status >= 200 && reply.status < 300;
  if (answer.is_slacks && !answer.ok) {
    const Word* known = find(answer.word);
    if (known == nullptr || known->fate == SlackFate::kAgain) {
      return later(reply, answer.word.empty() ? "no word for it" : answer.word, now);
    }
    std::string note = "Slack says " + answer.word;
    if (!known->advice.empty()) note += ": " + std::string(known->advice);
    return ruled(ReplyEnd::kRefused, std::move(note));
  }
  if (answer.is_slacks && success) return ruled(ReplyEnd::kDone, "");
  // Not repeated: whatever took it may have shown it already.
  if (success) {
    return ruled(ReplyEnd::kRefused, "answered HTTP " + std::to_string(reply.status) +
                                         " with something that is not Slack's");
  }
  const bool wrong = reply.status >= 400 && reply.status < 500;
  if (wrong && reply.status != 408 && reply.status != 429)
    return ruled(ReplyEnd::kRefused, "refused by something that is not Slack");
  return later(reply, "", now);
}

}  // namespace rollwatch
