// Registration: checked, then one at a time per place.
#include <cassert>
#include <cstddef>

#include "daemon/engine/engine_impl.h"
#include "daemon/engine/registrar.h"

namespace rollwatch {
namespace {

std::string turn_of(const Place& place) {
  // Lengths in front: no names can run into each other.
  return "place " + std::to_string(place.ns.size()) + ":" + place.ns +
         std::to_string(place.service.size()) + ":" + place.service + place.target;
}

}  // namespace

// Registrations of one place, and those with one Idempotency-Key, go one at a time. The turn lasts
// as long as what is returned, which may be longer than the engine: a request can still be out when
// the process ends.
awaitable<std::shared_ptr<void>> Engine::Impl::take_turn(std::string what) {
  while (registering_.contains(what)) {
    auto turn = std::make_shared<Promise<bool>>(executor_);
    registering_[what].push_back(turn);
    co_await turn->get();
  }
  registering_[what];
  co_return std::shared_ptr<void>(nullptr, [self = shared_from_this(), what](std::nullptr_t) {
    const auto waiting = std::move(self->registering_[what]);
    self->registering_.erase(what);
    for (const auto& next : waiting) next->set(true);
  });
}

// The same key again is the same rollout, whatever became of it since.
awaitable<std::optional<RegisterResult>> Engine::Impl::seen_before(
    std::optional<IdempotencyRecord> request) {
  if (!request) co_return std::nullopt;
  const auto seen = co_await store_.idempotent(request->key, clock_.wall());
  if (!seen) co_return std::nullopt;
  RegisterResult result;
  result.end =
      seen->body_sha256 == request->body_sha256 ? RegisterEnd::kExisting : RegisterEnd::kKeyReused;
  result.rollout = co_await find(seen->rollout);
  co_return result;
}

// With what people are told of it. Only of what concerns others as well must nothing else be told
// meanwhile.
awaitable<std::vector<Recorded>> Engine::Impl::record_registration(Commit& commit,
                                                                   const Plan& plan) {
  const Lease lease{place_of(commit.insert->spec), commit.epoch};
  const bool is_shared = rules_.tell && commit.state->freeze.has_value();
  std::shared_ptr<void> telling;
  if (is_shared) telling = co_await take_turn(kTelling);
  for (int tellings = 1;; ++tellings) {
    if (is_shared && recall_due_) co_await recall();
    const std::function<void()> told = tell_registration(commit, plan);
    assert((is_shared || !told) && "a registration shares nothing but a freeze");
    try {
      std::vector<Recorded> at_commit = co_await record_under(lease, commit);
      if (told) told();
      co_return at_commit;
    } catch (const OutOfDate&) {
      recall_due_ = true;
      if (tellings == kMostTellings) throw;
    }
  }
}

std::function<void()> Engine::Impl::tell_registration(Commit& commit, const Plan& plan) const {
  if (!rules_.tell) return {};
  const RolloutState nothing;
  const std::vector<Evaluation> none;
  Told all = rules_.tell(
      {TakenStep{commit.insert->spec, plan, nothing, *commit.state, commit.events, none}},
      freezes_);
  commit.deliveries = std::move(all.steps[0].notifications);
  commit.memos = std::move(all.steps[0].memos);
  return std::move(all.on_disk);
}

awaitable<RegisterResult> Engine::Impl::register_rollout(Registration registration) {
  check_started();
  RegisterResult result;
  RolloutSpec& spec = registration.spec;
  if (spec.candidate == spec.stable) {
    result.problems.push_back({"/candidate", "is the same as stable: there is nothing to compare"});
    co_return result;
  }
  // Before anything is asked of a datasource.
  auto before = co_await seen_before(registration.idempotency);
  if (before) co_return std::move(*before);
  const Place place = place_of(spec);
  co_await come_to(place);
  std::vector<std::string> left_out;
  spec.id = ids_.next("ro", clock_.wall());  // to check with: a query may name it
  const auto plan = plan_for(spec, registration.plan, &left_out);
  RegistrationCheck check =
      co_await check_registration(spec, *registration.plan, left_out, source_);
  for (const std::string& name : left_out)
    check.warnings.push_back("condition " + name + " is left out: it needs a stable version");
  result.warnings = std::move(check.warnings);
  result.problems = std::move(check.problems);
  if (!result.problems.empty()) co_return result;

  // So that two equal ones cannot both find nothing.
  std::shared_ptr<void> of_key;
  if (registration.idempotency) of_key = co_await take_turn("key " + registration.idempotency->key);
  const std::shared_ptr<void> of_place = co_await take_turn(turn_of(place));
  before = co_await seen_before(registration.idempotency);
  if (before) co_return std::move(*before);
  // It may have gone meanwhile.
  const Epoch epoch = co_await come_to(place);
  TenurePtr tenure = tenure_of(place);
  if (!tenure) tenure = begin_tenure({place, epoch}, Tenure::Phase::kWatched);
  const std::shared_ptr<void> here = enter(tenure);

  const auto latest = co_await store_.latest(spec.ns, spec.service, spec.target, spec.candidate);
  const bool same_attempt =
      latest && (registration.attempt ? *registration.attempt == latest->spec.attempt
                                      : !is_final(latest->state.state));
  if (same_attempt) {
    if (registration.idempotency) {
      Commit remembered;
      remembered.rollout = latest->spec.id;
      remembered.idempotency = registration.idempotency;
      Lease lease{place, epoch};
      co_await record_under(std::move(lease), std::move(remembered));
    }
    result.end = RegisterEnd::kExisting;
    result.rollout = co_await find(latest->spec.id);
    co_return result;
  }
  if (latest && !registration.attempt &&
      (latest->state.state == State::kRolledBack ||
       latest->state.state == State::kRollbackFailed)) {
    result.end = RegisterEnd::kAttemptNeeded;
    result.attempt = latest->spec.attempt + 1;
    result.rollout = co_await find(latest->spec.id);
    co_return result;
  }
  spec.attempt = registration.attempt.value_or(latest ? latest->spec.attempt + 1 : 1);
  if (latest && spec.attempt < latest->spec.attempt) {
    result.problems.push_back({"/attempt", "attempt " + std::to_string(latest->spec.attempt) +
                                               " was made already; the next one is " +
                                               std::to_string(latest->spec.attempt + 1)});
    co_return result;
  }

  const SysTime now = clock_.wall();
  spec.created_at = now;
  // Its own id, given in turn: of two rollouts in one place the later registered one sorts later.
  spec.id = ids_.next("ro", now);
  StoredRollout fresh;
  fresh.spec = spec;
  fresh.document = std::make_shared<const PlanDocument>(registration.document);
  Transition step = registered({spec, *plan}, now, freezes_.on(spec.ns, spec.service, now));
  for (Event& event : step.events) event.via = registration.via;
  fresh.state = step.state;
  Commit commit;
  commit.rollout = spec.id;
  commit.insert = fresh;
  commit.state = step.state;
  commit.events = step.events;
  commit.idempotency = registration.idempotency;
  commit.epoch = epoch;
  const std::vector<Recorded> at_commit = co_await record_registration(commit, *plan);
  // On disk, and the next owner's by now: the same call again finds it there.
  if (tenure->over)
    throw StoreError("the rollout has moved to another node", StoreError::Effect::kUnknown);

  const EntryPtr entry = add(std::move(fresh), tenure, registration.plan);
  for (const Delivery& delivery : commit.deliveries)
    if (hooks_.deliver) hooks_.deliver(delivery, entry->spec);
  for (std::size_t i = 0; i < step.events.size(); ++i)
    if (hooks_.event)
      hooks_.event({at_commit[0].event_seqs[i], spec.id, step.events[i]}, entry->spec, "");
  schedule(entry);
  keep_freeze(entry);  // what was frozen, or lifted, while it was being recorded
  if (entry->state.question && tenure->is_settled()) tell_neighbours(entry);

  // The answer shows it begun, if nothing stands before it.
  if (!entry->state.question) {
    Work begin{Begin{}};
    co_await put_and_wait(entry, std::move(begin));
  }
  result.end = RegisterEnd::kCreated;
  result.rollout = entry->view(source_);
  co_return result;
}

}  // namespace rollwatch
