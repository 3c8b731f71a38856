// Asking a server that may be restarted meanwhile: what failed on the way is tried again with
// growing pauses, said once when it begins and once when it is over. Answers that are the caller's
// fault are shown.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "daemon/cli/exit_code.h"
#include "daemon/cli/surroundings.h"

namespace rollwatch {

class ServerLink {
 public:
  // Without a deadline it gives up after this long without an answer.
  static constexpr Millis kPatience = std::chrono::minutes(2);

  // `say` shows one line of progress. Both outlive the link.
  ServerLink(Surroundings& surroundings, std::function<void(const std::string&)> say,
             std::optional<Pace::Steady> deadline);

  // The answer: a success or "304 Not Modified". Otherwise why the program ends, already said:
  // kTimeout past the deadline, kInterrupted, else kFailed.
  Expected<Response, ExitCode> ask(Request request);

  // The same where each try needs a request of its own, such as one that says how far it got.
  Expected<Response, ExitCode> ask(const std::function<Request()>& make);

  // Something came, although the answer has not ended: the server is not lost.
  void is_there();

  // What is left until the deadline; nothing without one.
  std::optional<Millis> left() const;

 private:
  std::optional<ExitCode> over() const;
  std::optional<ExitCode> wait_out(const std::string& why);

  Surroundings& surroundings_;
  std::function<void(const std::string&)> say_;
  std::optional<Pace::Steady> deadline_;
  std::optional<Pace::Steady> lost_since_;
  Millis next_pause_{};
};

}  // namespace rollwatch
