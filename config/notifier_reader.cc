// [notifier.NAME]: those who are told, one reader per type.
#include <algorithm>
#include <cctype>

#include "analysis/advance.h"
#include "config/address.h"
#include "config/connection_reader.h"
#include "config/sections.h"

namespace rollwatch {

namespace {

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

// What an alert can be of: its end is told whatever is named.
const std::vector<std::string>& alert_names() {
  static const std::vector<std::string> names = {"paused", "rolling_back", "rollback_failed",
                                                 "still_bad"};
  return names;
}

void read_events(TableReader& reader, NotifierSettings& notifier) {
  const Value* list = reader.array("events", "events = [\"paused\", \"rolled_back\"]");
  if (list == nullptr) return;
  if (list->as_array()->empty()) {
    reader.wrong("events", "must name at least one event; leave it out for the usual ones");
  }
  const bool alerts = notifier.type == "alertmanager";
  const auto& known = alerts ? alert_names() : event_names();
  for (const Value& item : *list->as_array()) {
    const std::string* name = item.as_string();
    if (name != nullptr && std::find(known.begin(), known.end(), *name) != known.end()) {
      notifier.events.push_back(*name);
      continue;
    }
    const std::string meant = name == nullptr || item.from_environment() ? "" : *name;
    reader.errors().push_back({item.origin(), join_key(reader.path(), "events"),
                               (alerts ? "there is no alert of " : "there is no event ") +
                                   quoted(item) + suggestion(meant, known, "there are", "")});
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
    notifier.webhook_url = read_url(reader, "webhook_url", UrlUse::kReceiver, "", context);
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

// What is appended to the address of a server must not be part of it.
void refuse_path(TableReader& reader, const Secret& url, std::string_view path,
                 std::string_view whose) {
  if (!url.reveal().ends_with(path)) return;
  reader.wrong(SectionContext::written_key(reader, "url"),
               "must be the address of " + std::string(whose) + " itself; " + std::string(path) +
                   " is appended to it");
}

void read_timeout(TableReader& reader, NotifierSettings& notifier) {
  if (const auto span = reader.duration("timeout", {Millis(10), std::chrono::minutes(10)}))
    notifier.timeout = *span;
}

void read_webhook(TableReader& reader, NotifierSettings& notifier, SectionContext& context) {
  notifier.url = read_url(reader, "url", UrlUse::kReceiver,
                          "give the address notifications are posted to, such as "
                          "url = \"https://hooks.example.net/rollwatch\"",
                          context);
  if (auto secret = read_signing_secret(reader, "secret", context)) {
    notifier.secret = std::move(*secret);
  } else if (!SectionContext::is_given(reader, "secret")) {
    reader.missing("secret_file",
                   "notifications are signed; give the file that holds the key (whsec_…)");
  }
  notifier.old_secret = read_signing_secret(reader, "old_secret", context);
  const Choices<bool> formats = {{"standard", false}, {"cloudevents", true}};
  notifier.cloud_events = reader.choice<bool>("format", formats).value_or(false);
  notifier.tls = read_tls(reader, notifier.url.reveal(), context);
  read_timeout(reader, notifier);
}

void read_alertmanager(TableReader& reader, NotifierSettings& notifier, SectionContext& context) {
  notifier.url = read_url(reader, "url", UrlUse::kBase,
                          "give the address of Alertmanager, such as "
                          "url = \"http://127.0.0.1:9093\"",
                          context);
  for (const char* path : {"/api/v2/alerts", "/api/v1/alerts", "/api/v2"})
    refuse_path(reader, notifier.url, path, "Alertmanager");
  notifier.headers = read_headers(reader);
  notifier.bearer_token = read_bearer_token(reader, "bearer_token", context);
  notifier.basic_auth = read_basic_auth(reader, context);
  check_one_authorization(reader, notifier.headers, notifier.basic_auth.has_value());
  notifier.tls = read_tls(reader, notifier.url.reveal(), context);
  read_timeout(reader, notifier);
}

// A dashboard's uid as it stands in its address: /d/UID/name.
bool is_grafana_uid(std::string_view text) {
  constexpr std::size_t kLongest = 40;
  return text.size() <= kLongest && std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return std::isalnum(c) != 0 || c == '-' || c == '_';
         });
}

void read_tags(TableReader& reader, NotifierSettings& notifier) {
  constexpr std::size_t kLongest = 100;
  const Value* list = reader.array("tags", "tags = [\"deploys\"]");
  if (list == nullptr) return;
  for (const Value& item : *list->as_array()) {
    const std::string* tag = item.as_string();
    if (tag != nullptr && !tag->empty() && tag->size() <= kLongest) {
      notifier.tags.push_back(*tag);
      continue;
    }
    reader.errors().push_back({item.origin(), join_key(reader.path(), "tags"),
                               "must hold strings of 1 to 100 bytes, not " + quoted(item)});
  }
}

void read_grafana(TableReader& reader, NotifierSettings& notifier, SectionContext& context) {
  notifier.url = read_url(reader, "url", UrlUse::kBase,
                          "give the address of Grafana, such as "
                          "url = \"https://grafana.example.net\"",
                          context);
  for (const char* path : {"/api/annotations", "/api"})
    refuse_path(reader, notifier.url, path, "Grafana");
  if (auto token = read_bearer_token(reader, "token", context)) {
    notifier.token = std::move(*token);
  } else if (!SectionContext::is_given(reader, "token")) {
    reader.missing("token_file",
                   "give the file that holds the token of a service account that may write "
                   "annotations");
  }
  if (auto uid = reader.string("dashboard_uid")) {
    if (!is_grafana_uid(*uid))
      reader.wrong("dashboard_uid",
                   "must be the dashboard's uid, as in its address (/d/UID/…): at most 40 letters, "
                   "digits, '-' and '_'");
    notifier.dashboard_uid = std::move(*uid);
  }
  constexpr std::int64_t kMostPanels = 1'000'000'000;
  notifier.panel_id = reader.integer("panel_id", 1, kMostPanels);
  if (reader.find("panel_id") != nullptr && reader.find("dashboard_uid") == nullptr)
    reader.wrong("panel_id", "is of a dashboard; give dashboard_uid too");
  read_tags(reader, notifier);
  notifier.tls = read_tls(reader, notifier.url.reveal(), context);
  read_timeout(reader, notifier);
}

// The names from one fallback to the next, until one has none, or one comes twice: then that one.
std::vector<std::string> way_of(const std::string& first,
                                const std::map<std::string, NotifierSettings>& notifiers) {
  std::vector<std::string> way{first};
  for (;;) {
    const auto found = notifiers.find(way.back());
    if (found == notifiers.end() || found->second.fallback.empty()) return way;
    const bool comes_again = std::find(way.begin(), way.end(), found->second.fallback) != way.end();
    way.push_back(found->second.fallback);
    if (comes_again) return way;
  }
}

void check_fallback(const Value& value, const std::string& path, const std::string& name,
                    const std::map<std::string, NotifierSettings>& notifiers, FieldErrors& errors) {
  const std::string& fallback = *value.as_string();
  const std::string key = join_key(path, "fallback");
  if (!notifiers.contains(fallback)) {
    std::vector<std::string> names;
    for (const auto& [other, settings] : notifiers)
      if (other != name) names.push_back(other);
    const bool hidden = value.from_environment();
    errors.push_back({value.origin(), key,
                      "there is no notifier " +
                          (hidden ? "of the name from the environment" : quoted(value)) +
                          suggestion(hidden ? "" : fallback, names, "there are",
                                     "; add [notifier." + (hidden ? "NAME" : fallback) + "]")});
    return;
  }
  const std::vector<std::string> way = way_of(name, notifiers);
  if (way.size() < 2 || way.back() != name) return;
  std::string shown;
  for (const std::string& step : way) shown += (shown.empty() ? "" : " → ") + step;
  errors.push_back({value.origin(), key,
                    "leads back to itself (" + shown + "); one of them must have no fallback"});
}

}  // namespace

NotifierSettings read_notifier(const Value& table, const std::string& path,
                               SectionContext& context) {
  NotifierSettings notifier;
  TableReader reader(table, path, context.errors);
  using Read = void (*)(TableReader&, NotifierSettings&, SectionContext&);
  const Choices<Read> types = {{"slack", read_slack},
                               {"webhook", read_webhook},
                               {"alertmanager", read_alertmanager},
                               {"grafana", read_grafana}};
  const auto read = reader.choice<Read>("type", types);
  if (reader.is_table() && reader.find("type") == nullptr)
    reader.missing("type", "write type = \"slack\", \"webhook\", \"alertmanager\" or \"grafana\"");
  if (!read) return notifier;
  notifier.type = *reader.find("type")->as_string();
  (*read)(reader, notifier, context);
  notifier.allow_addresses = read_allowed_addresses(reader);
  notifier.fallback = reader.string("fallback").value_or("");
  read_match(reader, notifier);
  read_events(reader, notifier);
  reader.finish();
  return notifier;
}

void settle_fallbacks(const Value& tables, std::map<std::string, NotifierSettings>& notifiers,
                      FieldErrors& errors) {
  for (const Value::Member& member : *tables.as_table()) {
    const auto notifier = notifiers.find(member.key);
    if (notifier == notifiers.end() || notifier->second.fallback.empty()) continue;
    check_fallback(*member.value.find("fallback"), join_key("notifier", member.key), member.key,
                   notifiers, errors);
    const auto fallback = notifiers.find(notifier->second.fallback);
    if (fallback != notifiers.end()) fallback->second.is_fallback = fallback->second.match.empty();
  }
}

}  // namespace rollwatch
