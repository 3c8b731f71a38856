// One wake-up that can be moved: the outbox has a single one for everything it waits for.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "daemon/net/clock.h"
#include "daemon/net/net.h"

namespace rollwatch {

class Alarm {
 public:
  // `ring` is called on the io thread, never from within set(). The clock must outlive the alarm.
  Alarm(net::any_io_executor executor, Clock& clock, std::function<void()> ring);
  ~Alarm();
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

  // Rings once, at or after `at`; in place of what was set before.
  void set(SteadyTime at);
  void clear();

 private:
  struct Wait;

  net::any_io_executor executor_;
  Clock& clock_;
  std::function<void()> ring_;
  std::shared_ptr<Wait> wait_;
};

}  // namespace rollwatch
