// What a report is made of, read page by page: others get their turn in between.
#include "daemon/api/report.h"

#include <algorithm>

#include "daemon/api/handlers.h"
#include "daemon/api/views.h"

namespace rollwatch {
namespace {

constexpr std::size_t kPage = 500;
constexpr std::size_t kLatestSlots = 60;
constexpr std::size_t kLatestRows = 200;  // events, deliveries
// Of longer histories the newest: it is a page that is drawn of them.
constexpr std::uint32_t kMostEvaluations = 200'000;

HistoryPoint point_of(const StoredEvaluation& evaluation) {
  HistoryPoint point;
  point.at = evaluation.slot;
  point.slots = evaluation.slots;
  point.outcome = evaluation.judgement.outcome;
  point.fails = point.outcome == Outcome::kFail ? evaluation.slots : 0;
  point.value = point.low = point.high = evaluation.judgement.value;
  point.step = evaluation.step;
  return point;
}

template <class T>
void keep_latest(std::deque<T>& kept, T one, std::size_t most) {
  kept.push_back(std::move(one));
  if (kept.size() > most) kept.pop_front();
}

awaitable<void> read_evaluations(const ApiContext& context, ReportFacts& facts,
                                 const ReportQuery& query) {
  for (const ConditionPlan& plan : facts.view.plan->conditions)
    facts.history.emplace_back().name = plan.name;
  const std::uint32_t newest = facts.view.state.evaluations;
  const std::uint32_t oldest = newest > kMostEvaluations ? newest - kMostEvaluations : 0;
  facts.evaluations_after = std::max(query.after, oldest);
  for (bool more = true; more;) {
    auto page =
        co_await context.service.evaluations(facts.view.spec.id, facts.evaluations_after, kPage);
    for (StoredEvaluation& one : page.items) {
      facts.evaluations_after = one.number;
      const auto of =
          std::ranges::find(facts.history, one.condition, &ReportFacts::OfCondition::name);
      if (of == facts.history.end()) continue;
      of->points.push_back(point_of(one));
      keep_latest(of->latest, std::move(one), kLatestSlots);
    }
    more = page.next_cursor.has_value() && !page.items.empty();
  }
  for (ReportFacts::OfCondition& of : facts.history)
    of.points = thinned(std::move(of.points), query.points);
}

awaitable<void> read_events(const ApiContext& context, ReportFacts& facts) {
  std::int64_t after = 0;
  for (bool more = true; more;) {
    auto events = co_await context.service.events(facts.view.spec.id, after, kPage);
    more = events.size() == kPage;
    for (StoredEvent& event : events) {
      after = event.seq;
      if (facts.events.size() == kLatestRows) ++facts.earlier_events;
      keep_latest(facts.events, std::move(event), kLatestRows);
    }
  }
}

awaitable<void> read_deliveries(const ApiContext& context, ReportFacts& facts) {
  std::optional<std::string> cursor;
  do {
    auto page = co_await context.service.deliveries(facts.view.spec.id, kPage, cursor);
    for (Delivery& delivery : page.items) {
      if (facts.deliveries.size() == kLatestRows) ++facts.earlier_deliveries;
      keep_latest(facts.deliveries, std::move(delivery), kLatestRows);
    }
    cursor = page.items.empty() ? std::nullopt : std::move(page.next_cursor);
  } while (cursor);
  for (const Delivery& delivery : facts.deliveries)
    facts.held_because.push_back(context.held_because(delivery.id).value_or(""));
}

}  // namespace

awaitable<ReportFacts> report_facts(const ApiContext& context, RolloutView view,
                                    ReportQuery query) {
  ReportFacts facts;
  facts.now = context.clock.wall();
  facts.datasources = context.datasources();
  facts.seq = query.seq;
  facts.view = std::move(view);
  co_await read_events(context, facts);
  co_await read_deliveries(context, facts);
  co_await read_evaluations(context, facts, query);
  co_return facts;
}

}  // namespace rollwatch
