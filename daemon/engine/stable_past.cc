#include "daemon/engine/stable_past.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "analysis/compare/samples.h"
#include "analysis/render.h"

namespace rollwatch {
namespace {

constexpr int kSlotsAtOnce = 31;
// One number of one series each. What a rollout reads when it begins is there at once, however much
// it is; of more than that so much.
constexpr std::size_t kMostSamples = 200'000;

std::size_t series_in(const PastSlot& slot) {
  const auto* vector = std::get_if<Vector>(&slot.answer.result);
  return vector == nullptr ? 0 : vector->series.size();
}

// From slot to slot, the answers of all times.
awaitable<Past> ask_in_pieces(MetricsSource& source, const PastQuestion& whole,
                              std::string_view advice) {
  std::vector<PastSlot> slots;
  std::size_t samples = 0;
  for (SysTime first = whole.first; first <= whole.last; first += kSlotsAtOnce * whole.step) {
    PastQuestion piece = whole;
    piece.first = first;
    const SysTime last = std::min(whole.last, first + (kSlotsAtOnce - 1) * whole.step);
    piece.last = last;
    Past answered = co_await source.ask_past(std::move(piece));
    if (!answered) co_return Unexpected(answered.error());
    for (PastSlot& slot : *answered) {
      samples += series_in(slot);
      slots.push_back(std::move(slot));
    }
    if (samples > kMostSamples && last < whole.last)
      co_return Unexpected("more than " + std::to_string(kMostSamples) + " samples of stable; " +
                           std::string(advice));
  }
  co_return slots;
}

}  // namespace

awaitable<Expected<std::vector<HistorySlot>, std::string>> stable_past(MetricsSource& source,
                                                                       const RolloutSpec& spec,
                                                                       const ConditionPlan& plan,
                                                                       QuestionPlace place,
                                                                       PastTimes times) {
  const bool is_histogram = comparison_of(plan)->kind() == CompareKind::kHistogram;
  const std::string_view advice = is_histogram ? kFewerOfHistogram : kFewerOfRate;
  std::vector<HistorySlot> slots;
  for (const PlannedQuestion& question : questions_of(plan)) {
    if (*question.arm != Arm::kStable) continue;
    auto text = render_question(question, spec, plan, place.step, place.weight);
    if (!text) co_return Unexpected(text.error().message);
    PastQuestion past;
    past.datasource = plan.datasource;
    past.query = *std::move(text);
    past.first = times.first;
    past.last = times.last;
    past.step = plan.interval;
    Past answered = co_await ask_in_pieces(source, past, advice);
    if (!answered) co_return Unexpected(answered.error());
    if (question.is_bad) {
      for (std::size_t i = 0; i < std::min(slots.size(), answered->size()); ++i)
        slots[i].bad = std::move((*answered)[i].answer);
    } else {
      for (PastSlot& slot : *answered) slots.push_back({slot.at, std::move(slot.answer), {}});
    }
  }
  co_return slots;
}

}  // namespace rollwatch
