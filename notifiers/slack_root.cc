#include "notifiers/slack_root.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "analysis/text.h"
#include "notifiers/links.h"
#include "notifiers/order_body.h"
#include "notifiers/slack_blocks.h"

namespace rollwatch {
namespace {

struct StateLook {
  std::string_view state;
  std::string_view headline;
  std::string_view emoji;
  std::string_view color;
};

constexpr StateLook kStateLooks[] = {
    {"waiting", "waiting", ":hourglass_flowing_sand:", slack::kBlue},
    {"analyzing", "rolling out", ":rocket:", slack::kBlue},
    {"paused", "paused", ":warning:", slack::kYellow},
    {"promoting", "promoting", ":rocket:", slack::kBlue},
    {"soaking", "soaking", ":hourglass_flowing_sand:", slack::kBlue},
    {"promoted", "promoted", ":white_check_mark:", slack::kGreen},
    {"rolling_back", "rolling back", ":rewind:", slack::kRed},
    {"rolled_back", "rolled back", ":x:", slack::kRed},
    {"rollback_failed", "rollback failed", ":rotating_light:", slack::kRed},
    {"cancelled", "cancelled", ":no_entry_sign:", slack::kGrey},
    {"superseded", "superseded", ":fast_forward:", slack::kGrey},
};

StateLook look_of_state(const Standing& standing) {
  const auto* found =
      std::find_if(std::begin(kStateLooks), std::end(kStateLooks),
                   [&](const StateLook& look) { return look.state == standing.state; });
  StateLook look = found == std::end(kStateLooks) ? StateLook{standing.state, standing.state,
                                                              ":information_source:", slack::kBlue}
                                                  : *found;
  // A start that waits for its approval is a question like any other.
  if (look.state == "waiting" && !standing.question.empty()) {
    look.headline = "waits for a person";
    look.emoji = ":warning:";
    look.color = slack::kYellow;
  }
  return look;
}

// "25 %, step 2 of 3"; the step only while it is in one.
std::string place_of(const Standing& standing) {
  std::string place;
  if (standing.weight) place = percent(*standing.weight);
  const bool in_a_step = standing.state == "analyzing" || standing.state == "paused";
  if (in_a_step && standing.step >= 0 && standing.steps > 1) {
    if (!place.empty()) place += ", ";
    place += "step " + std::to_string(standing.step + 1) + " of " + std::to_string(standing.steps);
  }
  return place;
}

// Without milliseconds.
std::string span_of(Millis span) {
  const Millis second{1000};
  return format_duration(std::max(span - span % second, second));
}

// The headline's words, and what follows them.
struct Said {
  std::string words;
  std::string more;
};

Said said_of(const Standing& standing, const StateLook& look) {
  Said said{std::string(look.headline), {}};
  std::string_view reason = standing.reason;
  if (look.state == "analyzing") {
    const std::string place = place_of(standing);
    if (!place.empty()) said.words += " (" + place + ")";
    if (slack::begins_with_word(reason, "watching")) reason = {};
  }
  // "promoted, and watched for 15m after it", "superseded by 1.25": the sentence goes on as it is.
  const bool says_it = slack::begins_with_word(reason, look.headline);
  if (says_it) reason.remove_prefix(look.headline.size());
  if (reason.empty()) return said;
  said.more = (says_it ? "" : ": ") + slack::escaped(reason, slack::kSentenceLimit);
  return said;
}

std::string checks_of(const Standing& standing) {
  std::string checks =
      std::to_string(standing.passed) + " passed, " + std::to_string(standing.failed) + " failed";
  if (standing.other > 0) checks += ", " + std::to_string(standing.other) + " undecided";
  return checks;
}

nlohmann::ordered_json facts_of(const RolloutSpec& spec, const Standing& standing) {
  nlohmann::ordered_json fields = nlohmann::ordered_json::array();
  const auto add = [&](const std::string& name, const std::string& text) {
    if (!text.empty()) fields.push_back(slack::mrkdwn_object("*" + name + "*\n" + text));
  };
  if (!standing.condition.empty()) {
    std::string name = slack::escaped(standing.condition, slack::kFieldLimit);
    name += ": " + slack::escaped(standing.verdict);
    add("Condition", name);
    const std::string limit = standing.rule.empty() ? "" : " (" + standing.rule + ")";
    const std::string value =
        standing.value ? slack::short_number(*standing.value) : std::string("none yet");
    add("Value (limit)", slack::escaped(value + limit, slack::kFieldLimit));
    add("Its checks", checks_of(standing));
  }
  if (standing.conditions > 1) {
    add("All conditions", std::to_string(standing.passing) + " of " +
                              std::to_string(standing.conditions) + " passing");
  }
  add("Share of " + slack::escaped(spec.candidate, 40), place_of(standing));
  add("Since registration", span_of(standing.took));
  return fields;
}

std::string links_of_root(const RolloutSpec& spec, const Standing& standing,
                          const std::string& external_url) {
  std::string links = slack::link(rollout_url(external_url, spec.id), "Rollout");
  if (!standing.graph.empty()) links += " · " + slack::link(standing.graph, "Graph");
  if (!standing.decision.empty())
    links += " · " + slack::link(explain_url(external_url, spec.id, standing.decision), "Query");
  return links;
}

}  // namespace

nlohmann::ordered_json slack_root(const RolloutSpec& spec, const Standing& standing,
                                  const std::string& external_url) {
  using Json = nlohmann::ordered_json;
  const StateLook look = look_of_state(standing);
  const Said said = said_of(standing, look);
  const bool has_place = spec.target != "default";
  const std::string name = slack::escaped(service_name(spec));

  std::string text = name + " " + slack::escaped(spec.candidate);
  if (has_place) text += " → " + slack::escaped(spec.target);
  text += ": " + said.words + said.more;

  std::string headline = "*" + name + "* " + slack::code(spec.candidate);
  if (has_place) headline += " → *" + slack::escaped(spec.target) + "*";
  headline += "\n" + std::string(look.emoji) + " *" + said.words + "*" + said.more;

  Json blocks = Json::array();
  blocks.push_back(slack::section(std::move(headline)));
  Json fields;
  fields["type"] = "section";
  fields["fields"] = facts_of(spec, standing);
  blocks.push_back(std::move(fields));
  if (!standing.question.empty()) {
    blocks.push_back(slack::section(slack::code("rollwatch resume " + spec.id) + " to go on, " +
                                    slack::code("rollwatch rollback " + spec.id) + " to go back"));
  }
  blocks.push_back(slack::section(links_of_root(spec, standing, external_url)));
  // A section of its own: a graph's address is long, and one section holds 3,000 characters.
  constexpr std::string_view kBetween = " · ";
  if (const std::string more = slack::links_of_registration(spec); !more.empty())
    blocks.push_back(slack::section(more.substr(kBetween.size())));
  blocks.push_back(slack::context(slack::origin(spec) + " · as of " + format_time(standing.at)));

  Json attachment;
  attachment["color"] = look.color;
  attachment["fallback"] = text;
  attachment["blocks"] = std::move(blocks);
  Json message;
  message["text"] = std::move(text);
  message["attachments"] = Json::array();
  message["attachments"].push_back(std::move(attachment));
  return message;
}

}  // namespace rollwatch
