// What a person says of how a rollout ended, once they know better. Nothing follows from it for the
// rollout, which is mostly over by then: it is an event of its log and a memo beside it, in one
// commit, under the lease of its place as every other.
#include <utility>

#include "daemon/engine/engine_impl.h"
#include "daemon/engine/labels.h"

namespace rollwatch {
namespace {

Event label_event(DecisionKind kind, const DecisionLabel& label, Via via, const RolloutState& s) {
  Event event;
  event.type = EventType::kLabelled;
  event.at = label.at;
  event.state = s.state;
  event.step = s.step;
  event.verdict = s.verdict;
  event.kind = kind;
  event.summary = label_sentence(kind, label);
  event.by = label.by;
  event.reason = label.reason;
  event.via = std::move(via);
  return event;
}

}  // namespace

awaitable<LabelResult> Engine::Impl::label(std::string id, DecisionLabel label, Via via) {
  check_started();
  // Of two at once the second sees the first.
  const std::shared_ptr<void> turn = co_await take_turn("label " + id);
  const auto known = co_await store_.rollout(id);
  if (!known) co_return LabelResult{};
  Lease lease{place_of(known->spec), 0};
  lease.epoch = co_await come_to(lease.place);
  // As it is now that nobody else can move it.
  auto stored = co_await store_.rollout(id);
  if (!stored) co_return LabelResult{};
  const auto kind = judged_decision(stored->state.state);
  if (!kind) {
    LabelResult refused{DecideEnd::kConflict,
                        "it is " + std::string(name_of(stored->state.state)) +
                            ": only a rollout that was promoted or rolled back has a decision that "
                            "can be labelled",
                        std::nullopt};
    co_return refused;
  }
  label.at = clock_.wall();
  const auto before = read_label(stored->label);
  const auto plan = plan_for(stored->spec, read_plan(*stored));
  Commit commit;
  commit.rollout = id;
  commit.events.push_back(label_event(*kind, label, std::move(via), stored->state));
  if (rules_.tell) {
    const std::vector<Evaluation> none;
    Told told = rules_.tell(
        {TakenStep{stored->spec, *plan, stored->state, stored->state, commit.events, none}},
        freezes_);
    commit.deliveries = std::move(told.steps[0].notifications);
  }
  commit.memos.push_back({"", kLabelMemo, label_text(label)});
  Commit copy = commit;
  const std::vector<Recorded> at_commit = co_await record_under(std::move(lease), std::move(copy));

  stored->label = commit.memos.back().value;
  if (const EntryPtr entry = look_up(id)) entry->label = stored->label;
  for (const Delivery& delivery : commit.deliveries)
    if (hooks_.deliver) hooks_.deliver(delivery, stored->spec);
  if (hooks_.event)
    hooks_.event({at_commit.at(0).event_seqs.at(0), id, commit.events.front()}, stored->spec, "");
  if (hooks_.labelled && (!before || before->right != label.right)) hooks_.labelled(*kind, label);
  LabelResult done{DecideEnd::kDone, "", stored_view(std::move(*stored), plan)};
  co_return done;
}

}  // namespace rollwatch
