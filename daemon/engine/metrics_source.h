// Port: where answers come from. One implementation speaks the Prometheus HTTP API
// (daemon/prometheus); tests have one that plays a script.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "analysis/answer.h"
#include "analysis/expected.h"
#include "analysis/time.h"
#include "daemon/engine/shared_text.h"
#include "daemon/net/net.h"

namespace rollwatch {

// What an answer is for. `kArm` is one side of a comparison with the stable version.
enum class Role : unsigned char { kValue, kEvidence, kReadiness, kArm };

struct Question {
  std::string datasource;
  SharedText query;   // rendered
  SysTime time{};     // evaluated for; sent as `time=`
  Millis timeout{0};  // 0: the datasource's
  Role role = Role::kValue;
  // For who goes first, and who is left out, where there are more questions than connections.
  bool goes_first = false;  // its condition can roll back, or somebody waits for the answer
  SysTime last_answered{};  // when its condition was answered last
  Millis interval{0};       // then its condition is due again; 0: never
  // More bytes than this are not accepted; 0: the source's own limit.
  std::size_t largest_answer = 0;
  // Not 0: about every such step from `range_from` to `time`.
  Millis range_step{0};
  SysTime range_from{};
};

// Whether a datasource can read a query at all, asked when a rollout is registered.
struct QueryCheck {
  enum class Verdict : unsigned char {
    kOk,
    kRefused,  // the datasource says it is not a query
    kUnknown,  // it could not be asked, or answered something else: no reason to refuse a rollout
  };
  Verdict verdict = Verdict::kUnknown;
  std::string message;  // of kRefused and kUnknown: one line, without secrets
};

// A query's answers for several times in the past, one `step` after the other.
struct PastQuestion {
  std::string datasource;
  std::string query;  // rendered
  SysTime first{};
  SysTime last{};
  Millis step{0};
};
struct PastSlot {
  SysTime at{};
  Answer answer;  // a vector: the series that had a value at that time
};
using Past =
    Expected<std::vector<PastSlot>, std::string>;  // the error is one line, without secrets

class MetricsSource {
 public:
  virtual ~MetricsSource() = default;

  // Asks everything that is due now, as one batch, so that equal questions can be asked once and
  // sending can be shared. `answered(index, answer)` is called exactly once per question, later and
  // in any order, on the io thread, never from within ask(). A failure is an answer. Every question
  // is answered within its timeout, waiting for a free connection included.
  using Answered = std::function<void(std::size_t index, Answer answer)>;
  virtual void ask(std::vector<Question> questions, Answered answered) = 0;

  // Asks the query for the time 0. Nothing is recorded of it.
  virtual awaitable<QueryCheck> check(std::string datasource, std::string query) = 0;

  // Every slot from the first to the last is in the answer, also one without series. Nothing is
  // recorded of it, and what is due goes first.
  virtual awaitable<Past> ask_past(PastQuestion question);

  // The headers its questions carry beside the usual ones, such as a tenant's; for whoever asks
  // again.
  virtual std::vector<std::string> header_names(const std::string& /*datasource*/) const {
    return {};
  }

  // Evaluate-for delay of a datasource; 0 if it is not configured.
  virtual Millis ingestion_delay(const std::string& datasource) const = 0;
};

}  // namespace rollwatch
