// Questions that several rollouts ask together: turned into one before they are asked, divided or
// asked again one by one when it is answered (sharing.h).
#include <algorithm>

#include "daemon/engine/engine_impl.h"

namespace rollwatch {
namespace {

JoinedPtr& shared_of(Asked& asked, Role role) {
  return role == Role::kEvidence ? asked.shared_evidence : asked.shared;
}

}  // namespace

void Engine::Impl::ask_together(std::vector<Question>& questions, const Owners& owners) {
  if (joinable_.empty()) return;
  for (Sharing::Candidate& chosen :
       sharing_.choose(questions, std::exchange(joinable_, {}), clock_.steady())) {
    Question& question = questions[chosen.index];
    question.query = chosen.joined->query;
    question.largest_answer = kLargestShared;
    shared_of(owners[chosen.index].pending->asked, question.role) = std::move(chosen.joined);
  }
}

// Takes this rollout's share of the answer to what was asked together. False: there is none, and
// its own question is out instead.
bool Engine::Impl::take_share(const EntryPtr& entry, const std::shared_ptr<PendingSlot>& pending,
                              Role role, Answer& answer) {
  Asked& asked = pending->asked;
  JoinedPtr& shared = shared_of(asked, role);
  if (!shared) return true;
  const SharedEnd end = end_of_shared(answer);
  if (end != SharedEnd::kAskAlone) {
    if (end == SharedEnd::kDivide) answer = share_of(answer, shared->picks, shared->added);
    (role == Role::kEvidence ? *asked.evidence_query : asked.query) = shared->query;
    return true;
  }
  const std::size_t i = asked.condition;
  const ConditionPlan& plan = entry->plan->conditions[i];
  Question question = question_of(*entry, plan, asked, role);
  question.query = shared->query;
  if (sharing_.keep_apart(question, answer, clock_.steady()) && hooks_.kept_apart)
    hooks_.kept_apart(entry->spec, plan, answer, apart_after(answer));
  question.query = shared->alone;
  shared.reset();
  if (entry->asking[i].out != pending || entry->tenure->over) return true;  // given up
  if (stopping_) return false;  // it has no record, and is missed
  source_.ask({std::move(question)},
              [self = shared_from_this(), entry, pending, role](std::size_t, Answer own) {
                self->answered(entry, pending, {role}, std::move(own));
              });
  return false;
}

}  // namespace rollwatch
