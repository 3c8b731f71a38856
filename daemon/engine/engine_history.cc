// What stable did before the rollout, read once for each condition that compares: how much its bad
// events come in bursts, what is usual of it, and what this rollout will be able to see. In the
// background: nothing waits for it.
#include <algorithm>

#include "analysis/statistics/comparison_state.h"
#include "daemon/engine/engine_impl.h"
#include "daemon/engine/stable_past.h"

namespace rollwatch {
namespace {

constexpr int kHistoryAttempts = 3;
constexpr Millis kHistoryAgain{10'000};

bool wants_history(const ConditionPlan& plan, const ConditionState& state) {
  if (comparison_of(plan) == nullptr) return false;
  const statistics::ComparisonState* memory = state.memory.comparison();
  return memory == nullptr || !memory->history_read;
}

}  // namespace

awaitable<Past> MetricsSource::ask_past(PastQuestion /*question*/) {
  co_return Unexpected(std::string("this datasource is not asked about the past"));
}

void Engine::Impl::read_histories(const EntryPtr& entry) {
  for (std::size_t i = 0; i < entry->plan->conditions.size(); ++i) {
    ConditionAsking& asking = entry->asking[i];
    if (asking.reads_history || is_final(entry->state.state)) continue;
    if (!wants_history(entry->plan->conditions[i], entry->state.conditions[i])) continue;
    asking.reads_history = true;
    spawn(executor_, "engine history",
          [self = shared_from_this(), entry, i] { return self->read_history(entry, i); });
  }
}

awaitable<void> Engine::Impl::read_history(EntryPtr entry, std::size_t condition) {
  HistoryRead read{condition, {}, {}};
  for (int attempt = 1; attempt <= kHistoryAttempts; ++attempt) {
    auto slots = co_await history_of(*entry, condition);
    if (stopping_ || entry->tenure->over) co_return;
    if (slots) {
      read.slots = *std::move(slots);
      read.failed.clear();
      break;
    }
    read.failed = slots.error();
    if (attempt < kHistoryAttempts) co_await clock_.sleep(kHistoryAgain);
    if (stopping_ || entry->tenure->over) co_return;
  }
  put(entry, Work{std::move(read)});
}

awaitable<Expected<std::vector<HistorySlot>, std::string>> Engine::Impl::history_of(
    const Entry& entry, std::size_t condition) {
  const ConditionPlan& plan = entry.plan->conditions[condition];
  SysTime last = clock_.wall() - source_.ingestion_delay(plan.datasource);
  // What was compared since it began is not history.
  if (entry.state.begun) last = std::min(last, entry.spec.created_at);
  const QuestionPlace place{entry.state.step, step_weight(*entry.plan, entry.state)};
  const PastTimes times{last - kHistorySlots * plan.interval, last};
  co_return co_await stable_past(source_, entry.spec, plan, place, times);
}

}  // namespace rollwatch
