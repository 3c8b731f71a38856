// Which questions rollouts ask together (a condition's `share = "auto"`), and which they do not.
//
// A rollout's question has a form that many can share (analysis/promql/join_labels.h). It is asked
// in that form only where enough of those that are due at the same moment have the same one: it
// costs the metrics server more than one rollout's own question does. The answer is divided where
// it arrives, and only a whole and usable one: in the place of any other each rollout asks its own
// question, for the same slot, and goes on doing so for a while. So what a slot is judged by is
// what its own question would have been answered with.
//
// No clock, no I/O.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "analysis/answer.h"
#include "daemon/engine/metrics_source.h"
#include "daemon/net/clock.h"

namespace rollwatch {

// A rollout's question as it is asked together with others.
struct JoinedQuestion {
  SharedText query;                // rendered
  SharedText alone;                // its own question
  std::vector<Label> picks;        // of its series in the answer
  std::vector<std::string> added;  // labels that its own answer would not have
};
using JoinedPtr = std::shared_ptr<const JoinedQuestion>;

// Fewer different questions than this are asked one by one.
inline constexpr std::size_t kFewestSharing = 5;
// A larger answer is given up; it is some 30,000 series.
inline constexpr std::size_t kLargestShared = 4 << 20;

// What is to be done about an answer to a question that was asked together.
enum class SharedEnd : unsigned char {
  kDivide,
  kPassOn,    // it was never asked, and neither would the rollout's own have been
  kAskAlone,  // it says something of the question, or nothing is known
};
SharedEnd end_of_shared(const Answer& answer);

class Sharing {
 public:
  // A question that may be asked together with others; `index` is its place in the batch.
  struct Candidate {
    std::size_t index = 0;
    JoinedPtr joined;
  };
  // Those that are asked together now. `batch` is what is due.
  std::vector<Candidate> choose(const std::vector<Question>& batch,
                                const std::vector<Candidate>& candidates, SteadyTime now);

  // A question asked together got no answer that could be divided: it is not asked for a while.
  // Whether this is the first that is heard of it.
  bool keep_apart(const Question& shared, const Answer& answer, SteadyTime now);

 private:
  using Key = std::pair<std::string, std::string>;  // datasource, query
  std::map<Key, SteadyTime> apart_until_;
};

// How long a question that got this answer is not asked together any more.
Millis apart_after(const Answer& answer);

}  // namespace rollwatch
