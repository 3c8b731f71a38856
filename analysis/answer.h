// What a metrics server said to one question, already out of its JSON: the seam between asking and
// judging. A failure is an answer too, not an exception.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "analysis/time.h"

namespace rollwatch {

struct Label {
  std::string name;
  std::string value;
  friend bool operator==(const Label&, const Label&) = default;
};

// One element of an instant vector. The value may be NaN or infinite: judging says what that means.
struct Series {
  std::vector<Label> labels;
  double value = 0;
};

// The series of one answer. Many rollouts may share an answer, so a copy costs next to nothing, and
// looking for those of one rollout does not look at all of them.
class SeriesList {
 public:
  SeriesList() = default;
  SeriesList(std::vector<Series> series);
  SeriesList(std::initializer_list<Series> series) : SeriesList(std::vector<Series>(series)) {}

  void push_back(Series series);  // only of a list that has not been copied

  std::size_t size() const { return all().size(); }
  bool empty() const { return all().empty(); }
  const Series& front() const { return all().front(); }
  const Series& operator[](std::size_t i) const { return all()[i]; }
  auto begin() const { return all().begin(); }
  auto end() const { return all().end(); }

  // Those that have all of these labels, in their order. A label that a series does not have is an
  // empty one, as in PromQL.
  std::vector<const Series*> with(const std::vector<Label>& labels) const;

 private:
  struct Shared;
  const std::vector<Series>& all() const;

  std::shared_ptr<Shared> shared_;
};

struct Vector {
  SeriesList series;
};

struct Scalar {
  double value = 0;
};

// A well-formed answer of a kind no condition can use: "string", "matrix", "native histogram".
struct Unusable {
  std::string kind;
};

enum class FailureKind : unsigned char {
  kUnreachable,  // no connection, or it broke
  kTimeout,      // no complete answer within the timeout
  kBadQuery,     // the server understood the request and refused the query
  kHttpStatus,   // any other status that is not a result
  kMalformed,    // an answer that is not what the API promises
  kTooLarge,     // more bytes than are accepted
  kNotAsked,     // never sent: no variable to render with, datasource gone
  kOverload,     // never sent: no connection got free within the timeout
};

struct QueryFailure {
  FailureKind kind = FailureKind::kUnreachable;
  std::string message;  // one line, without secrets
  int http_status = 0;  // 0: none was received
};

struct Answer {
  std::variant<Vector, Scalar, Unusable, QueryFailure> result;
  std::vector<std::string> warnings;       // as the server gave them
  bool partial = false;                    // isPartial, or warnings: not the whole truth
  std::shared_ptr<const std::string> raw;  // the body as received; null if there was none
  Millis duration{0};
  std::size_t shared_with = 0;  // how many other questions it answers
};

// One rollout's share of an answer to many: the series with these labels, without those that are
// named in `added`. The answer must be a vector; everything else of it stays as it is.
Answer share_of(const Answer& answer, const std::vector<Label>& picks,
                const std::vector<std::string>& added);

}  // namespace rollwatch
