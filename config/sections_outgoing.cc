// The sections of those who carry out orders.
#include "config/connection_reader.h"
#include "config/request_reader.h"
#include "config/sections.h"

namespace rollwatch {

namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

void read_webhook_preset(TableReader& reader, OrchestratorSettings& orchestrator,
                         SectionContext& context) {
  orchestrator.url = read_url(reader, "url", UrlUse::kReceiver,
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

}  // namespace rollwatch
