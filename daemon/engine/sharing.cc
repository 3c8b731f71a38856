#include "daemon/engine/sharing.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <tuple>
#include <unordered_set>
#include <variant>

namespace rollwatch {
namespace {

// Of what lies in the question: too large an answer, a refusal.
constexpr Millis kLong{600'000};
// Of what may be the server's as well: a timeout, a broken connection. A server that has trouble
// should not be asked everything one by one for longer than it takes to see whether it was that.
constexpr Millis kShort{120'000};

}  // namespace

SharedEnd end_of_shared(const Answer& answer) {
  if (const auto* failure = std::get_if<QueryFailure>(&answer.result)) {
    const bool was_asked =
        failure->kind != FailureKind::kNotAsked && failure->kind != FailureKind::kOverload;
    return was_asked ? SharedEnd::kAskAlone : SharedEnd::kPassOn;
  }
  const bool is_whole = std::holds_alternative<Vector>(answer.result) && !answer.partial;
  return is_whole ? SharedEnd::kDivide : SharedEnd::kAskAlone;
}

Millis apart_after(const Answer& answer) {
  const auto* failure = std::get_if<QueryFailure>(&answer.result);
  if (failure == nullptr) return answer.partial ? kShort : kLong;
  return failure->kind == FailureKind::kTooLarge || failure->kind == FailureKind::kBadQuery
             ? kLong
             : kShort;
}

std::vector<Sharing::Candidate> Sharing::choose(const std::vector<Question>& batch,
                                                const std::vector<Candidate>& candidates,
                                                SteadyTime now) {
  using Same = std::tuple<std::string_view, std::string_view, SysTime, Millis>;
  const auto same = [&batch](const Candidate& candidate) {
    const Question& alone = batch[candidate.index];
    return Same{alone.datasource, candidate.joined->query, alone.time, alone.timeout};
  };
  // Rollouts whose own questions are equal need not be joined for it.
  std::map<Same, std::unordered_set<std::string_view>> asking;
  for (const Candidate& candidate : candidates) {
    auto& alone = asking[same(candidate)];
    if (alone.size() < kFewestSharing) alone.insert(candidate.joined->alone);
  }
  for (auto& [question, alone] : asking) {
    const auto apart = apart_until_.find(
        Key{std::string(std::get<0>(question)), std::string(std::get<1>(question))});
    if (apart == apart_until_.end()) continue;
    if (now < apart->second)
      alone.clear();
    else
      apart_until_.erase(apart);
  }
  // Copied, not moved: what they are looked up by are views of their texts.
  std::vector<Candidate> chosen;
  std::copy_if(candidates.begin(), candidates.end(), std::back_inserter(chosen),
               [&](const Candidate& candidate) {
                 return asking.at(same(candidate)).size() >= kFewestSharing;
               });
  return chosen;
}

bool Sharing::keep_apart(const Question& shared, const Answer& answer, SteadyTime now) {
  std::erase_if(apart_until_, [now](const auto& one) { return one.second <= now; });
  return apart_until_
      .try_emplace(Key{shared.datasource, shared.query.str()}, now + apart_after(answer))
      .second;
}

}  // namespace rollwatch
