// Registration: checked, then one at a time per place.
#include "daemon/engine/engine_impl.h"
#include "daemon/engine/registrar.h"

namespace rollwatch {

awaitable<RegisterResult> Engine::Impl::register_rollout(Registration registration) {
  RegisterResult result;
  RolloutSpec& spec = registration.spec;
  if (spec.candidate == spec.stable) {
    result.problems.push_back({"/candidate", "is the same as stable: there is nothing to compare"});
    co_return result;
  }
  // The same key again is the same rollout, before anything else is looked at.
  if (registration.idempotency) {
    const auto seen = co_await store_.idempotent(registration.idempotency->key, clock_.wall());
    if (seen) {
      result.end = seen->body_sha256 == registration.idempotency->body_sha256 ? RegisterEnd::kExisting
                                                                              : RegisterEnd::kKeyReused;
      result.rollout = co_await find(seen->rollout);
      co_return result;
    }
  }
  std::vector<std::string> left_out;
  spec.id = ids_.next("ro", clock_.wall());  // to check with: a query may name it
  const auto plan = plan_for(spec, registration.plan, &left_out);
  RegistrationCheck check = co_await check_registration(spec, *plan, source_);
  for (const std::string& name : left_out)
    check.warnings.push_back("condition " + name + " is left out: it needs a stable version");
  result.warnings = std::move(check.warnings);
  result.problems = std::move(check.problems);
  if (!result.problems.empty()) co_return result;

  // One registration per place at a time, so that two equal ones cannot both find nothing.
  const std::string place = place_of(spec);
  while (registering_.contains(place)) {
    auto turn = std::make_shared<Promise<bool>>(executor_);
    registering_[place].push_back(turn);
    co_await turn->get();
  }
  registering_[place];
  struct Turn {
    Impl& engine;
    const std::string& place;
    ~Turn() {
      const auto waiting = std::move(engine.registering_[place]);
      engine.registering_.erase(place);
      for (const auto& next : waiting) next->set(true);
    }
  } turn{*this, place};

  // The other of two equal requests with one key may have been first.
  if (registration.idempotency) {
    const auto seen = co_await store_.idempotent(registration.idempotency->key, clock_.wall());
    if (seen) {
      result.end = seen->body_sha256 == registration.idempotency->body_sha256 ? RegisterEnd::kExisting
                                                                              : RegisterEnd::kKeyReused;
      result.rollout = co_await find(seen->rollout);
      co_return result;
    }
  }
  const auto latest = co_await store_.latest(spec.ns, spec.service, spec.target, spec.candidate);
  const bool same_attempt =
      latest && (registration.attempt ? *registration.attempt == latest->spec.attempt
                                      : !is_final(latest->state.state));
  if (same_attempt) {
    result.end = RegisterEnd::kExisting;
    result.rollout = co_await find(latest->spec.id);
    co_return result;
  }
  if (latest && !registration.attempt &&
      (latest->state.state == State::kRolledBack || latest->state.state == State::kRollbackFailed)) {
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
  Transition step = registered({spec, *plan}, now);
  fresh.state = step.state;
  Commit commit;
  commit.rollout = spec.id;
  commit.insert = fresh;
  commit.state = step.state;
  commit.events = step.events;
  commit.idempotency = registration.idempotency;
  for (const Event& event : step.events)
    for (Delivery& notification : rules_.notifications(spec, event))
      commit.deliveries.push_back(std::move(notification));
  std::vector<Delivery> deliveries = commit.deliveries;
  std::vector<Commit> commits;
  commits.push_back(std::move(commit));
  const std::vector<Recorded> at_commit = co_await store_.record(std::move(commits), 0);

  plans_.try_emplace(fresh.document->analysis, registration.plan);
  const EntryPtr entry = add(std::move(fresh));
  for (const Delivery& delivery : deliveries)
    if (hooks_.deliver) hooks_.deliver(delivery, entry->spec);
  for (std::size_t i = 0; i < step.events.size(); ++i)
    if (hooks_.event) hooks_.event({at_commit[0].event_seqs[i], spec.id, step.events[i]}, entry->spec);
  if (hooks_.changed) hooks_.changed(entry->view(source_));
  schedule(entry);
  if (entry->state.question) tell_neighbours(entry);

  // The answer shows it begun, if nothing stands before it.
  if (!entry->state.question) {
    auto done = std::make_shared<Promise<WorkResult>>(executor_);
    Work work{Begin{}};
    work.done = [done](const WorkResult& r) { done->set(r); };
    put(entry, std::move(work));
    co_await done->get();
  }
  result.end = RegisterEnd::kCreated;
  result.rollout = entry->view(source_);
  co_return result;
}

}  // namespace rollwatch
