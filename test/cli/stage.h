// What a verb runs on in a test: streams, a clock that only moves when somebody sleeps, and
// scripted answers of a server.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <sstream>
#include <string>
#include <vector>

#include "daemon/cli/arguments.h"
#include "daemon/cli/surroundings.h"

namespace rollwatch::test {

using Answer = Expected<Response, TransportError>;

class FakePace : public Pace {
 public:
  Steady steady() const override { return now_; }
  SysTime wall() const override { return wall_; }
  bool sleep(Millis span) override {
    now_ += span;
    return tick();
  }
  bool interrupted() const override { return interrupted_; }
  void catch_interrupts() override {}
  void interrupt() { interrupted_ = true; }
  void set_wall(SysTime now) { wall_ = now; }

 private:
  Steady now_{};
  SysTime wall_{};
  bool interrupted_ = false;
};

inline Answer refused() { return Unexpected(TransportError{.detail = "refused", .sent = false}); }

inline Answer broken_off() { return Unexpected(TransportError{.detail = "reset"}); }

struct Stage : testing::Test {
  std::ostringstream out;
  std::ostringstream err;
  std::istringstream in;
  FakePace pace;
  std::deque<Answer> answers;  // of a stream: the body is handed over in two pieces
  std::vector<std::string> asked;
  std::vector<Request> requests;
  Surroundings surroundings{out, err, in, {}, "anna@host", {}, pace};

  Stage() {
    surroundings.transport = [this](const Request& request) -> Answer {
      asked.push_back(request.target);
      requests.push_back(request);
      if (answers.empty()) return refused();
      Answer answer = std::move(answers.front());
      answers.pop_front();
      if (request.take && answer && answer->status == 200) hand_over(request, answer->body);
      return answer;
    };
  }

  // Runs a command line that is understood.
  int run(const std::vector<std::string>& words) {
    const auto call = parse_arguments(words);
    if (!call) {
      ADD_FAILURE() << call.error().message;
      return -1;
    }
    return call->verb->run(*call, surroundings);
  }

 private:
  static void hand_over(const Request& request, const std::string& body) {
    const std::size_t half = body.size() / 2;
    if (request.take(body.substr(0, half))) request.take(body.substr(half));
  }
};

}  // namespace rollwatch::test
