#include "daemon/prometheus/prometheus_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <mutex>

#include "daemon/net/system_clock.h"
#include "test/prometheus/describe.h"
#include "test/support/fake_server.h"
#include "test/support/process.h"
#include "test/support/run.h"

namespace rollwatch {
namespace {

using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const HttpClientLibrary library;

const std::string kOne =
    http_answer(200, "application/json",
                R"({"status":"success","data":{"resultType":"scalar","result":[1,"1"]}})");

void always_one(FakeConnection& c) {
  while (!c.read_request().empty()) c.send(kOne);
}

void hang(FakeConnection& c) { c.hang(); }

// The decoded name behind "query=", for queries that are one word.
std::string query_of(const std::string& request) {
  const auto begin = request.find("query=", request.find("query?")) + 6;
  return request.substr(begin, request.find('&', begin) - begin);
}

class PrometheusSourceTest : public ::testing::Test {
 protected:
  using Datasources = std::map<std::string, Datasource>;

  static Datasource at(const std::string& url, int max_concurrency = 8) {
    Datasource source;
    source.url = url;
    source.max_concurrency = max_concurrency;
    source.timeout = Millis{30'000};
    return source;
  }

  PrometheusSource& source(Datasources datasources, SourceLimits limits = {}) {
    SourceHooks hooks;
    hooks.query_finished = [this](const std::string& name, std::string_view result, Millis) {
      results_.push_back(name + " " + std::string(result));
    };
    hooks.up_changed = [this](const std::string& name, bool up) {
      results_.push_back(name + (up ? " up" : " down"));
    };
    source_ = std::make_unique<PrometheusSource>(io_.get_executor(), clock_, std::move(datasources),
                                                 std::move(hooks), limits);
    return *source_;
  }

  // Asks without waiting; answers_ gets a place for each question, filled once it is answered.
  void ask(const std::string& datasource, const std::vector<std::string>& queries,
           Millis timeout = Millis{0}, Millis interval = Millis{0}) {
    const std::size_t first = answers_.size();
    std::vector<Question> questions;
    for (const std::string& query : queries) {
      Question question;
      question.datasource = datasource;
      question.query = query;
      question.timeout = timeout;
      question.interval = interval;
      questions.push_back(question);
      answers_.emplace_back();
    }
    source_->ask(std::move(questions), [this, first](std::size_t index, Answer answer) {
      ASSERT_FALSE(answers_[first + index].has_value()) << "answered twice";
      answers_[first + index] = std::move(answer);
    });
  }

  static std::vector<std::string> different(int count) {
    std::vector<std::string> queries;
    for (int i = 0; i < count; ++i) queries.push_back("q" + std::to_string(i));
    return queries;
  }

  std::ptrdiff_t answered() const {
    return std::count_if(answers_.begin(), answers_.end(),
                         [](const auto& answer) { return answer.has_value(); });
  }

  std::vector<std::string> all_answers() {
    run_until(io_, [&] { return answered() == std::ssize(answers_); });
    std::vector<std::string> texts;
    for (const auto& answer : answers_) texts.push_back(describe(*answer));
    return texts;
  }

  net::io_context io_;
  SystemClock clock_;
  std::vector<std::string> results_;
  std::vector<std::optional<Answer>> answers_;
  std::unique_ptr<PrometheusSource> source_;
};

TEST_F(PrometheusSourceTest, EachQuestionGetsItsOwnAnswer) {
  FakeServer server([](FakeConnection& c) {
    for (std::string request = c.read_request(); !request.empty(); request = c.read_request()) {
      c.send(http_answer(200, "application/json",
                         R"({"status":"success","data":{"resultType":"scalar","result":[1,")" +
                             query_of(request) + "\"]}}"));
    }
  });
  source({{"a", at(server.url())}});
  ask("a", {"10", "20", "30"});
  EXPECT_EQ(answered(), 0) << "never from within ask()";
  EXPECT_THAT(all_answers(), ElementsAre("scalar: 10", "scalar: 20", "scalar: 30"));
}

TEST_F(PrometheusSourceTest, WhatGoesWrongIsAnAnswer) {
  struct Row {
    const char* name;
    FakeServer::Script script;
    std::string expected;
    std::string result;
    std::optional<bool> up;
    Millis timeout{20'000};
  };
  const auto says = [](const std::string& bytes) {
    return [bytes](FakeConnection& c) { c.read_request(), c.send(bytes); };
  };
  const std::string bad = R"({"status":"error","errorType":"bad_data","error":"no query"})";
  const std::string uncomputable = R"({"status":"error","errorType":"execution","error":"no"})";
  const Row rows[] = {
      {"a value", always_one, "scalar: 1", "success", true},
      {"refused", says(http_answer(400, "application/json", bad)), "bad_query 400: no query",
       "bad_query", true},
      {"cannot compute", says(http_answer(422, "application/json", uncomputable)),
       "http_status 422", "http_status", true},
      {"unwell", says(http_answer(500, "", "")), "http_status 500", "http_status", false},
      {"a redirect", says(http_answer(301, "", "", "Location: /x\r\n")),
       "http_status 301: answered 301: redirects are not", "http_status", false},
      {"credentials", says(http_answer(401, "", "")), "check the credentials of datasource a",
       "http_status", false},
      {"nonsense", says(http_answer(200, "text/html", "<html>")), "malformed 200", "malformed",
       false},
      {"hangs up", [](FakeConnection& c) { c.read_request(); }, "unreachable 0", "unreachable",
       false},
      {"hangs up mid-answer", says("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"status"),
       "unreachable 200", "unreachable", false},
      {"hangs", hang, "timeout 0: no answer from 127.0.0.1", "timeout", false, Millis{100}},
      {"huge", says(http_answer(200, "application/json", std::string(2000, ' '))), "too_large 200",
       "too_large", true},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    FakeServer server(row.script);
    answers_.clear();
    results_.clear();
    source({{"a", at(server.url())}}, SourceLimits{1000});
    EXPECT_EQ(source_->up("a"), std::nullopt);
    ask("a", {"x"}, row.timeout);
    EXPECT_THAT(all_answers(), ElementsAre(HasSubstr(row.expected)));
    EXPECT_THAT(results_,
                ElementsAre(std::string("a ") + (*row.up ? "up" : "down"), "a " + row.result));
    EXPECT_EQ(source_->up("a"), row.up);
  }
}

// Of two equal questions that may bring different amounts neither decides for the other.
TEST_F(PrometheusSourceTest, AQuestionMayBringLessThanTheSourceTakes) {
  FakeServer server([](FakeConnection& c) {
    while (!c.read_request().empty()) {
      c.send(http_answer(200, "application/json",
                         R"({"status":"success","data":{"resultType":"scalar","result":[1,"1"]}})" +
                             std::string(2000, ' ')));
    }
  });
  source({{"a", at(server.url())}});
  std::vector<Question> questions(3);
  for (Question& question : questions) {
    question.datasource = "a";
    question.query = "x";
  }
  questions[0].largest_answer = 1000;
  questions[2].largest_answer = 5000;
  std::vector<std::string> answers(questions.size());
  source_->ask(questions, [&](std::size_t i, Answer answer) { answers[i] = describe(answer); });
  run_until(io_, [&] {
    return std::none_of(answers.begin(), answers.end(),
                        [](const auto& one) { return one.empty(); });
  });
  EXPECT_THAT(answers, ElementsAre(StartsWith("too_large 200"), "scalar: 1", "scalar: 1"));
}

TEST_F(PrometheusSourceTest, ADatasourceNobodyConfiguredIsNotAsked) {
  source({});
  ask("ghost", {"x"});
  EXPECT_EQ(answered(), 0) << "never from within ask()";
  EXPECT_THAT(all_answers(), ElementsAre("not_asked 0: datasource ghost is not configured"));
  EXPECT_EQ(source_->up("ghost"), std::nullopt);
  EXPECT_EQ(source_->ingestion_delay("ghost"), Millis{0});
}

TEST_F(PrometheusSourceTest, ADownServerSaysWhereItIsNot) {
  const std::string port = std::to_string(free_port());
  source({{"a", at("http://127.0.0.1:" + port + "/hunter2")}});
  ask("a", {"x"});
  EXPECT_THAT(all_answers(), ElementsAre("unreachable 0: could not connect to 127.0.0.1:" + port +
                                         ": Connection refused"));
}

TEST_F(PrometheusSourceTest, NoMoreConnectionsThanAllowed) {
  std::atomic<int> now = 0, most = 0, served = 0;
  FakeServer server([&](FakeConnection& c) {
    while (!c.read_request().empty()) {
      const int busy = ++now;
      for (int seen = most; seen < busy && !most.compare_exchange_weak(seen, busy);) {
      }
      // Held until as many as may are in, or the last ones are: more would show.
      wait_until([&] { return now == 3 || served >= 18; });
      ++served;
      --now;
      c.send(kOne);
    }
  });
  source({{"a", at(server.url(), 3)}});
  ask("a", different(20));
  EXPECT_THAT(all_answers(), Each("scalar: 1"));
  EXPECT_EQ(most, 3);
  EXPECT_LE(server.accepted(), 3) << "connections are used again";
}

// It answers, but not all that is asked: who waited until the next slot was left out.
TEST_F(PrometheusSourceTest, MoreThanAServerCanAnswerIsOverload) {
  FakeServer server([](FakeConnection& c) {
    while (!c.read_request().empty()) {
      c.closed_within(Millis{20});
      c.send(kOne);
    }
  });
  source({{"a", at(server.url(), 1)}});
  ask("a", different(40), Millis{0}, Millis{100});
  const auto texts = all_answers();
  EXPECT_THAT(texts, Each(AnyOf("scalar: 1", StartsWith("overload 0: waited "))));
  EXPECT_THAT(texts, Contains("scalar: 1"));
  EXPECT_THAT(texts, Contains(HasSubstr(
                         " for a free connection: all 1 of datasource a (max_concurrency) are "
                         "busy")));
}

// Rollouts that share a question share its answer; what is asked for another time, or has less
// time, is another question.
TEST_F(PrometheusSourceTest, EqualQuestionsAreAskedOnce) {
  std::atomic<int> requests = 0;
  FakeServer server([&](FakeConnection& c) {
    while (!c.read_request().empty()) {
      ++requests;
      c.send(kOne);
    }
  });
  source({{"a", at(server.url())}, {"b", at(server.url())}});
  std::vector<Question> questions(8);
  for (Question& question : questions) {
    question.datasource = "a";
    question.query = "x";
    question.time = SysTime{Millis{1'000}};
  }
  questions[5].datasource = "b";
  questions[6].time = SysTime{Millis{2'000}};
  questions[7].timeout = Millis{500};
  std::vector<std::optional<Answer>> answers(questions.size());
  source_->ask(questions, [&](std::size_t i, Answer answer) {
    EXPECT_FALSE(answers[i].has_value()) << "answered twice";
    answers[i] = std::move(answer);
  });
  run_until(io_, [&] {
    return std::all_of(answers.begin(), answers.end(), [](const auto& one) { return one; });
  });
  EXPECT_EQ(requests, 4);
  EXPECT_EQ(results_.size(), 4U + 2U) << "four queries, two datasources that are up";
  for (std::size_t i = 0; i < answers.size(); ++i) {
    EXPECT_EQ(describe(*answers[i]), "scalar: 1");
    EXPECT_EQ(answers[i]->shared_with, i < 5 ? 4U : 0U) << i;
  }
}

TEST_F(PrometheusSourceTest, FirstComeFirstServed) {
  std::mutex mutex;
  std::vector<std::string> asked;
  FakeServer server([&](FakeConnection& c) {
    for (std::string request = c.read_request(); !request.empty(); request = c.read_request()) {
      {
        const std::lock_guard lock(mutex);
        asked.push_back(query_of(request));
      }
      c.send(kOne);
    }
  });
  source({{"a", at(server.url(), 1)}});
  ask("a", {"q1", "q2"});
  ask("a", {"q3"});
  all_answers();
  EXPECT_THAT(asked, ElementsAre("q1", "q2", "q3"));
}

TEST_F(PrometheusSourceTest, WaitingCountsAgainstTheTimeout) {
  FakeServer server(hang);
  source({{"a", at(server.url(), 1)}});
  ask("a", {"in flight"});
  ask("a", {"patient"});
  ask("a", {"hasty"}, Millis{100});
  run_until(io_, [&] { return answers_[2].has_value(); });
  EXPECT_THAT(describe(*answers_[2]), StartsWith("timeout 0: no answer within "));
  EXPECT_THAT(describe(*answers_[2]),
              HasSubstr(": all 1 of datasource a (max_concurrency) are busy without one"));
  EXPECT_GE(answers_[2]->duration, Millis{100});
  EXPECT_EQ(answered(), 1);
  EXPECT_EQ(server.accepted(), 1);
  EXPECT_EQ(source_->up("a"), std::nullopt) << "waiting says nothing about the server";
}

TEST_F(PrometheusSourceTest, AServerThatHangsEndsEachQuestionAtItsTimeout) {
  FakeServer server(hang);
  source({{"a", at(server.url(), 2)}});
  ask("a", different(40), Millis{150});
  ask("a", different(10), Millis{100});
  EXPECT_THAT(all_answers(), Each(StartsWith("timeout 0: ")));
}

TEST_F(PrometheusSourceTest, OneThatHangsHoldsUpNoOther) {
  FakeServer bad(hang), good(always_one);
  source({{"bad", at(bad.url(), 1)}, {"good", at(good.url(), 1)}});
  ask("bad", different(20));
  ask("good", different(20));
  run_until(io_, [&] { return answered() == 20; });
  for (std::size_t i = 0; i < 40; ++i) EXPECT_EQ(answers_[i].has_value(), i >= 20) << i;
}

TEST_F(PrometheusSourceTest, NewSettingsHoldForWhatWaits) {
  FakeServer before(hang), after(always_one);
  source({{"a", at(before.url(), 1)}});
  ask("a", {"sent", "waits", "waits too"});
  run_until(io_, [&] { return before.accepted() == 1; });
  source_->reconfigure({{"a", at(after.url(), 3)}});
  run_until(io_, [&] { return answered() == 2; });
  EXPECT_FALSE(answers_[0].has_value()) << "goes on as it was";
  EXPECT_EQ(describe(*answers_[1]), "scalar: 1");
  EXPECT_EQ(describe(*answers_[2]), "scalar: 1");
}

TEST_F(PrometheusSourceTest, WhatWaitsForADatasourceThatIsTakenAwayIsNotAsked) {
  FakeServer server(hang);
  source({{"a", at(server.url(), 1)}});
  ask("a", {"sent"}, Millis{200});
  ask("a", {"waits"});
  run_until(io_, [&] { return server.accepted() == 1; });
  source_->reconfigure({});
  EXPECT_THAT(all_answers(),
              ElementsAre(StartsWith("timeout 0"), "not_asked 0: datasource a is not configured"));
  source_->reconfigure({{"a", at(server.url(), 1)}});
  EXPECT_EQ(source_->up("a"), std::nullopt);
}

TEST_F(PrometheusSourceTest, IngestionDelayFollowsTheSettings) {
  Datasource delayed = at("http://127.0.0.1:1");
  delayed.ingestion_delay = Millis{15'000};
  source({{"a", delayed}});
  EXPECT_EQ(source_->ingestion_delay("a"), Millis{15'000});
  source_->reconfigure({{"a", at("http://127.0.0.1:1")}});
  EXPECT_EQ(source_->ingestion_delay("a"), Millis{0});
}

TEST_F(PrometheusSourceTest, TellsWhenADatasourceGoesAndComesBack) {
  std::atomic<bool> well = true;
  FakeServer server([&](FakeConnection& c) {
    while (!c.read_request().empty()) c.send(well ? kOne : http_answer(503, "", ""));
  });
  source({{"a", at(server.url())}});
  for (const bool state : {true, true, false, false, true}) {
    well = state;
    ask("a", {"x"});
    all_answers();
  }
  EXPECT_THAT(results_, ElementsAre("a up", "a success", "a success", "a down", "a http_status",
                                    "a http_status", "a up", "a success"));
}

TEST_F(PrometheusSourceTest, SecretsAreInNoMessageEvenIfTheServerEchoesThem) {
  FakeServer server([](FakeConnection& c) {
    const std::string request = c.read_request();
    const auto begin = request.find("Authorization");
    c.send(
        http_answer(403, "text/plain", request.substr(begin, request.find('\r', begin) - begin)));
  });
  Datasource secret = at(server.url());
  secret.bearer_token = Secret("hunter2-token");
  source({{"a", secret}});
  ask("a", {"x"});
  EXPECT_THAT(
      all_answers(),
      ElementsAre("http_status 403: answered 403 Forbidden: Authorization: Bearer …: check the "
                  "credentials of datasource a"));
}

TEST_F(PrometheusSourceTest, ChecksWhetherAQueryCanBeRead) {
  struct Row {
    const char* name;
    std::string answer;
    QueryCheck::Verdict verdict;
    std::string message;
  };
  const auto error = [](int status, const std::string& type) {
    return http_answer(status, "application/json",
                       R"({"status":"error","errorType":")" + type + R"(","error":"because"})");
  };
  const Row rows[] = {
      {"a query", kOne, QueryCheck::Verdict::kOk, ""},
      {"none, says Prometheus", error(400, "bad_data"), QueryCheck::Verdict::kRefused, "because"},
      {"none, says VictoriaMetrics", error(422, "422"), QueryCheck::Verdict::kRefused, "because"},
      {"it cannot be computed", error(422, "execution"), QueryCheck::Verdict::kUnknown,
       "answered 422 Unprocessable Content: because"},
      {"a proxy's 400", http_answer(400, "text/html", "<html>"), QueryCheck::Verdict::kUnknown,
       "answered 400 Bad Request"},
      {"unwell", error(503, "unavailable"), QueryCheck::Verdict::kUnknown,
       "answered 503 Service Unavailable: because"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    std::string request;
    FakeServer server([&](FakeConnection& c) {
      request = c.read_request();
      c.send(row.answer);
    });
    source({{"a", at(server.url())}});
    const auto check = run<QueryCheck>(
        io_, [&]() -> awaitable<QueryCheck> { co_return co_await source_->check("a", "up"); });
    EXPECT_EQ(check.verdict, row.verdict);
    EXPECT_EQ(check.message, row.message);
    EXPECT_THAT(request, HasSubstr("&time=0&"));
  }
}

TEST_F(PrometheusSourceTest, MayEndWhileQuestionsAreOut) {
  FakeServer server(hang);
  source({{"a", at(server.url(), 1)}});
  ask("a", {"sent", "waits"}, Millis{50});
  run_until(io_, [&] { return server.open() == 1; });
  source_.reset();
  run_until(io_, [&] { return server.open() == 0; });
  EXPECT_EQ(answered(), 0);
}

}  // namespace
}  // namespace rollwatch
