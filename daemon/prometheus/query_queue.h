// The questions to one datasource that wait for a connection, and in which order they get one.
//
// As long as connections are free nothing waits. When they are not:
//
// - Conditions that can roll back go first; of every eight questions that waited one is another's,
//   so that the others are slow and not blind. Among equals, first the one whose condition was
//   answered longest ago: at twice the load each is asked every other time.
// - While answers come, a question that has waited until its condition's next slot is given up: it
//   is missed (overload), and the next slot is as good. While none comes it waits out its timeout,
//   and has then got no answer, like those that were sent.
// - When the server answers again after it stood still, no more is sent in a tenth of a second than
// a
//   quarter above what is usual, until the backlog is worked off and a second has gone by: it is
//   not met by everything at once, nor by the last of it and what is new together.
//
// No clock, no I/O.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "daemon/engine/metrics_source.h"
#include "daemon/net/clock.h"

namespace rollwatch {

// A question that waits or is out, and everybody who asked it.
struct Asking {
  struct Receiver {
    std::shared_ptr<const MetricsSource::Answered> answered;
    std::size_t index = 0;
  };
  Question question;
  SteadyTime since{}, until{};  // waits since then, and must be answered by then
  Receiver asker;
  std::vector<Receiver> others;  // who asked the same
};
using AskingPtr = std::shared_ptr<Asking>;

// How many questions are usual, and whether one more of a backlog may go out.
class SendingPace {
 public:
  void asked(SteadyTime now);
  void sent(SteadyTime now);
  // A quarter more than is usual in a tenth of a second.
  std::size_t allowed() const;
  bool may_send(SteadyTime now, std::size_t allowed);
  // The slots of time that this is counted in.
  static constexpr std::chrono::milliseconds kTick{10};

 private:
  static constexpr std::int64_t kTicks = 10;    // a tenth of a second
  static constexpr std::int64_t kSeconds = 60;  // whose busiest is what is usual
  static constexpr std::size_t kAlways = 20;    // so many may always go out in a tenth of a second

  void go_to(SteadyTime now);

  std::optional<SteadyTime> began_;
  std::int64_t tick_ = 0;
  std::array<std::size_t, kTicks> sent_{};
  std::int64_t second_ = 0;
  std::array<std::size_t, kSeconds> asked_{};
};

class QueryQueue {
 public:
  void push(AskingPtr asking, SteadyTime now);
  bool empty() const { return fresh_.empty() && waiting_[0].empty() && waiting_[1].empty(); }
  std::size_t size() const { return fresh_.size() + waiting_[0].size() + waiting_[1].size(); }

  // The next one to be sent, if one may be sent now; it counts as sent.
  AskingPtr pop(SteadyTime now);
  // Everything, in the order it would be sent.
  std::vector<AskingPtr> take_all();

  // An answer came back from the server.
  void answered(SteadyTime now);

  struct GivenUp {
    AskingPtr asking;
    bool overload = false;  // answers came meanwhile, for others; else none did
  };
  GivenUp give_up(AskingPtr asking) const;
  // Those that have waited long enough. To be asked every kTick while something waits.
  std::vector<GivenUp> expire(SteadyTime now);

 private:
  struct Turn {
    SysTime answered;                               // when its condition was, last
    std::uint64_t ticket;                           // first come, first served
    auto operator<=>(const Turn&) const = default;  // NOLINT(modernize-use-nullptr): a 0 of its own
  };
  using Waiting = std::map<Turn, AskingPtr>;

  void sort_fresh();
  bool stands_still(SteadyTime now) const;
  std::size_t usual() const { return recovery_ ? recovery_->allowed : pace_.allowed(); }
  SteadyTime given_up_at(const Asking& asking) const;

  std::deque<AskingPtr> fresh_;     // nothing of it had to wait yet
  std::array<Waiting, 2> waiting_;  // those that can roll back, and the others
  unsigned turns_ = 0;              // of those that can roll back, since another had one
  std::uint64_t tickets_ = 0;
  std::optional<SteadyTime> answered_at_;
  std::optional<SteadyTime> unanswered_since_;  // the first question that was sent after that
  // From having stood still.
  struct Recovery {
    SteadyTime since;
    std::size_t allowed;             // in a tenth of a second
    std::optional<SteadyTime> calm;  // since then nothing of the backlog is left
  };
  std::optional<Recovery> recovery_;
  // What was allowed before it stood still, as long as it does: when its questions time out they
  // are asked again, and that is not usual.
  std::optional<std::size_t> allowed_before_;
  SendingPace pace_;
};

}  // namespace rollwatch
