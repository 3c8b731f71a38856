// What people, tools and orchestrators say to a rollout.
#include <fmt/format.h>

#include "daemon/api/fields.h"
#include "daemon/api/handlers.h"
#include "daemon/api/views.h"

namespace rollwatch {
namespace {

// A reporter's clock may be ahead of ours by this much.
constexpr Millis kClockSkew{60'000};

// How much longer something may be made to last at once.
constexpr Millis kShortest{1'000};
constexpr Millis kLongest{30LL * 24 * 3'600'000};

[[noreturn]] void refuse_changed(const RolloutView& view) {
  throw Refusal{{412, fmt::format("the rollout has changed: it is {} now, with the ETag {}",
                                  name_of(view.state.state), etag_of(view))}};
}

// The revision that the decision is for. What is being recorded by now may change it before the
// decision's turn comes: the engine looks again then.
std::optional<unsigned> revision_to_match(const Call& call, const RolloutView& view) {
  const auto wanted = call.request.header("if-match");
  if (!wanted || etag_listed(*wanted, "*")) return std::nullopt;
  if (!etag_listed(*wanted, etag_of(view))) refuse_changed(view);
  return view.state.revision;
}

ServerResponse answer_to(const DecideResult& result, std::string_view nothing) {
  if (result.end == DecideEnd::kNotFound || (result.end == DecideEnd::kDone && !result.rollout))
    throw Refusal{{404, std::string(nothing)}};
  if (result.end == DecideEnd::kConflict) throw Refusal{{409, result.why}};
  if (result.end == DecideEnd::kChanged) refuse_changed(*result.rollout);
  return rollout_response(200, *result.rollout);
}

awaitable<ServerResponse> decide(const ApiContext& context, Call& call, DecisionKind kind) {
  check_query(call, {});
  const Value object = body_object(call.request, true);
  BodyReader body(object);
  PersonDecided decision;
  decision.kind = kind;
  decision.reason = body.text("reason", kSentence).value_or("");
  decision.by = body.text("by").value_or(call.caller.name);
  decision.question = body.text("question");
  decision.traceparent = call.traceparent();
  decision.via = call.caller.via();
  if (kind == DecisionKind::kExtend) {
    const bool given = object.find("for") != nullptr;
    decision.span = body.table().duration("for", {kShortest, kLongest}).value_or(Millis{0});
    if (!given) body.wrong("for", "is required: how much longer, such as \"10m\"");
  }
  body.finish();
  const RolloutView view = co_await find_rollout(context, call);
  const std::optional<unsigned> revision = revision_to_match(call, view);
  const DecideResult result =
      co_await context.service.decide(view.spec.id, std::move(decision), revision);
  co_return answer_to(result, "there is no such rollout any more");
}

}  // namespace

awaitable<ServerResponse> decide_advance(const ApiContext& context, Call& call) {
  return decide(context, call, DecisionKind::kAdvance);
}
awaitable<ServerResponse> decide_promote(const ApiContext& context, Call& call) {
  return decide(context, call, DecisionKind::kPromote);
}
awaitable<ServerResponse> decide_pause(const ApiContext& context, Call& call) {
  return decide(context, call, DecisionKind::kPause);
}
awaitable<ServerResponse> decide_resume(const ApiContext& context, Call& call) {
  return decide(context, call, DecisionKind::kResume);
}
awaitable<ServerResponse> decide_rollback(const ApiContext& context, Call& call) {
  return decide(context, call, DecisionKind::kRollback);
}
awaitable<ServerResponse> decide_cancel(const ApiContext& context, Call& call) {
  return decide(context, call, DecisionKind::kCancel);
}

awaitable<ServerResponse> decide_extend(const ApiContext& context, Call& call) {
  return decide(context, call, DecisionKind::kExtend);
}

// Of how it ended, once somebody knows whether that was right.
awaitable<ServerResponse> label_rollout(const ApiContext& context, Call& call) {
  check_query(call, {});
  const Value object = body_object(call.request, false);
  BodyReader body(object);
  const std::string word = body.required_text("label");
  DecisionLabel label;
  label.right = word == "right";
  label.reason = body.required_text("reason", kSentence);
  label.by = body.text("by").value_or(call.caller.name);
  if (!word.empty() && word != "right" && word != "wrong")
    body.wrong("label", "must be \"right\" or \"wrong\"");
  body.finish();
  const RolloutView view = co_await find_rollout(context, call);
  Via via = call.caller.via();
  const LabelResult result =
      co_await context.service.label(view.spec.id, std::move(label), std::move(via));
  if (result.end == DecideEnd::kNotFound) throw Refusal{{404, "there is no such rollout any more"}};
  if (result.end == DecideEnd::kConflict) throw Refusal{{409, result.why}};
  co_return rollout_response(200, *result.rollout);
}

awaitable<ServerResponse> report_progress(const ApiContext& context, Call& call) {
  check_query(call, {});
  const Value object = body_object(call.request, false);
  BodyReader body(object);
  const SysTime now = context.clock.wall();
  WeightReported report;
  report.by = body.text("by").value_or(call.caller.name);
  report.via = call.caller.via();
  if (const auto weight = body.table().number("weight", 0, 100))
    report.weight = *weight;
  else if (object.find("weight") == nullptr)
    body.wrong("weight", "is required");
  report.since = body.time("since").value_or(now);
  if (report.since > now + kClockSkew)
    body.wrong("since", fmt::format("lies in the future: it is {} here", format_time(now)));
  body.finish();
  const RolloutView view = co_await find_rollout(context, call);
  const DecideResult result =
      co_await context.service.report_weight(view.spec.id, std::move(report));
  co_return answer_to(result, "there is no such rollout any more");
}

awaitable<ServerResponse> acknowledge_delivery(const ApiContext& context, Call& call) {
  check_query(call, {});
  const Value object = body_object(call.request, false);
  BodyReader body(object);
  const std::string status = body.required_text("status");
  std::string detail = body.text("detail", kSentence).value_or("");
  if (!status.empty() && status != "done" && status != "refused")
    body.wrong("status", "must be \"done\" or \"refused\"");
  body.finish();
  const std::string& id = call.parameter("id");
  co_await check_delivery(context, call);
  Via via = call.caller.via();
  const DecideResult result =
      co_await context.service.acknowledge(id, status == "done", std::move(detail), std::move(via));
  co_return answer_to(result, fmt::format("there is no delivery \"{}\"", id));
}

}  // namespace rollwatch
