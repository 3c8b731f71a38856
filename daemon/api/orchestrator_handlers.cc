// What would be sent to an orchestrator, without sending it.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "daemon/api/fields.h"
#include "daemon/api/handlers.h"
#include "daemon/api/json_values.h"
#include "daemon/api/views.h"

namespace rollwatch {
namespace {

// A body that is JSON is shown as what it is.
nlohmann::ordered_json body_json(const std::string& body) {
  if (body.empty()) return nullptr;
  auto json = nlohmann::ordered_json::parse(body, nullptr, false);
  return json.is_discarded() ? nlohmann::ordered_json(body) : json;
}

nlohmann::ordered_json preview_json(const std::string& kind, const OrderPreview& preview) {
  return {{"kind", kind},
          {"method", text_json(preview.method)},
          {"url", text_json(preview.url)},
          {"headers", preview.headers},
          {"body", body_json(preview.body)},
          {"note", text_json(preview.note)}};
}

}  // namespace

awaitable<ServerResponse> test_orchestrator(const ApiContext& context, Call& call) {
  check_query(call, {});
  const Value object = body_object(call.request, true);
  BodyReader body(object);
  RolloutSpec spec;
  spec.id = "ro_example";
  spec.ns = body.text("namespace").value_or(spec.ns);
  spec.service = body.text("service").value_or("example");
  spec.target = body.text("target").value_or(spec.target);
  spec.stable = body.text("stable").value_or("1.0");
  spec.candidate = body.text("candidate").value_or("1.1");
  spec.labels = body.pairs("labels", kMostLabels, kLabelValue);
  spec.args = body.pairs("args", kMostLabels, kLabelValue);
  spec.by = call.caller.name;
  body.finish();
  body.refuse_errors();

  const std::string& name = call.parameter("name");
  const auto previews = context.preview_orders(name, spec);
  if (!previews) throw Refusal{{404, fmt::format("there is no orchestrator \"{}\"", name)}};
  nlohmann::ordered_json answer = {
      {"name", name}, {"sent", false}, {"orders", nlohmann::ordered_json::array()}};
  for (const auto& [kind, preview] : *previews)
    answer["orders"].push_back(preview_json(kind, preview));
  co_return json_response(200, answer);
}

}  // namespace rollwatch
