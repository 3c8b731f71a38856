#include "test/scenarios/scripted_source.h"

#include <algorithm>

namespace rollwatch {
namespace {

Answer failed(FailureKind kind, const std::string& message, int http_status = 0) {
  Answer answer;
  answer.result = QueryFailure{kind, message, http_status};
  return answer;
}

Vector vector_of(const Behaviour& behaviour) {
  Vector vector;
  for (std::size_t i = 0; i < behaviour.values.size(); ++i) {
    std::vector<Label> labels;
    if (!behaviour.labels.empty())
      labels = behaviour.labels[i];
    else if (behaviour.values.size() > 1)
      labels.push_back({"pod", std::to_string(i)});
    vector.series.push_back({std::move(labels), behaviour.values[i]});
  }
  return vector;
}

Answer answer_of(const Behaviour& behaviour) {
  Answer answer;
  switch (behaviour.kind) {
    case Behaviour::Kind::kDown:
      return failed(FailureKind::kUnreachable, "connection refused");
    case Behaviour::Kind::kSlow:
      return failed(FailureKind::kTimeout, "no answer within 10s");
    case Behaviour::Kind::kHttpError:
      return failed(FailureKind::kHttpStatus, "HTTP " + behaviour.text, 503);
    case Behaviour::Kind::kNonsense:
      return failed(FailureKind::kMalformed, "not JSON", 200);
    case Behaviour::Kind::kBadQuery:
      return failed(FailureKind::kBadQuery, "parse error", 400);
    case Behaviour::Kind::kOverload:
      return failed(FailureKind::kOverload, "waited 10s for a free connection");
    case Behaviour::Kind::kScalar:
      answer.result = Scalar{behaviour.values.front()};
      break;
    case Behaviour::Kind::kUnusable:
      answer.result = Unusable{behaviour.text};
      break;
    case Behaviour::Kind::kPartial:
      answer.partial = true;
      answer.warnings = {"a store is missing"};
      [[fallthrough]];
    case Behaviour::Kind::kNoData:
    case Behaviour::Kind::kValue:
      answer.result = vector_of(behaviour);
      break;
  }
  answer.raw = std::make_shared<const std::string>("scripted");
  return answer;
}

}  // namespace

void ScriptedSource::ask(std::vector<Question> questions, Answered answered) {
  for (std::size_t i = 0; i < questions.size(); ++i) {
    const Behaviour behaviour = behaviour_of(questions[i].query, questions[i].time);
    script_.asked.push_back({clock_.wall(), std::move(questions[i])});
    // One that hangs answers when the question's time is up.
    const Millis takes = behaviour.kind == Behaviour::Kind::kSlow ? Millis{10'000} : Millis{0};
    spawn(io_.get_executor(), "scripted answer",
          [&clock = clock_, answered, i, behaviour, takes]() -> awaitable<void> {
            if (takes > Millis{0}) co_await clock.sleep(takes);
            answered(i, answer_of(behaviour));
          });
  }
}

awaitable<QueryCheck> ScriptedSource::check(std::string, std::string query) {
  if (script_.checks_hang) co_await held_.wait();
  QueryCheck check;
  const Behaviour behaviour = behaviour_of(query, clock_.wall());
  if (behaviour.kind == Behaviour::Kind::kBadQuery) {
    check.verdict = QueryCheck::Verdict::kRefused;
    check.message = "parse error";
  } else if (behaviour.kind == Behaviour::Kind::kDown || behaviour.kind == Behaviour::Kind::kSlow) {
    check.message = "connection refused";
  } else {
    check.verdict = QueryCheck::Verdict::kOk;
  }
  co_return check;
}

Millis ScriptedSource::ingestion_delay(const std::string& datasource) const {
  if (script_.ingestion_delay) return *script_.ingestion_delay;
  const auto found = script_.ingestion_delays.find(datasource);
  return found == script_.ingestion_delays.end() ? Millis{0} : found->second;
}

// What the query's metric was at that time, as far as it has arrived.
Behaviour ScriptedSource::behaviour_of(const std::string& query, SysTime time) const {
  if (script_.source) return {*script_.source, {}};
  const auto found = script_.metrics.find(query);
  if (found == script_.metrics.end()) return {};
  const SysTime known = std::min(time, clock_.wall() - script_.source_lags);
  // The latest told wins: the wall clock may have been put back in between.
  const auto at = std::find_if(found->second.rbegin(), found->second.rend(),
                               [known](const auto& from) { return from.first <= known; });
  return at == found->second.rend() ? found->second.front().second : at->second;
}

}  // namespace rollwatch
