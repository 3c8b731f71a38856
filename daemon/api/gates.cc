#include "daemon/api/gates.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace rollwatch {
namespace {

constexpr int kOpen = 200;
constexpr int kClosed = 403;
constexpr int kFailed = 409;

constexpr std::array kGates{
    Gate{"confirm-rollout", GateKind::kBegin, kClosed},
    Gate{"pre-rollout", GateKind::kCheck, kFailed},
    Gate{"rollout", GateKind::kCheck, kFailed},
    Gate{"confirm-traffic-increase", GateKind::kIncrease, kClosed},
    Gate{"confirm-promotion", GateKind::kPromote, kClosed},
    Gate{"post-rollout", GateKind::kTold, kClosed},
    Gate{"rollback", GateKind::kRollback, kClosed},
    Gate{"event", GateKind::kTold, kClosed},
};

bool goes_back(State state) {
  return state == State::kRollingBack || state == State::kRolledBack ||
         state == State::kRollbackFailed;
}

// From the promote order on, until it has ended.
bool goes_to_everybody(State state) {
  return state == State::kPromoting || state == State::kSoaking;
}

// Readiness is no reason to keep the new version from being started: it is what readiness waits
// for.
bool may_be_started(const RolloutState& state) {
  if (state.state == State::kWaiting) return !state.question && !state.waits_for_predecessor;
  return state.state == State::kAnalyzing || goes_to_everybody(state.state);
}

bool may_get_more(const RolloutState& state) {
  if (goes_to_everybody(state.state) || state.state == State::kPromoted) return true;
  return state.state == State::kAnalyzing && !state.newer_waits &&
         state.verdict != Verdict::kFailing && state.verdict != Verdict::kFailed;
}

bool is_open(GateKind kind, const RolloutState& state, bool frozen) {
  switch (kind) {
    case GateKind::kBegin:
      return may_be_started(state) && !frozen;
    case GateKind::kCheck:
      return !goes_back(state.state);
    case GateKind::kIncrease:
      return may_get_more(state) && !frozen;
    case GateKind::kPromote:
      return (goes_to_everybody(state.state) || state.state == State::kPromoted) && !frozen;
    case GateKind::kRollback:
      return goes_back(state.state);
    case GateKind::kTold:
      return true;
  }
  return false;
}

bool waits(GateKind kind) {
  return kind == GateKind::kBegin || kind == GateKind::kIncrease || kind == GateKind::kPromote;
}

}  // namespace

std::span<const Gate> flagger_gates() { return kGates; }

const Gate* flagger_gate(std::string_view name) {
  const auto* const found = std::ranges::find(kGates, name, &Gate::name);
  return found == kGates.end() ? nullptr : &*found;
}

GateAnswer answer_of(const Gate& gate, const RolloutSpec& spec, const RolloutState& state,
                     const std::optional<std::string>& frozen) {
  const bool open = is_open(gate.kind, state, frozen.has_value());
  const std::string why = state.state == State::kWaiting && !state.waits_for.empty()
                              ? state.waits_for.text()
                              : state.reason;
  std::string line = fmt::format("{} {} ({}, {}) is {}", spec.service, spec.candidate, spec.target,
                                 spec.id, name_of(state.state));
  if (!why.empty()) line += ": " + why;
  if (frozen && waits(gate.kind) && !open) line += "; " + *frozen;
  return {open ? kOpen : gate.closed, one_line(std::move(line))};
}

GateAnswer answer_of_unknown(const Gate& gate, const std::string& place) {
  const bool open = gate.kind == GateKind::kTold;
  return {open ? kOpen : gate.closed,
          one_line(fmt::format("no rollout of {} is registered", place))};
}

std::string one_line(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  return text;
}

}  // namespace rollwatch
