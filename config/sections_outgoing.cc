// The sections about those who are told: orchestrators and notifiers.
#include <algorithm>

#include "analysis/advance.h"
#include "config/address.h"
#include "config/request_reader.h"
#include "config/sections.h"

namespace rollwatch {

namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

Secret read_url(TableReader& reader, const std::string& key, std::string_view advice,
                SectionContext& context) {
  auto url = context.secret(reader, key);
  if (!SectionContext::is_given(reader, key)) reader.missing(key, advice);
  if (!url) return Secret();
  if (const auto problem = url_problem(url->reveal(), UrlUse::kReceiver)) {
    reader.wrong(SectionContext::written_key(reader, key), *problem);
  }
  return std::move(*url);
}

std::optional<Secret> read_signing_secret(TableReader& reader, const std::string& key,
                                          SectionContext& context) {
  auto secret = context.secret(reader, key);
  if (secret && !is_signing_secret(secret->reveal())) {
    reader.wrong(SectionContext::written_key(reader, key),
                 "must be \"whsec_\" and the base64 of 24 to 64 random bytes; make one with: "
                 "echo \"whsec_$(openssl rand -base64 32)\"");
  }
  return secret;
}

std::vector<std::string> read_allowed_addresses(TableReader& reader) {
  std::vector<std::string> allowed;
  const Value* list = reader.array("allow_addresses", "allow_addresses = [\"169.254.10.5\"]");
  if (list == nullptr) return allowed;
  for (const Value& item : *list->as_array()) {
    const std::string* text = item.as_string();
    const auto address = text == nullptr ? std::nullopt : canonical_ip(*text);
    if (address) {
      allowed.push_back(*address);
    } else {
      reader.errors().push_back(
          {item.origin(), join_key(reader.path(), "allow_addresses"),
           "must hold addresses such as \"169.254.10.5\" or \"fe80::1\", not " + quoted(item)});
    }
  }
  return allowed;
}

const std::vector<std::string>& event_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (int type = 0; type <= static_cast<int>(kLastEventType); ++type) {
      all.emplace_back(name_of(static_cast<EventType>(type)));
    }
    all.emplace_back("rolling_back");  // a rollback that has been decided, among all of `decided`
    return all;
  }();
  return names;
}

void read_events(TableReader& reader, NotifierSettings& notifier) {
  const Value* list = reader.array("events", "events = [\"paused\", \"rolled_back\"]");
  if (list == nullptr) return;
  if (list->as_array()->empty()) {
    reader.wrong("events", "must name at least one event; leave it out for the usual ones");
  }
  for (const Value& item : *list->as_array()) {
    const std::string* name = item.as_string();
    const auto& known = event_names();
    if (name != nullptr && std::find(known.begin(), known.end(), *name) != known.end()) {
      notifier.events.push_back(*name);
      continue;
    }
    const std::string meant = name == nullptr || item.from_environment() ? "" : *name;
    reader.errors().push_back(
        {item.origin(), join_key(reader.path(), "events"),
         "there is no event " + quoted(item) + suggestion(meant, known, "there are", "")});
  }
}

// `match = { namespace = "x", "label.tier" = "web" }`; `label.tier = "web"` is the same.
void read_match(TableReader& parent, NotifierSettings& notifier) {
  const Value* table = parent.table("match");
  if (table == nullptr) return;
  TableReader reader(*table, join_key(parent.path(), "match"), parent.errors());
  const auto take = [&notifier](TableReader& from, const std::string& key,
                                const std::string& name) {
    if (auto value = from.string(key)) notifier.match[name] = std::move(*value);
  };
  for (const char* key : {"namespace", "service", "target"}) take(reader, key, key);
  for (const Value::Member& member : *table->as_table()) {
    if (member.key.rfind("label.", 0) == 0 && member.key.size() > 6)
      take(reader, member.key, member.key);
  }
  if (const Value* labels = reader.table("label")) {
    TableReader label_reader(*labels, join_key(reader.path(), "label"), parent.errors());
    for (const Value::Member& member : *labels->as_table())
      take(label_reader, member.key, "label." + member.key);
  }
  reader.finish();
}

// "#releases", or an id such as "C0123456789".
bool is_slack_channel(std::string_view text) {
  constexpr std::size_t kLongest = 100;
  if (text.size() < 2 || text.size() > kLongest) return false;
  const auto shows = [](unsigned char c) { return c > 0x20 && c != 0x7F; };
  if (!std::all_of(text.begin(), text.end(), shows)) return false;
  if (text.front() == '#') return true;
  const auto is_of_an_id = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); };
  return text.size() >= 9 &&
         std::string_view("CDGU").find(text.front()) != std::string_view::npos &&
         std::all_of(text.begin(), text.end(), is_of_an_id);
}

// One message per rollout by an app's bot token, or messages to an incoming webhook.
void read_slack(TableReader& reader, NotifierSettings& notifier, SectionContext& context) {
  auto token = context.secret(reader, "token");
  auto channel = reader.string("channel");
  auto api_url = reader.string("api_url");
  const bool has_token = SectionContext::is_given(reader, "token");
  const bool has_webhook = SectionContext::is_given(reader, "webhook_url");
  if (!has_token) {
    if (!has_webhook) {
      reader.missing("token_file",
                     "give the file that holds the bot token of a Slack app, and a channel; or "
                     "webhook_url_file, the file that holds the address of an incoming webhook");
    }
    constexpr const char* kWebhook = "belongs to token_file; a webhook's place is chosen in Slack";
    if (channel && has_webhook) reader.wrong("channel", kWebhook);
    if (api_url && has_webhook) reader.wrong("api_url", kWebhook);
  }
  if (has_webhook) {
    if (has_token) {
      reader.wrong(SectionContext::written_key(reader, "webhook_url"),
                   "give a token or the address of a webhook, not both");
    }
    notifier.webhook_url = read_url(reader, "webhook_url", "", context);
  }
  if (has_token && reader.find("channel") == nullptr) {
    reader.missing("channel", "give the channel to post to: channel = \"#releases\"");
  }
  if (token && !is_header_value(token->reveal())) {
    reader.wrong(SectionContext::written_key(reader, "token"),
                 "must hold one line without control characters");
  }
  if (channel && !is_slack_channel(*channel)) {
    reader.wrong("channel",
                 "must be \"#\" and a channel's name, or its id, such as \"C0123456789\"");
  }
  if (api_url) {
    if (const auto problem = url_problem(*api_url, UrlUse::kBase))
      reader.wrong("api_url", *problem);
    notifier.api_url = without_trailing_slash(std::move(*api_url));
  }
  if (token) notifier.token = std::move(*token);
  if (channel) notifier.channel = std::move(*channel);
}

void read_webhook_preset(TableReader& reader, OrchestratorSettings& orchestrator,
                         SectionContext& context) {
  orchestrator.url = read_url(reader, "url",
                              "give the address orders are sent to, such as "
                              "url = \"http://127.0.0.1:8080/rollouts\"",
                              context);
  if (auto secret = read_signing_secret(reader, "secret", context)) {
    orchestrator.secret = std::move(*secret);
  } else if (!SectionContext::is_given(reader, "secret")) {
    reader.missing("secret_file", "orders are signed; give the file that holds the key (whsec_…)");
  }
  orchestrator.old_secret = read_signing_secret(reader, "old_secret", context);
  const Choices<bool> formats = {{"standard", false}, {"cloudevents", true}};
  orchestrator.cloud_events = reader.choice<bool>("format", formats).value_or(false);
}

}  // namespace

OrchestratorSettings read_orchestrator(const Value& table, const std::string& path,
                                       SectionContext& context) {
  OrchestratorSettings orchestrator;
  TableReader reader(table, path, context.errors);
  const Choices<const char*> presets = {{"webhook", "webhook"}, {"request", "request"}};
  if (const auto preset = reader.choice<const char*>("preset", presets))
    orchestrator.preset = *preset;
  if (orchestrator.preset == "request") {
    read_request_preset(reader, orchestrator, context);
  } else {
    read_webhook_preset(reader, orchestrator, context);
  }
  orchestrator.allow_addresses = read_allowed_addresses(reader);
  const Span deadlines{seconds(1), hours(24 * 7)};
  if (const auto span = reader.duration("timeout", {Millis(10), minutes(10)}))
    orchestrator.timeout = *span;
  if (const auto span = reader.duration("deadline", deadlines)) orchestrator.deadline = *span;
  if (const auto span = reader.duration("rollback_deadline", deadlines))
    orchestrator.rollback_deadline = *span;
  if (const auto span = reader.duration("ack_deadline", deadlines))
    orchestrator.ack_deadline = *span;
  reader.finish();
  return orchestrator;
}

NotifierSettings read_notifier(const Value& table, const std::string& path,
                               SectionContext& context) {
  NotifierSettings notifier;
  TableReader reader(table, path, context.errors);
  const Choices<const char*> types = {{"slack", "slack"},
                                      {"webhook", "webhook"},
                                      {"alertmanager", "alertmanager"},
                                      {"grafana", "grafana"}};
  const auto type = reader.choice<const char*>("type", types);
  if (reader.is_table() && reader.find("type") == nullptr)
    reader.missing("type", "write type = \"slack\"");
  if (!type) return notifier;
  notifier.type = *type;
  if (notifier.type != "slack") {
    reader.not_yet("type", "use type = \"slack\"");
    return notifier;
  }
  read_slack(reader, notifier, context);
  notifier.allow_addresses = read_allowed_addresses(reader);
  read_match(reader, notifier);
  read_events(reader, notifier);
  reader.finish();
  return notifier;
}

}  // namespace rollwatch
