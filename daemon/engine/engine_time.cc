// What is due, and asking it: one due queue for all rollouts, one batch of questions per wake-up.
#include <algorithm>
#include <boost/asio/post.hpp>

#include "analysis/render.h"
#include "analysis/slots.h"
#include "daemon/engine/engine_impl.h"

namespace rollwatch {
namespace {

// Sleeps are cut into pieces of this length, so that a jump of the wall clock is seen soon.
constexpr Millis kLongestSleep{5'000};
// Wall and steady time drift apart by slewing; only more than this between two looks is a jump.
constexpr Millis kJump{2'000};
// What is due within one wake-up goes out together.
constexpr Millis kCoalesce{5};
// More than that is seldom due.
constexpr std::size_t kAtOnce = 64;

// It never got a connection.
bool was_not_asked(const Answer& answer) {
  const auto* failure = std::get_if<QueryFailure>(&answer.result);
  return failure != nullptr &&
         (failure->kind == FailureKind::kOverload || failure->kind == FailureKind::kNotAsked);
}

}  // namespace

// ---- Time: what is due, and asking it
// ------------------------------------------------------------

void Engine::Impl::schedule(const EntryPtr& entry) {
  if (is_over(entry->state) || !entry->tenure->is_settled()) return due_.remove(entry);
  const auto at = next_due(*entry, source_);
  if (!at) return due_.remove(entry);
  due_.set(entry, *at);
  arm();
}

void Engine::Impl::schedule_all() {
  for (const EntryPtr& entry : active_) schedule(entry);
}

// One sleeper is out for the earliest moment; a later one that finds itself overtaken does nothing.
void Engine::Impl::arm() {
  if (stopping_ || !started_) return;
  // Mostly it is out already, and the clock needs not be asked.
  if (armed_for_ && !freeze_ends_at_ && !due_.empty() && *armed_for_ <= due_.earliest()) return;
  const SysTime now = clock_.wall();
  SysTime at = now + kLongestSleep;
  if (!due_.empty()) at = std::min(at, due_.earliest());
  if (freeze_ends_at_) at = std::min(at, *freeze_ends_at_);
  if (armed_for_ && *armed_for_ <= at) return;
  armed_for_ = at;
  const std::uint64_t ticket = ++armed_ticket_;
  spawn(executor_, "engine wake-up",
        [weak = weak_from_this(), &clock = clock_, span = std::max(at - now, Millis{0}),
         ticket]() -> awaitable<void> {
          co_await clock.sleep(span);
          const auto self = weak.lock();
          if (!self || self->stopping_ || self->armed_ticket_ != ticket) co_return;
          self->armed_for_.reset();
          self->wake();
        });
}

void Engine::Impl::wake() {
  const SysTime now = clock_.wall();
  // What was missed by it is recorded first; then comes what is due.
  if (see_clock_jump(now)) return arm();
  end_freezes(now);
  std::vector<Question> questions;
  Owners owners;
  std::vector<EntryPtr> looked_at;
  looked_at.reserve(kAtOnce);
  while (!due_.empty() && due_.earliest() <= now + kCoalesce) looked_at.push_back(due_.pop());
  questions.reserve(looked_at.size());
  owners.reserve(looked_at.size());
  for (const EntryPtr& entry : looked_at) {
    // A step that is being recorded may change what is due; the entry is scheduled again right
    // after it. One that nothing follows from does not hold up other conditions' questions.
    if (entry->recording && !entry->recording_quietly) continue;
    if (entry->store_was_away || !entry->tenure->is_settled()) continue;
    const auto timer = next_timer(entry->fixed(), entry->state);
    if (!entry->recording && timer && *timer <= now) put(entry, Work{TimePassed{}});
    ask_due(entry, now + kCoalesce, questions, owners);
    if (entry->recording && next_due(*entry, source_).value_or(now) <= now + kCoalesce) continue;
    schedule(entry);
  }
  if (!questions.empty()) {
    ask_together(questions, owners);
    source_.ask(std::move(questions), [self = shared_from_this(), owners = std::move(owners)](
                                          std::size_t index, Answer answer) {
      const Owner& owner = owners[index];
      self->answered(owner.entry, owner.pending, owner.part, std::move(answer));
    });
  }
  arm();
}

bool Engine::Impl::see_clock_jump(SysTime now) {
  const SteadyTime steady = clock_.steady();
  const auto by_steady = std::chrono::duration_cast<Millis>(steady - last_steady_);
  const Millis drift = (now - last_wall_) - by_steady;
  last_wall_ = now;
  last_steady_ = steady;
  if (drift > -kJump && drift < kJump) return false;
  for (const EntryPtr& entry : active_) {
    if (!entry->tenure->is_settled()) continue;
    // Also where nothing is watched: reminders must not wait for the old time to come again.
    if (is_watching(entry->state)) {
      give_up_what_is_ahead(entry, now);
      mark_missed(entry, now, Cause::kMissedClockJump);
    }
    put(entry, Work{WatchResumed{Cause::kMissedClockJump}});
    schedule(entry);
  }
  // Put back, it may hold again what had ended already.
  freeze_ends_at_ = freezes_.next_end(now);
  for (const EntryPtr& entry : held_by("", "")) keep_freeze(entry);
  return true;
}

// A clock that was put back: the slot of a question that is out lies in the future now. Its answer
// would be recorded for that time, and nothing asked before it has come again.
void Engine::Impl::give_up_what_is_ahead(const EntryPtr& entry, SysTime now) {
  for (std::size_t i = 0; i < entry->asking.size(); ++i) {
    const auto pending = entry->asking[i].out;
    if (!pending) continue;
    const Grid grid = grid_of(entry->plan->conditions[i], entry->state.conditions[i]);
    if (grid.at(pending->slot) <= now) continue;
    miss_before(entry, *pending);
    put(entry, Work{SlotsMissed{i, pending->slot, pending->slot, pending->asked.evaluated_at,
                                Cause::kMissedClockJump}});
    entry->asking[i].out.reset();
  }
}

// Every slot up to now that has no record is missed, but for those that are out.
void Engine::Impl::mark_missed(const EntryPtr& entry, SysTime now, Cause cause) {
  for (std::size_t i = 0; i < entry->state.conditions.size(); ++i) {
    const ConditionPlan& plan = entry->plan->conditions[i];
    const ConditionState& c = entry->state.conditions[i];
    if (entry->asking[i].out) continue;
    const Millis delay = source_.ingestion_delay(plan.datasource);
    const auto first = next_slot(plan, c, delay);
    const Grid grid = grid_of(plan, c);
    const std::int64_t last = grid.last_at_or_before(now);
    if (!first || *first > last) continue;
    put(entry, Work{SlotsMissed{i, *first, last, grid.at(last) - delay, cause}});
  }
}

// The query is left to be filled in.
Question Engine::Impl::question_of(const Entry& entry, const ConditionPlan& plan,
                                   const Asked& asked, Role role) {
  Question question;
  question.datasource = plan.datasource;
  question.time = asked.evaluated_at;
  question.timeout = plan.timeout.value_or(Millis{0});
  question.role = role;
  question.goes_first = plan.on_fail == OnFail::kRollback;
  question.last_answered = entry.asking[asked.condition].answered_at;
  question.interval = plan.interval;
  return question;
}

void Engine::Impl::ask_due(const EntryPtr& entry, SysTime now, std::vector<Question>& questions,
                           Owners& owners) {
  if (stopping_ || !is_watching(entry->state)) return;
  for (std::size_t i = 0; i < entry->state.conditions.size(); ++i) {
    if (entry->asking[i].out) continue;
    const ConditionPlan& plan = entry->plan->conditions[i];
    const ConditionState& c = entry->state.conditions[i];
    const Millis delay = source_.ingestion_delay(plan.datasource);
    const Grid grid = grid_of(plan, c);
    const auto first = next_slot(plan, c, delay);
    const std::int64_t slot = grid.last_at_or_before(now);
    if (!first || *first > slot) continue;
    const bool is_plain = *first == slot && is_ahead(c, grid.at(slot) - delay);
    if (entry->recording && !is_plain) continue;  // its missed ones come after that step
    if (*first < slot) {
      const Cause cause = grid.at(*first) <= entry->asking[i].busy_until ? Cause::kMissedOverlap
                                                                         : Cause::kMissedLate;
      put(entry, Work{SlotsMissed{i, *first, slot - 1, grid.at(slot - 1) - delay, cause}});
    }
    if (!is_ahead(c, grid.at(slot) - delay)) {
      put(entry, Work{SlotsMissed{i, slot, slot, grid.at(slot) - delay, Cause::kMissedDelay}});
      continue;
    }
    if (hooks_.late) hooks_.late(std::max(clock_.wall() - grid.at(slot), Millis{0}));

    auto pending = std::make_shared<PendingSlot>();
    pending->slot = slot;
    Asked& asked = pending->asked;
    asked.condition = i;
    asked.evaluated_at = grid.at(slot) - delay;
    entry->asking[i].out = pending;

    const RenderedQuestions rendered = entry->questions(i);
    const auto ask = [&](const RenderedQuestions::Text& text, Part part, const JoinedPtr& joined) {
      ++pending->remaining;
      if (text) {
        if (joined) joinable_.push_back({questions.size(), joined});
        questions.push_back(question_of(*entry, plan, asked, part.role));
        questions.back().query = *text;
        owners.push_back({entry, pending, part});
        return;
      }
      net::post(executor_,
                [self = shared_from_this(), entry, pending, part, message = text.error().message] {
                  Answer unasked;
                  unasked.result = QueryFailure{FailureKind::kNotAsked, message, 0};
                  self->answered(entry, pending, part, std::move(unasked));
                });
    };
    // What explain shows: as it was asked, or else as it is written.
    const auto shown = [&](const RenderedQuestions::Text& text, std::size_t place) {
      return text ? *text : SharedText(questions_of(plan)[place].query->text());
    };
    if (!rendered.arms.empty()) {
      const std::vector<PlannedQuestion> planned = questions_of(plan);
      for (std::size_t arm = 0; arm < rendered.arms.size(); ++arm) {
        asked.arms.push_back(
            {*planned[arm].arm, planned[arm].is_bad, shown(rendered.arms[arm], arm), {}});
        ask(rendered.arms[arm], {Role::kArm, arm}, nullptr);
      }
      asked.query = asked.arms.front().query;
      continue;
    }
    asked.query = shown(rendered.query, 0);
    ask(rendered.query, {plan.is_readiness ? Role::kReadiness : Role::kValue}, rendered.joined);
    if (rendered.evidence) {
      asked.evidence_query = shown(*rendered.evidence, 1);
      ask(*rendered.evidence, {Role::kEvidence}, rendered.joined_evidence);
    }
  }
}

// Those that went by before this one was asked were put down as missed then. If the store refused
// that, they have no record yet, and would get none behind this one's.
void Engine::Impl::miss_before(const EntryPtr& entry, const PendingSlot& pending) {
  const std::size_t i = pending.asked.condition;
  const ConditionPlan& plan = entry->plan->conditions[i];
  const ConditionState& c = entry->state.conditions[i];
  const Millis delay = source_.ingestion_delay(plan.datasource);
  const auto first = next_slot(plan, c, delay);
  if (!first || *first >= pending.slot) return;
  const std::int64_t last = pending.slot - 1;
  put(entry,
      Work{SlotsMissed{i, *first, last, grid_of(plan, c).at(last) - delay, Cause::kMissedStore}});
}

void Engine::Impl::answered(const EntryPtr& entry, const std::shared_ptr<PendingSlot>& pending,
                            Part part, Answer answer) {
  if (!take_share(entry, pending, part.role, answer)) return;
  const std::size_t i = pending->asked.condition;
  ConditionAsking& asking = entry->asking[i];
  asking.busy_until = clock_.wall();
  // Who only waited in vain for its turn is not behind others because of that.
  if (!was_not_asked(answer)) asking.answered_at = asking.busy_until;
  if (part.role == Role::kArm)
    pending->asked.arms[part.arm].answer = std::move(answer);
  else if (part.role == Role::kEvidence)
    pending->asked.evidence = std::move(answer);
  else
    pending->asked.value = std::move(answer);
  if (--pending->remaining > 0) return;
  if (asking.out != pending || entry->tenure->over) return;  // given up
  miss_before(entry, *pending);
  SlotAnswered input{i, pending->slot, pending->asked.evaluated_at, pending->asked.value,
                     pending->asked.evidence};
  for (const AskedArm& arm : pending->asked.arms) input.arms.push_back(arm.answer);
  Work work{std::move(input)};
  if (entry->plan->conditions[i].is_readiness)
    entry->last_ready = std::make_shared<const Asked>(pending->asked);
  work.asked = std::move(pending->asked);
  // Until the answer is on disk the condition stays "out", so that no slot is asked twice.
  // (It may wait in the entry's own mailbox, so it does not hold the entry.)
  work.done = [weak = std::weak_ptr<Entry>(entry), i, pending](const WorkResult&) {
    const EntryPtr answered = weak.lock();
    if (answered && answered->asking[i].out == pending) answered->asking[i].out.reset();
  };
  put(entry, std::move(work));
}

}  // namespace rollwatch
