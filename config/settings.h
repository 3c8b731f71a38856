// The configuration of a daemon, decoded and checked: one struct per table of the
// file, defaults beside the fields. Policies stay documents here (config/value.h): they
// are merged with the service's and the request's layers when a rollout is registered.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/order_template.h"
#include "analysis/secret.h"
#include "analysis/time.h"
#include "config/value.h"

namespace rollwatch {

// What whoever presents a token may do. The token itself is nowhere: only its hash is configured.
struct TokenSettings {
  std::string name;
  std::array<unsigned char, 32> sha256{};
  std::vector<std::string> scopes;      // of kScopeNames, each once
  std::vector<std::string> namespaces;  // empty: all
  friend bool operator==(const TokenSettings&, const TokenSettings&) = default;
};
inline constexpr std::array<std::string_view, 4> kScopeNames{"read", "register", "decide", "admin"};

struct ServerTlsSettings {
  std::string cert_file, key_file;        // absolute
  std::string client_ca_file;             // "": no client certificate is asked for
  std::vector<std::string> client_names;  // empty: any that the CA has signed
  friend bool operator==(const ServerTlsSettings&, const ServerTlsSettings&) = default;
};

struct ServerSettings {
  std::string listen = "127.0.0.1:9797";  // port 0: any free one, printed and logged
  std::string external_url;               // "": http:// and the address listened on
  std::optional<ServerTlsSettings> tls;
  std::vector<TokenSettings> tokens;      // none: whoever reaches the loopback address may do all
  std::vector<std::string> cors_origins;  // pages whose scripts may read answers
  int connections = 1024;
  int rate = 0;  // requests a second for each token; 0: no limit
};

struct StoreSettings {
  std::string path;   // of the SQLite file, absolute; "" with PostgreSQL
  Secret postgres;    // the address of the database that several nodes share; empty with SQLite
  std::string shown;  // either, without anything secret
  Millis retention{90LL * 24 * 3'600'000};
  std::optional<Millis> thin_after{7LL * 24 * 3'600'000};  // none: history is never thinned
  Millis lease{10'000};  // PostgreSQL: how long a silent node keeps its rollouts
};

struct BasicAuth {
  std::string username;
  Secret password;
};

struct TlsSettings {
  std::string ca_file, cert_file, key_file;
  bool insecure_skip_verify = false;
};

struct DatasourceSettings {
  std::string url;  // without a trailing slash
  Millis timeout{10'000};
  int max_concurrency = 8;
  Millis ingestion_delay{0};
  bool measures_ingestion_delay = false;  // "auto"
  std::map<std::string, Secret> headers;
  std::optional<Secret> bearer_token;
  std::optional<BasicAuth> basic_auth;
  TlsSettings tls;
};

struct OrchestratorSettings {
  std::string preset = "webhook";
  // Preset "webhook".
  Secret url;
  Secret secret;                     // whsec_…
  std::optional<Secret> old_secret;  // signs as well while a receiver still has it
  bool cloud_events = false;         // format = "cloudevents"
  // Preset "request": by kind of order; one without a shape is done without a request.
  std::map<std::string, RequestShape> requests;
  std::optional<LookShape> look;
  std::vector<std::string> variables;  // of all of them: what a registration must have
  std::string bearer_token_file;       // absolute; read again for every request: such tokens rotate
  TlsSettings tls;
  // Both.
  std::vector<std::string> allow_addresses;  // that are refused otherwise; canonical
  Millis timeout{10'000};
  Millis deadline{300'000};
  Millis rollback_deadline{1'800'000};
  Millis ack_deadline{1'800'000};
};

struct NotifierSettings {
  std::string type;  // "slack", "webhook", "alertmanager", "grafana"
  // Slack: an incoming webhook …
  Secret webhook_url;
  // … or a bot's token, with a channel. Of Grafana: a service account's.
  Secret token;
  std::string channel;  // "#releases", or an id
  std::string api_url = "https://slack.com/api";
  // All but Slack. Of a webhook where it is posted to, of the others what their paths are appended
  // to.
  Secret url;
  TlsSettings tls;
  Millis timeout{10'000};  // of one attempt
  // Webhook.
  Secret secret;                     // whsec_…
  std::optional<Secret> old_secret;  // signs as well while a receiver still has it
  bool cloud_events = false;         // format = "cloudevents"
  // Alertmanager: how to log in, and other headers such as a tenant's.
  std::map<std::string, Secret> headers;
  std::optional<Secret> bearer_token;
  std::optional<BasicAuth> basic_auth;
  // Grafana.
  std::string dashboard_uid;  // "": the annotation is the organisation's
  std::optional<std::int64_t> panel_id;
  std::vector<std::string> tags;  // besides ours
  // All.
  std::string fallback;                      // the notifier that is told if this one cannot be; ""
  bool is_fallback = false;                  // of another, and without `match` of its own
  std::vector<std::string> allow_addresses;  // that are refused otherwise; canonical
  std::map<std::string, std::string>
      match;                        // "namespace", "service", "target", "label.x" → exact value
  std::vector<std::string> events;  // names of events; empty: the notifier's own choice
};

struct Settings {
  std::string file;  // the main file, absolute
  ServerSettings server;
  StoreSettings store;
  std::map<std::string, DatasourceSettings> datasources;
  std::map<std::string, OrchestratorSettings> orchestrators;
  std::map<std::string, NotifierSettings> notifiers;
  Value defaults;                         // [defaults]
  std::map<std::string, Value> policies;  // [policy.NAME]
  std::map<std::string, Value> services;  // [service."NS/NAME"], key "NS/NAME"
  std::vector<std::string> warnings;      // what is allowed but probably not meant, one line each
  std::uint64_t fingerprint = 0;          // of the files' text: equal files have an equal one
};

}  // namespace rollwatch
