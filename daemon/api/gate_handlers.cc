// Tools that ask: Flagger's webhooks. They know neither our JSON nor our problem documents, so
// every answer, also a refusal, is one line of text.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include "daemon/api/fields.h"
#include "daemon/api/gates.h"
#include "daemon/api/handlers.h"

namespace rollwatch {
namespace {

// Of the targets of one service, the newest of which answers.
constexpr std::size_t kMostTargetsAsked = 500;

struct GateQuestion {
  std::string ns, name;
  std::optional<std::string> target;
  std::string place() const {
    return ns + "/" + name + (target ? ", target " + *target : std::string());
  }
};

// A string at that key, or "". What else the tool says is its own business: later versions of it
// send more.
std::string text_at(const Value& table, std::string_view key) {
  const Value* value = table.find(key);
  const std::string* text = value == nullptr ? nullptr : value->as_string();
  return text == nullptr ? "" : *text;
}

GateQuestion read_asked(const Call& call) {
  const Value body = body_object(call.request, false);
  GateQuestion asked{text_at(body, "namespace"), text_at(body, "name"), std::nullopt};
  if (asked.name.empty() || asked.ns.empty())
    throw Refusal{{422, "the body must be Flagger's: an object with \"name\" and \"namespace\""}};
  const Value* metadata = body.find("metadata");
  if (metadata == nullptr || metadata->as_table() == nullptr) return asked;
  if (std::string target = text_at(*metadata, "target"); !target.empty())
    asked.target = std::move(target);
  if (std::string service = text_at(*metadata, "service"); !service.empty())
    asked.name = std::move(service);
  if (std::string ns = text_at(*metadata, "namespace"); !ns.empty()) asked.ns = std::move(ns);
  return asked;
}

awaitable<GateAnswer> ask_gate(const ApiContext& context, Call& call, const Gate& gate) {
  const GateQuestion asked = read_asked(call);
  if (!call.caller.sees(asked.ns)) co_return answer_of_unknown(gate, asked.place());
  const std::vector<StoredRollout> latest =
      co_await context.service.latest_per_target(asked.ns, asked.name, kMostTargetsAsked);
  for (const StoredRollout& rollout : latest) {  // newest first
    if (asked.target && rollout.spec.target != *asked.target) continue;
    const FreezeView freeze = context.service.freeze_of(asked.ns, asked.name);
    co_return answer_of(gate, rollout.spec, rollout.state,
                        freeze.in_force ? std::optional(freeze.text) : std::nullopt);
  }
  co_return answer_of_unknown(gate, asked.place());
}

}  // namespace

awaitable<ServerResponse> ask_flagger_gate(const ApiContext& context, Call& call) {
  const Gate* gate = flagger_gate(call.parameter("gate"));
  if (gate == nullptr) {
    std::vector<std::string_view> names;
    for (const Gate& known : flagger_gates()) names.push_back(known.name);
    throw Refusal{{404, fmt::format("there is no gate \"{}\", only {}", call.parameter("gate"),
                                    fmt::join(names, ", "))}};
  }
  GateAnswer answer;
  try {
    answer = co_await ask_gate(context, call, *gate);
  } catch (const Refusal& refusal) {
    answer = {refusal.problem.status, one_line(refusal.problem.detail)};
  } catch (const StoreError& error) {
    // Closed, and quiet: neither this nor any other status above 202 rolls anything back.
    spdlog::warn("gate {}: the store is away: {}", gate->name, error.what());
    answer = {503, "the store is away; ask again"};
  }
  co_return text_response(answer.status, answer.line + "\n");
}

}  // namespace rollwatch
