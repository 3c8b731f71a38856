// A body that is made piece by piece, whose reader is watched: who takes nothing for a minute is
// cut, and what the body holds (a seat) is free again.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "daemon/http/body_source.h"
#include "daemon/net/clock.h"

namespace rollwatch {

class WatchedBody : public BodySource, public std::enable_shared_from_this<WatchedBody> {
 public:
  awaitable<BodyPiece> next() final;
  void stop() override { stopped_ = true; }

 protected:
  // `name` for the log: "an export for ana". The clock must outlive it.
  WatchedBody(Clock& clock, std::string name) : clock_(clock), name_(std::move(name)) {}

  // The next piece; "" is the end. Throws nothing.
  virtual awaitable<std::string> make() = 0;

  bool is_stopped() const { return stopped_; }
  const std::string& name() const { return name_; }
  Clock& clock() { return clock_; }

 private:
  // Until the reader has taken what it was given. Keeps nothing alive meanwhile.
  static awaitable<void> watch_reader(std::weak_ptr<WatchedBody> weak, Clock& clock);
  Millis patience_left();

  Clock& clock_;
  const std::string name_;
  bool stopped_ = false;
  std::optional<SteadyTime> given_at_;  // when the reader was given what it has not taken yet
  bool watched_ = false;
};

}  // namespace rollwatch
