#include "analysis/state_codec.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <limits>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "analysis/packed_reader.h"

namespace rollwatch {
namespace {

constexpr std::uint64_t kOldestFormat = 1;
// Only where a condition remembers something: what is as it always was, older programs can read.
constexpr std::uint64_t kWithMemory = 2;
constexpr std::uint64_t kFormat = kWithMemory;

template <class T>
constexpr bool kIsOptional = false;
template <class T>
constexpr bool kIsOptional<std::optional<T>> = true;
template <class T>
constexpr bool kIsOptional<Rare<T>> = true;
template <>
constexpr bool kIsOptional<MaybeTime> = true;

template <class T>
constexpr bool kIsSeldom = false;
template <class T>
constexpr bool kIsSeldom<Seldom<T>> = true;

template <class T>
constexpr bool kIsList = false;
template <class T>
constexpr bool kIsList<std::vector<T>> = true;

template <class T>
constexpr bool kIsArray = false;
template <class T, std::size_t N>
constexpr bool kIsArray<std::array<T, N>> = true;

// Small numbers of either sign become small unsigned ones: 0, -1, 1, -2 → 0, 1, 2, 3.
std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}
std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>((value >> 1) ^ (~(value & 1) + 1));
}

// ---- The fields, in the order of the bytes; the same list writes and reads
//
// The structured bindings are the guard: they stop compiling when a struct gains a field.

template <class Io>
void visit(Io& io, typename Io::template Ref<Comparison> comparison) {
  auto& [op, limit] = comparison;
  io(op, limit);
}

template <class Io>
void visit(Io& io, typename Io::template Ref<Judgement> judgement) {
  auto& [outcome, cause, value, rule, evidence, min_evidence, series, detail] = judgement;
  io(outcome, cause, value, rule, evidence, min_evidence, series, detail);
}

template <class Io>
void visit(Io& io, typename Io::template Ref<OpenOrder> order) {
  auto& [kind, number, weight, accepted, at, reminded_at, by_person] = order;
  io(kind, number, weight, accepted, at, reminded_at, by_person);
}

template <class Io>
void visit(Io& io, typename Io::template Ref<OpenQuestion> question) {
  auto& [kind, number, since, reminded_at, text, datasource] = question;
  io(kind, number, since, reminded_at, text, datasource);
}

template <class Io>
void visit(Io& io, typename Io::template Ref<CountedSlot> counted) {
  auto& [slot, outcome, failing, value] = counted;
  io(slot, outcome, failing, value);
}

template <class Io>
void visit(Io& io, typename Io::template Ref<ConditionState> condition) {
  auto& [phase_ms, last_slot, watched_from, counts, recent, fails_of_all, answers_of_all,
         passes_in_step, passes, silent_since, inconclusive_since, failed, last, last_evaluated_at,
         answered_for, memory] = condition;
  io(phase_ms, last_slot, watched_from, counts, recent, fails_of_all, answers_of_all,
     passes_in_step, passes, silent_since, inconclusive_since, failed, last, last_evaluated_at,
     answered_for);
  io.since(kWithMemory, memory);
}

template <class Io>
void visit(Io& io, typename Io::template Ref<ReadyState> ready) {
  auto& [attempt, ends_at, retry_at, overruled, stopped_at] = ready;
  io(attempt, ends_at, retry_at, overruled, stopped_at);
}

template <class Io>
void visit(Io& io, typename Io::template Ref<FreezeState> freeze) {
  auto& [since, text] = freeze;
  io(since, text);
}

template <class Io>
void visit(Io& io, typename Io::template Ref<RecoveryState> recovery) {
  auto& [until, prolonged] = recovery;
  io(until, prolonged);
}

template <class Io>
void visit(Io& io, typename Io::template Ref<FiringAlert> alert) {
  auto& [fingerprint, name, labels, summary, generator_url, starts_at, counts] = alert;
  io(fingerprint, name, labels, summary, generator_url, starts_at, counts);
}

template <class Io>
void visit(Io& io, typename Io::template Ref<AlertsState> alerts) {
  auto& [since, firing, fired, resolved, failed, last_at, last_fires, last_text] = alerts;
  io(since, firing, fired, resolved, failed, last_at, last_fires, last_text);
}

template <class Io>
void visit(Io& io, typename Io::template Ref<RolloutState> rollout) {
  auto& [state, step, step_since, hold_since, soak_since, deadline_at, order, lapsed, question,
         conditions_only_observe, reached_weight, orders_given, decisions_made, questions_asked,
         evaluations, revision, waits_for_predecessor, newer_waits, older_active, verdict, begun,
         ready, freeze, extension, recovery, conditions, alerts, reason, waits_for, updated_at,
         ended_at] = rollout;
  io(state, step, step_since, hold_since, soak_since, deadline_at, order, lapsed, question,
     conditions_only_observe, reached_weight, orders_given, decisions_made, questions_asked,
     evaluations, revision, waits_for_predecessor, newer_waits, older_active, verdict, begun, ready,
     freeze, extension, recovery, conditions, alerts, reason, waits_for, updated_at, ended_at);
}

// ---- Both directions
//
// Whole numbers are little-endian base 128 with a continuation bit; texts and lists begin with
// their length; an optional begins with 0 or 1; a double is its eight bytes, lowest first.

// Into memory that is made large enough first: a byte at a time through the string's own
// bookkeeping would cost more than all the rest.
class Writer {
 public:
  template <class T>
  using Ref = const T&;

  explicit Writer(std::string& out) : out_(out) { out_.resize(std::max(out_.capacity(), kRoom)); }

  template <class... Fields>
  void operator()(const Fields&... fields) {
    (put(fields), ...);
  }
  // A field that older formats do not have.
  template <class Field>
  void since(std::uint64_t format, const Field& field) {
    if (format_ >= format) put(field);
  }
  void is_of(std::uint64_t format) {
    format_ = format;
    put_number(format);
  }

  void put_number(std::uint64_t value) {
    make_room(kLongest);
    for (; value >= 0x80; value >>= 7) out_[at_++] = static_cast<char>(value | 0x80);
    out_[at_++] = static_cast<char>(value);
  }

  // Nothing may be put after it.
  void finish() { out_.resize(at_); }

 private:
  static constexpr std::size_t kRoom = 256;
  static constexpr std::size_t kLongest = 10;  // bytes of a number

  void make_room(std::size_t bytes) {
    if (out_.size() - at_ < bytes) out_.resize(2 * out_.size() + bytes);
  }

  template <class T>
  void put(const T& value) {
    if constexpr (std::is_enum_v<T>) {
      put_number(static_cast<std::uint64_t>(value));
    } else if constexpr (std::is_same_v<T, double>) {
      const auto bits = std::bit_cast<std::uint64_t>(value);
      make_room(sizeof bits);
      for (int shift = 0; shift < 64; shift += 8) out_[at_++] = static_cast<char>(bits >> shift);
    } else if constexpr (std::is_signed_v<T>) {
      put_number(zigzag(value));
    } else if constexpr (std::is_unsigned_v<T>) {  // bool too
      put_number(value);
    } else if constexpr (std::is_same_v<T, SysTime>) {
      put_number(zigzag(value.time_since_epoch().count()));
    } else if constexpr (std::is_same_v<T, Millis>) {
      put_number(zigzag(value.count()));
    } else if constexpr (std::is_same_v<T, std::string>) {
      put_number(value.size());
      make_room(value.size());
      value.copy(out_.data() + at_, value.size());
      at_ += value.size();
    } else if constexpr (std::is_same_v<T, RareText>) {
      put(value.text());
    } else if constexpr (std::is_same_v<T, ConditionMemory>) {
      const std::string_view bytes = value.bytes();
      put_number(bytes.size());
      make_room(bytes.size());
      bytes.copy(out_.data() + at_, bytes.size());
      at_ += bytes.size();
    } else if constexpr (kIsOptional<T>) {
      put_number(value.has_value());
      if (value) put(*value);
    } else if constexpr (kIsSeldom<T>) {
      put(*value);
    } else if constexpr (kIsList<T>) {
      put_number(value.size());
      for (const auto& element : value) put(element);
    } else if constexpr (kIsArray<T>) {
      for (const auto& element : value) put(element);
    } else {
      visit(*this, value);
    }
  }

  std::string& out_;
  std::size_t at_ = 0;
  std::uint64_t format_ = kFormat;
};

class Reader : public PackedReader {
 public:
  template <class T>
  using Ref = T&;

  explicit Reader(std::string_view in) : PackedReader(in, "the saved state") {}

  template <class... Fields>
  void operator()(Fields&... fields) {
    (get(fields), ...);
  }
  template <class Field>
  void since(std::uint64_t format, Field& field) {
    if (format_ >= format) get(field);
  }
  void is_of(std::uint64_t format) { format_ = format; }

 private:
  template <class T>
  void get(T& value) {
    if constexpr (std::is_enum_v<T>) {
      const std::uint64_t number = get_number();
      value = static_cast<T>(number < 0x80 ? number : 0x7f);
      if (!is_known(value)) {
        fail("an unknown enumerator");
        value = T{};
      }
    } else if constexpr (std::is_same_v<T, double>) {
      value = get_double();
    } else if constexpr (std::is_signed_v<T>) {
      const std::int64_t number = unzigzag(get_number());
      if (!std::in_range<T>(number)) fail("a number that is too large");
      value = static_cast<T>(number);
    } else if constexpr (std::is_unsigned_v<T>) {
      const std::uint64_t number = get_number();
      if (number > std::numeric_limits<T>::max()) fail("a number that is too large");
      value = static_cast<T>(number);
    } else if constexpr (std::is_same_v<T, SysTime>) {
      value = SysTime(Millis(unzigzag(get_number())));
    } else if constexpr (std::is_same_v<T, Millis>) {
      value = Millis(unzigzag(get_number()));
    } else if constexpr (std::is_same_v<T, std::string>) {
      value = get_text();
    } else if constexpr (std::is_same_v<T, RareText>) {
      std::string text;
      get(text);
      value = std::move(text);
    } else if constexpr (std::is_same_v<T, ConditionMemory>) {
      auto memory = ConditionMemory::of(get_text());
      if (memory)
        value = *std::move(memory);
      else
        fail("a comparison that cannot be read (" + memory.error() + ")");
    } else if constexpr (kIsOptional<T>) {
      bool there = false;
      get(there);
      if (there) get(value.emplace());
    } else if constexpr (kIsSeldom<T>) {
      std::remove_cvref_t<decltype(*value)> read;
      get(read);
      value = std::move(read);
    } else if constexpr (kIsList<T>) {
      value.clear();
      for (std::size_t left_over = get_length(); left_over > 0 && !failed(); --left_over) {
        get(value.emplace_back());
      }
    } else if constexpr (kIsArray<T>) {
      for (auto& element : value) get(element);
    } else {
      visit(*this, value);
    }
  }

  std::uint64_t format_ = kFormat;
};

}  // namespace

namespace {

std::uint64_t format_of(const RolloutState& state) {
  const bool remembers = std::ranges::any_of(state.conditions, [](const ConditionState& condition) {
    return !condition.memory.bytes().empty();
  });
  return remembers ? kWithMemory : kOldestFormat;
}

}  // namespace

void encode_state(const RolloutState& state, std::string& bytes) {
  Writer writer(bytes);
  writer.is_of(format_of(state));
  writer(state);
  writer.finish();
}

std::string encode_state(const RolloutState& state) {
  std::string bytes;
  encode_state(state, bytes);
  return bytes;
}

Expected<RolloutState, std::string> decode_state(std::string_view bytes) {
  Reader reader(bytes);
  const std::uint64_t format = reader.get_number();
  if (reader.failed()) return Unexpected(reader.error());
  if (format < kOldestFormat || format > kFormat) {
    return Unexpected("the saved state has format " + std::to_string(format) +
                      ", this program knows " + std::to_string(kFormat) +
                      (format > kFormat ? "; it was written by a newer rollwatchd" : ""));
  }
  reader.is_of(format);
  RolloutState state;
  reader(state);
  if (!reader.failed() && reader.left() > 0) reader.fail("bytes left over");
  if (!reader.failed() && format_of(state) != format) reader.fail("a newer format than it needs");
  if (reader.failed()) return Unexpected(reader.error());
  return state;
}

// ---- Enumerators: a switch, so that the compiler names the one that was forgotten
// clang-format off

bool is_known(State value) {
  using enum State;
  switch (value) {
    case kWaiting: case kAnalyzing: case kPaused: case kPromoting: case kSoaking: case kRollingBack:
    case kPromoted: case kRolledBack: case kRollbackFailed: case kCancelled: case kSuperseded:
      return true;
  }
  return false;
}

bool is_known(Verdict value) {
  using enum Verdict;
  switch (value) {
    case kPending: case kPassing: case kFailing: case kUnknown: case kFailed: case kPassed:
      return true;
  }
  return false;
}

bool is_known(DecisionKind value) {
  using enum DecisionKind;
  switch (value) {
    case kAdvance: case kPromote: case kPause: case kResume: case kRollback: case kCancel:
    case kExtend:
      return true;
  }
  return false;
}

bool is_known(QuestionKind value) {
  using enum QuestionKind;
  switch (value) {
    case kNoAnswers: case kInconclusive: case kConditionFailed: case kOrderRefused: case kOrderExpired:
    case kDeadline: case kApproveStart: case kApproveStep: case kApprovePromote: case kNothingMeasured:
    case kPersonPaused: case kNotReady: case kReadyLost: case kAlertFires:
      return true;
  }
  return false;
}

bool is_known(Outcome value) {
  using enum Outcome;
  switch (value) {
    case kPass: case kFail: case kInconclusive: case kNoData: case kError: case kMissed:
      return true;
  }
  return false;
}

bool is_known(Cause value) {
  using enum Cause;
  switch (value) {
    case kWithinLimit: case kBeyondLimit: case kBetweenLimits: case kSeriesCameBack:
    case kNoSeriesCameBack: case kNoSeries: case kNotANumber: case kInfinite: case kPartial:
    case kNoEvents: case kFewEvents: case kReachesBack: case kManySeries: case kUnusableKind:
    case kUnreachable: case kTimeout: case kBadQuery: case kHttpStatus: case kMalformed: case kTooLarge:
    case kNotAsked: case kMissedDowntime: case kMissedLate: case kMissedOverlap: case kMissedClockJump:
    case kMissedStore: case kMissedOverload: case kMissedEnded: case kMissedDelay: case kNotWorse:
    case kWorseThanStable: case kSuspicious: case kWarmingUp: case kCountingBegins: case kNotLookedYet:
    case kNoStable: case kIncomparable: case kNoCandidate: case kFewCompared:
      return true;
  }
  return false;
}

bool is_known(CompareOp value) {
  using enum CompareOp;
  switch (value) {
    case kGreater: case kGreaterEqual: case kLess: case kLessEqual: case kEqual: case kNotEqual:
      return true;
  }
  return false;
}

// clang-format on
}  // namespace rollwatch
