// share = "auto": many rollouts ask one question together, and every slot of theirs ends as it
// would have without.
#include "daemon/engine/sharing.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "test/engine/engine_fixture.h"

namespace rollwatch {
namespace {

constexpr int kFifty = 50;
constexpr const char* kJoined = "sum by (app) (errors)";
constexpr const char* kJoinedEvidence = "sum by (app) (events)";

std::string alone(const std::string& service, const std::string& metric = "errors") {
  return "sum(" + metric + "{app=\"" + service + "\"})";
}

std::string with_share(const std::string& share, const std::string& more = "") {
  return R"(
[datasource.default]
url = "http://127.0.0.1:9090"
[orchestrator.deployer]
url = "http://127.0.0.1:8080/rollouts"
secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
[policy.p]
steps = [ { weight = 5, hold = "5m" } ]
share = ")" +
         share + R"("
interval = "10s"
[[policy.p.condition]]
name = "errors"
query = 'sum(errors{app="{{service}}"}) > 0.05'
evidence = 'sum(events{app="{{service}}"})'
min_evidence = 100
)" + more;
}

// What a service's own questions are answered with; the joined ones with all of it.
struct Services {
  std::map<std::string, double> errors;
  std::map<std::string, double> events;

  static Behaviour one(const std::map<std::string, double>& values, const std::string& service) {
    const auto found = values.find(service);
    if (found == values.end()) return {Behaviour::Kind::kNoData, {}};
    return {Behaviour::Kind::kValue, {found->second}};
  }
  static Behaviour all(const std::map<std::string, double>& values) {
    Behaviour behaviour{Behaviour::Kind::kValue, {}};
    for (const auto& [service, value] : values) {
      behaviour.values.push_back(value);
      behaviour.labels.push_back({{"app", service}});
    }
    return behaviour;
  }
};

std::string service_of(int i) { return "s" + std::to_string(i); }

// Bad, silent, with few events, not a number, and good ones.
Services every_kind(int rollouts) {
  Services services;
  for (int i = 0; i < rollouts; ++i) {
    const std::string name = service_of(i);
    if (i % 7 != 3) services.errors[name] = i % 5 == 1 ? 0.5 : 0.01;
    if (i % 11 == 4) services.errors[name] = std::nan("");
    if (i % 6 != 2) services.events[name] = i % 4 == 2 ? 12 : 500;
  }
  services.errors["somebody-else"] = 0.9;
  services.events["somebody-else"] = 900;
  return services;
}

class SharingTest : public testing::Test {
 protected:
  void begin(const std::string& config, const Services& services, int rollouts) {
    world_ = std::make_unique<World>();
    ids_.clear();
    world_->configure(config);
    for (int i = 0; i < rollouts; ++i) {
      const std::string service = service_of(i);
      world_->metrics_are(alone(service), Services::one(services.errors, service));
      world_->metrics_are(alone(service, "events"), Services::one(services.events, service));
    }
    world_->metrics_are(kJoined, Services::all(services.errors));
    world_->metrics_are(kJoinedEvidence, Services::all(services.events));
    for (int i = 0; i < rollouts; ++i) {
      RolloutSpec spec;
      spec.service = service_of(i);
      spec.stable = "1.0";
      spec.candidate = "1.1";
      spec.policy = {"p"};
      spec.orchestrator = "deployer";
      ids_.push_back(world_->register_rollout(std::move(spec)).rollout->spec.id);
    }
  }

  // What each rollout came to, by service: its state, and how its slots ended.
  std::map<std::string, std::string> ends() {
    std::map<std::string, std::string> all;
    for (const std::string& id : ids_) {
      const RolloutView view = world_->rollout(id);
      std::string text = std::string(name_of(view.state.state)) + ":";
      std::size_t slots = 0;
      for (const StoredEvaluation& e : world_->evaluations(id)) {
        if (++slots > 12) break;  // the grids differ, so one may have a slot more
        const Judgement& j = e.judgement;
        text += " " + std::string(name_of(j.outcome)) + "/" + std::string(name_of(j.cause)) + " " +
                (j.value ? std::to_string(*j.value) : "-") + " " +
                (j.evidence ? std::to_string(*j.evidence) : "-") + j.series + j.detail.text();
      }
      all[view.spec.service] = text;
    }
    return all;
  }

  // How often each query was asked in a second of one time.
  std::map<std::string, int> asked_since(std::size_t first) const {
    std::map<std::string, int> asked;
    for (std::size_t i = first; i < world_->asked().size(); ++i)
      ++asked[world_->asked()[i].question.query.str()];
    return asked;
  }
  std::size_t different_since(std::size_t first) const {
    std::set<std::pair<std::string, SysTime>> all;
    for (std::size_t i = first; i < world_->asked().size(); ++i) {
      const Question& question = world_->asked()[i].question;
      all.emplace(question.query.str(), question.time);
    }
    return all.size();
  }

  std::unique_ptr<World> world_;
  std::vector<std::string> ids_;
};

TEST_F(SharingTest, FiftyAskOneQuestionAndEndAsTheyWouldHaveAlone) {
  begin(with_share("off"), every_kind(kFifty), kFifty);
  world_->advance(Millis{240'000});
  const auto expected = ends();
  EXPECT_FALSE(asked_since(0).contains(kJoined));

  begin(with_share("auto"), every_kind(kFifty), kFifty);
  world_->advance(Millis{240'000});
  EXPECT_EQ(ends(), expected);
  const auto asked = asked_since(0);
  for (int i = 0; i < kFifty; ++i) {
    EXPECT_FALSE(asked.contains(alone(service_of(i)))) << i;
    EXPECT_FALSE(asked.contains(alone(service_of(i), "events"))) << i;
  }
  // One question and one for the evidence, for each slot of four minutes.
  EXPECT_LE(different_since(0), 2U * 24U);
  std::set<std::string> kinds;
  for (const auto& [service, text] : expected)
    for (const char* kind : {"rolled_back", "paused", "no_series", "not_a_number", "few_events",
                             "no_events", "within_limit"})
      if (text.find(kind) != std::string::npos) kinds.insert(kind);
  EXPECT_GE(kinds.size(), 5U) << "or nothing is compared";
}

// Of the labels only the rollout's own are left, so that whatever names a series names the same.
TEST_F(SharingTest, ExplainShowsWhatWasAskedAndOnlyItsOwnSeries) {
  begin(with_share("auto"), every_kind(kFifty), kFifty);
  world_->advance(Millis{240'000});
  const auto record = world_->explain(ids_[1]);
  ASSERT_TRUE(record);
  const auto bundle = nlohmann::json::parse(record->bundle);
  const auto& evaluation = bundle["evaluation"];
  EXPECT_EQ(evaluation["query"], kJoined);
  EXPECT_EQ(evaluation["query_alone"], alone("s1"));
  EXPECT_EQ(evaluation["picked_by"], (nlohmann::json{{"app", "s1"}}));
  const auto response = nlohmann::json::parse(evaluation["response"].get<std::string>());
  ASSERT_EQ(response["data"]["result"].size(), 1U) << response;
  EXPECT_EQ(response["data"]["result"][0]["metric"], (nlohmann::json{{"app", "s1"}}));
  EXPECT_EQ(response["data"]["result"][0]["value"][1], "0.5");
  EXPECT_NE(evaluation["curl"].get<std::string>().find(kJoined), std::string::npos);
  EXPECT_NE(evaluation["graph_url"].get<std::string>().find("s1"), std::string::npos);
  EXPECT_EQ(evaluation["series"], nullptr);
  EXPECT_EQ(evaluation["evidence"]["query"], kJoinedEvidence);
  EXPECT_EQ(evaluation["evidence"]["picked_by"], (nlohmann::json{{"app", "s1"}}));
  EXPECT_EQ(record->bundle.find("somebody-else"), std::string::npos);
}

TEST_F(SharingTest, FewAskEachTheirOwn) {
  const int few = static_cast<int>(kFewestSharing) - 1;
  begin(with_share("auto"), every_kind(few), few);
  world_->advance(Millis{120'000});
  const auto asked = asked_since(0);
  EXPECT_FALSE(asked.contains(kJoined));
  EXPECT_TRUE(asked.contains(alone("s0")));
}

// Whatever a server does with the question of all, the slot is judged by the rollout's own.
TEST_F(SharingTest, WithoutAUsableAnswerEachAsksForItselfForTheSameSlot) {
  begin(with_share("off"), every_kind(kFifty), kFifty);
  world_->advance(Millis{240'000});
  const auto expected = ends();
  using Kind = Behaviour::Kind;
  for (const Kind kind : {Kind::kBadQuery, Kind::kPartial, Kind::kUnusable, Kind::kScalar,
                          Kind::kHttpError, Kind::kNonsense, Kind::kDown}) {
    SCOPED_TRACE(static_cast<int>(kind));
    begin(with_share("auto"), every_kind(kFifty), kFifty);
    world_->metrics_are(kJoined, {kind, {0.9}, {{{"app", "s1"}}}, "native histogram"});
    world_->advance(Millis{240'000});
    EXPECT_EQ(ends(), expected);
    const auto asked = asked_since(0);
    ASSERT_TRUE(asked.contains(kJoined)) << "it was tried";
    // Once by each, in the first slot; what is not its fault is tried again after two minutes.
    EXPECT_LE(asked.at(kJoined), 2 * kFifty);
    EXPECT_FALSE(asked.contains(alone("s0", "events"))) << "the evidence is another question";
  }
}

TEST_F(SharingTest, WhatLiesInTheQuestionIsTriedAgainLater) {
  begin(with_share("auto"), every_kind(kFifty), kFifty);
  world_->metrics_are(kJoined, {Behaviour::Kind::kBadQuery, {}});
  world_->advance(Millis{60'000});
  world_->metrics_are(kJoined, Services::all(every_kind(kFifty).errors));
  std::size_t seen = world_->asked().size();
  world_->advance(Millis{300'000});
  EXPECT_FALSE(asked_since(seen).contains(kJoined)) << "ten minutes are not over";
  EXPECT_TRUE(asked_since(seen).contains(alone("s3")));
  world_->advance(Millis{300'000});
  seen = world_->asked().size();
  world_->advance(Millis{60'000});
  EXPECT_TRUE(asked_since(seen).contains(kJoined));
  EXPECT_FALSE(asked_since(seen).contains(alone("s3")));
}

// One that hangs takes its time; the slot is not lost, and the next ones do not wait for it again.
TEST_F(SharingTest, OneThatIsTooSlowCostsNobodyASlot) {
  begin(with_share("auto"), every_kind(kFifty), kFifty);
  world_->metrics_are(kJoined, {Behaviour::Kind::kSlow, {}});
  world_->advance(Millis{60'000});
  for (const std::string& id : ids_)
    for (const StoredEvaluation& e : world_->evaluations(id))
      EXPECT_NE(e.judgement.cause, Cause::kTimeout) << id;
  EXPECT_EQ(asked_since(0).at(kJoined), kFifty);
}

TEST_F(SharingTest, AServerThatIsAwayIsTheErrorItIs) {
  begin(with_share("auto"), every_kind(kFifty), kFifty);
  world_->whole_source_is(Behaviour::Kind::kDown);
  world_->advance(Millis{30'000});
  for (const std::string& id : ids_) {
    EXPECT_FALSE(world_->evaluations(id).empty());
    for (const StoredEvaluation& e : world_->evaluations(id))
      EXPECT_EQ(e.judgement.cause, Cause::kUnreachable);
  }
}

TEST_F(SharingTest, ARegistrationSaysWhatCannotBeShared) {
  begin(with_share("auto"), every_kind(1), 0);
  world_->metrics_are(kJoined, {Behaviour::Kind::kBadQuery, {}});
  RolloutSpec spec;
  spec.service = "s1";
  spec.stable = "1.0";
  spec.candidate = "1.1";
  spec.policy = {"p"};
  spec.orchestrator = "deployer";
  const RegisterResult result = world_->register_rollout(std::move(spec));
  EXPECT_EQ(result.end, RegisterEnd::kCreated) << "it is asked alone";
  ASSERT_EQ(result.warnings.size(), 1U);
  EXPECT_EQ(result.warnings[0],
            "condition errors is not shared: datasource default refuses sum by (app) (errors): "
            "parse error");
}

TEST_F(SharingTest, ARestartFindsTheSameGrid) {
  begin(with_share("auto"), every_kind(kFifty), kFifty);
  world_->advance(Millis{60'000});
  const std::size_t seen = world_->asked().size();
  world_->restart(Millis{1'000});
  world_->advance(Millis{60'000});
  EXPECT_FALSE(asked_since(seen).contains(alone("s3")));
  EXPECT_TRUE(asked_since(seen).contains(kJoined));
}

Answer failure(FailureKind kind) {
  Answer answer;
  answer.result = QueryFailure{kind, "", 0};
  return answer;
}

TEST(SharedEnd, OnlyAWholeVectorIsDivided) {
  struct Row {
    const char* name;
    Answer answer;
    SharedEnd end;
  };
  const auto with = [](auto result, bool partial = false) {
    Answer answer;
    answer.result = std::move(result);
    answer.partial = partial;
    return answer;
  };
  const Row rows[] = {
      {"series", with(Vector{{{{{"app", "a"}}, 1}}}), SharedEnd::kDivide},
      {"no series", with(Vector{}), SharedEnd::kDivide},
      {"partial", with(Vector{}, true), SharedEnd::kAskAlone},
      {"a scalar", with(Scalar{1}), SharedEnd::kAskAlone},
      {"unusable", with(Unusable{"matrix"}), SharedEnd::kAskAlone},
      {"too large", failure(FailureKind::kTooLarge), SharedEnd::kAskAlone},
      {"refused", failure(FailureKind::kBadQuery), SharedEnd::kAskAlone},
      {"a timeout", failure(FailureKind::kTimeout), SharedEnd::kAskAlone},
      {"unreachable", failure(FailureKind::kUnreachable), SharedEnd::kAskAlone},
      {"not HTTP 200", failure(FailureKind::kHttpStatus), SharedEnd::kAskAlone},
      {"malformed", failure(FailureKind::kMalformed), SharedEnd::kAskAlone},
      {"no connection got free", failure(FailureKind::kOverload), SharedEnd::kPassOn},
      {"no datasource", failure(FailureKind::kNotAsked), SharedEnd::kPassOn},
  };
  for (const Row& row : rows) EXPECT_EQ(end_of_shared(row.answer), row.end) << row.name;
}

std::vector<Sharing::Candidate> joinable(std::size_t many, bool all_equal = false) {
  std::vector<Sharing::Candidate> candidates;
  for (std::size_t i = 0; i < many; ++i)
    candidates.push_back({i, std::make_shared<const JoinedQuestion>(JoinedQuestion{
                                 "all", all_equal ? "one" : "one " + std::to_string(i), {}, {}})});
  return candidates;
}

TEST(Sharing, IsWorthItFromSoManyOn) {
  const SteadyTime now{};
  constexpr std::size_t kTwice = 2 * kFewestSharing;
  std::vector<Question> batch(kTwice);
  Sharing sharing;
  EXPECT_EQ(sharing.choose(batch, joinable(kTwice), now).size(), kTwice);
  EXPECT_TRUE(sharing.choose(batch, joinable(kFewestSharing - 1), now).empty());
  EXPECT_TRUE(sharing.choose(batch, joinable(kTwice, true), now).empty())
      << "equal questions are one already";
  for (std::size_t i = 0; i <= kFewestSharing; ++i) batch[i].time = SysTime{Millis{10}};
  const auto chosen = sharing.choose(batch, joinable(kTwice), now);
  ASSERT_EQ(chosen.size(), kFewestSharing + 1) << "the others ask for another time";
  EXPECT_EQ(chosen.back().index, kFewestSharing);
  for (Question& question : batch) question = Question{};
  for (std::size_t i = 0; i <= kFewestSharing; ++i) batch[i].datasource = "other";
  EXPECT_EQ(sharing.choose(batch, joinable(kTwice), now).size(), kFewestSharing + 1);
  for (Question& question : batch) question = Question{};
  for (std::size_t i = 0; i <= kFewestSharing; ++i) batch[i].timeout = Millis{7};
  EXPECT_EQ(sharing.choose(batch, joinable(kTwice), now).size(), kFewestSharing + 1);
}

TEST(Sharing, WhatFailedIsKeptApartForAWhile) {
  const std::vector<Question> batch(kFewestSharing);
  const auto candidates = joinable(kFewestSharing);
  Question all;
  all.query = "all";
  for (const FailureKind kind : {FailureKind::kTooLarge, FailureKind::kTimeout}) {
    Sharing sharing;
    const SteadyTime now{};
    const SteadyTime again = now + apart_after(failure(kind));
    EXPECT_TRUE(sharing.keep_apart(all, failure(kind), now));
    EXPECT_FALSE(sharing.keep_apart(all, failure(kind), now + Millis{1})) << "told once";
    EXPECT_TRUE(sharing.choose(batch, candidates, again - Millis{1}).empty());
    EXPECT_EQ(sharing.choose(batch, candidates, again).size(), kFewestSharing);
    EXPECT_TRUE(sharing.keep_apart(all, failure(kind), again)) << "and again after that";
    Question other = all;
    other.query = "another";
    EXPECT_TRUE(sharing.keep_apart(other, failure(kind), again));
  }
  EXPECT_GT(apart_after(failure(FailureKind::kTooLarge)),
            apart_after(failure(FailureKind::kTimeout)))
      << "the server may be well again";
}

}  // namespace
}  // namespace rollwatch
