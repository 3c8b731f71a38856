#include "daemon/api/export_source.h"

#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>

#include "daemon/api/json_values.h"
#include "daemon/api/views.h"

namespace rollwatch {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kVersion = 1;  // of the lines' form
constexpr std::size_t kPieceBytes = 64 * 1024;
constexpr std::size_t kRolloutsAtOnce = 20;
constexpr std::size_t kRowsAtOnce = 500;

}  // namespace

ExportSource::ExportSource(RolloutService& service, Clock& clock, ExportRequest request)
    : WatchedBody(clock, "an export for " + request.caller.name),
      service_(service),
      request_(std::move(request)) {}

awaitable<std::string> ExportSource::make() {
  text_.clear();
  std::string trouble;
  try {
    while (!is_stopped() && part_ != Part::kNothing && text_.size() < kPieceBytes)
      co_await write_more();
  } catch (const StoreError& error) {
    trouble = error.what();
  }
  if (!trouble.empty()) {
    spdlog::warn("{} ends early: {}", name(), trouble);
    rollout_.reset();
    write("error", {{"detail", "the store is away: the rest is missing"}});
    part_ = Part::kNothing;
  }
  co_return std::move(text_);
}

void ExportSource::write(const char* type, Json data) {
  const Json rollout = rollout_ ? Json(rollout_->spec.id) : Json(nullptr);
  text_ += dump({{"type", type}, {"rollout", rollout}, {"data", std::move(data)}});
  text_ += '\n';
  ++lines_;
}

awaitable<void> ExportSource::write_more() {
  switch (part_) {
    case Part::kBegin:
      write("export", {{"version", kVersion},
                       {"at", format_time(clock().wall())},
                       {"program", request_.program},
                       {"namespace", text_json(request_.ns)},
                       {"since", time_json(request_.since)}});
      part_ = Part::kRollout;
      co_return;
    case Part::kRollout:
      co_return co_await write_rollout();
    case Part::kEvaluations:
      co_return co_await write_evaluations();
    case Part::kEvents:
      co_return co_await write_events();
    case Part::kDeliveries:
      co_return co_await write_deliveries();
    case Part::kDecisions:
      co_return co_await write_decision();
    case Part::kFreezes:
      co_return co_await write_freezes();
    case Part::kNothing:
      co_return;
  }
}

// The next one that is to be in it, if there is one.
awaitable<void> ExportSource::write_rollout() {
  rollout_.reset();
  if (rollouts_.empty() && (first_page_ || next_page_)) {
    ListFilter filter;
    filter.ns = request_.ns;
    first_page_ = false;
    auto page = co_await service_.list(std::move(filter), kRolloutsAtOnce, next_page_);
    next_page_ = std::move(page.next_cursor);
    for (RolloutView& view : page.items) rollouts_.push_back(std::move(view));
  }
  if (rollouts_.empty()) {
    if (!next_page_) part_ = Part::kFreezes;
    co_return;
  }
  RolloutView view = std::move(rollouts_.front());
  rollouts_.pop_front();
  if (request_.since && view.spec.created_at < *request_.since) {  // and so are all that follow
    part_ = Part::kFreezes;
    co_return;
  }
  if (!request_.caller.sees(view.spec.ns)) co_return;
  rollout_ = std::move(view);
  ++rollouts_written_;
  write("rollout", rollout_json(*rollout_));
  evaluation_ = 0;
  event_ = 0;
  delivery_page_.reset();
  decisions_.clear();
  part_ = Part::kEvaluations;
}

awaitable<void> ExportSource::write_evaluations() {
  const auto page = co_await service_.evaluations(rollout_->spec.id, evaluation_, kRowsAtOnce);
  for (const StoredEvaluation& evaluation : page.items) {
    write("evaluation", evaluation_json(evaluation, *rollout_->plan));
    evaluation_ = evaluation.number;
  }
  if (!page.next_cursor || page.items.empty()) part_ = Part::kEvents;
}

awaitable<void> ExportSource::write_events() {
  const auto events = co_await service_.events(rollout_->spec.id, event_, kRowsAtOnce);
  for (const StoredEvent& stored : events) {
    write("event", event_json(stored, rollout_->spec));
    event_ = stored.seq;
    if (stored.event.type == EventType::kDecided && stored.event.decision)
      decisions_.push_back(decision_id(rollout_->spec, *stored.event.decision));
  }
  if (events.size() < kRowsAtOnce) part_ = Part::kDeliveries;
}

awaitable<void> ExportSource::write_deliveries() {
  const auto page =
      co_await service_.deliveries(rollout_->spec.id, kRowsAtOnce, std::move(delivery_page_));
  for (const Delivery& delivery : page.items) write("delivery", delivery_json(delivery));
  delivery_page_ = page.next_cursor;
  if (!delivery_page_) part_ = Part::kDecisions;
}

awaitable<void> ExportSource::write_decision() {
  if (decisions_.empty()) {
    part_ = Part::kRollout;
    co_return;
  }
  std::string decision = std::move(decisions_.front());
  decisions_.pop_front();
  const auto record = co_await service_.explain(rollout_->spec.id, std::move(decision));
  if (!record) co_return;
  Json bundle = Json::parse(record->bundle, nullptr, false);
  if (!bundle.is_discarded()) write("decision", std::move(bundle));
}

awaitable<void> ExportSource::write_freezes() {
  rollout_.reset();
  const SysTime now = clock().wall();
  for (const FreezeRecord& freeze : co_await service_.all_freezes()) {
    const bool of_everything = freeze.service.empty();
    if (!request_.ns.empty() && freeze.ns != request_.ns) continue;
    if (of_everything ? !request_.caller.namespaces.empty() : !request_.caller.sees(freeze.ns))
      continue;
    write("freeze", freeze_json(freeze, now));
  }
  write("end", {{"rollouts", rollouts_written_}, {"lines", lines_ + 1}});
  part_ = Part::kNothing;
}

}  // namespace rollwatch
