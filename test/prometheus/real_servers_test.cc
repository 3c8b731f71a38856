// What Debian's Prometheus and VictoriaMetrics really say, side by side: where they differ, the
// difference is written down here and nowhere else.
#include "test/support/real_servers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/promql/query_template.h"
#include "daemon/net/system_clock.h"
#include "daemon/prometheus/prometheus_source.h"
#include "test/prometheus/describe.h"
#include "test/support/fake_server.h"
#include "test/support/run.h"

namespace rollwatch {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

const HttpClientLibrary curl_library;

// Both servers hold the same: requests{app="a"} 10, requests{app="b"} 20 and a label of odd
// characters, each 15 s for five minutes up to kEnd.
constexpr std::int64_t kEnd = 1'767'323'040;

// Label values that are something else to whoever does not quote them. Each is a series of its own,
// tried{value="…"}, beside one called "x" and one called "anything else".
const std::vector<std::string> kHostile = {
    "x\"} or tried{value!=\"",
    "x'} or tried{value!='",
    "x`} or tried{value!=`",
    "x\\",
    "x\\\\",
    "x\\\" or vector(1) #",
    "x\\' or vector(1) #",
    "x\ny",
    "x\ty",
    "{{service}} }{",
    ".*",
    "x|anything else",
    "(x|y)[a-z]+$^?\\d",
    "\\Qx\\E",
    "(?i)X",
    "x # y",
    "$1 ${1}",
    " x ",
    "größe 🚢",
};

std::string exposed(const std::string& value) {
  std::string text;
  for (const char c : value) {
    if (c == '"' || c == '\\') text += '\\';
    text += c == '\n' ? "\\n" : std::string(1, c);
  }
  return text;
}

std::string requests_at(std::int64_t unit) {
  std::string text;
  for (const auto& [labels, value] : {std::pair{R"(app="a")", "10"}, std::pair{R"(app="b")", "20"},
                                      std::pair{R"(odd="q\" b\\ n\n {} é ☃")", "30"}}) {
    for (std::int64_t at = kEnd - 300; at <= kEnd; at += 15) {
      text +=
          std::string("requests{") + labels + "} " + value + " " + std::to_string(at * unit) + "\n";
    }
  }
  std::vector<std::string> values = kHostile;
  values.insert(values.end(), {"x", "anything else"});
  for (const std::string& value : values)
    text += "tried{value=\"" + exposed(value) + "\"} 1 " + std::to_string(kEnd * unit) + "\n";
  return text;
}

class RealServersTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    prometheus_ = std::make_unique<RealPrometheus>(
        "global: {}\n", "# TYPE requests gauge\n" + requests_at(1) + "# EOF\n");
    victoria_ = std::make_unique<RealVictoriaMetrics>();
    victoria_->import(requests_at(1000));
  }
  static void TearDownTestSuite() {
    prometheus_.reset();
    victoria_.reset();
  }

  static std::map<std::string, Datasource> datasources() {
    std::map<std::string, Datasource> all;
    all["prometheus"].url = prometheus_->url();
    all["victoria"].url = victoria_->url();
    for (auto& [name, source] : all) source.timeout = Millis{60'000};
    return all;
  }

  Answer ask(const std::string& datasource, const std::string& query,
             SysTime time = SysTime{std::chrono::seconds(kEnd)}) {
    std::vector<Question> questions(1);
    questions[0].datasource = datasource;
    questions[0].query = query;
    questions[0].time = time;
    std::optional<Answer> answer;
    source_.ask(std::move(questions),
                [&](std::size_t, Answer given) { answer = std::move(given); });
    run_until(io_, [&] { return answer.has_value(); });
    return std::move(*answer);
  }

  QueryCheck check(const std::string& datasource, const std::string& query) {
    return run<QueryCheck>(io_, [&]() -> awaitable<QueryCheck> {
      co_return co_await source_.check(datasource, query);
    });
  }

  Past ask_past(const PastQuestion& question) {
    return *run<std::optional<Past>>(io_, [&]() -> awaitable<std::optional<Past>> {
      co_return co_await source_.ask_past(question);
    });
  }

  static std::unique_ptr<RealPrometheus> prometheus_;
  static std::unique_ptr<RealVictoriaMetrics> victoria_;
  net::io_context io_;
  SystemClock clock_;
  PrometheusSource source_{io_.get_executor(), clock_, datasources()};
};

std::unique_ptr<RealPrometheus> RealServersTest::prometheus_;
std::unique_ptr<RealVictoriaMetrics> RealServersTest::victoria_;

// The series that had a value at each time, and none where there was none yet.
TEST_F(RealServersTest, ThePast) {
  for (const std::string datasource : {"prometheus", "victoria"}) {
    SCOPED_TRACE(datasource);
    PastQuestion question;
    question.datasource = datasource;
    question.query = "requests{app!=\"\"}";
    question.first = SysTime{std::chrono::seconds(kEnd - 3600)};
    question.last = SysTime{std::chrono::seconds(kEnd)};
    question.step = std::chrono::seconds(30);
    const Past past = ask_past(question);
    ASSERT_TRUE(past) << past.error();
    ASSERT_EQ(past->size(), 121u);
    EXPECT_EQ(past->front().at, question.first);
    EXPECT_EQ(past->back().at, question.last);
    EXPECT_EQ(describe(past->front().answer), "vector:");
    EXPECT_EQ(describe((*past)[115].answer),
              R"(vector: {__name__="requests",app="a"} 10, {__name__="requests",app="b"} 20)");
    question.query = "sum(";
    const Past refused = ask_past(question);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error(), testing::HasSubstr("error"));
  }
}

TEST_F(RealServersTest, WhatEachSays) {
  struct Row {
    const char* name;
    std::string query;
    std::string prometheus;  // how the answer begins
    std::string victoria;
  };
  const std::string same;  // as Prometheus
  const Row rows[] = {
      {"a value", R"(sum(requests{app="a"}))", "vector: {} 10", same},
      {"a value with its labels", R"(requests{app="a"})",
       R"(vector: {__name__="requests",app="a"} 10)", same},
      {"several series", "sum by (app) (requests{app!=\"\"})",
       R"(vector: {app="a"} 10, {app="b"} 20)", same},
      {"a comparison that holds for one", "sum by (app) (requests{app!=\"\"}) > 15",
       R"(vector: {app="b"} 20)", same},
      {"a comparison that holds for none", "sum by (app) (requests{app!=\"\"}) > 100",
       "vector:", same},
      {"a rate of what stands still", R"(sum(rate(requests{app="a"}[1m])))", "vector: {} 0", same},
      {"empty", "no_such_metric", "vector:", same},
      {"a fallback", "no_such_metric or vector(0)", "vector: {} 0", same},
      {"NaN, which VictoriaMetrics leaves out", "vector(0) / vector(0)", "vector: {} NaN",
       "vector:"},
      {"infinite", "vector(1) / vector(0)", "vector: {} inf", same},
      {"minus infinite", "vector(-1) / vector(0)", "vector: {} -inf", same},
      {"a scalar, which is a vector to VictoriaMetrics", "2.5", "scalar: 2.5", "vector: {} 2.5"},
      {"a scalar that is infinite", "1 / 0", "scalar: inf", "vector: {} inf"},
      {"a scalar that is NaN", "0 / 0", "scalar: NaN", "vector:"},
      {"a string", R"("text")", "unusable: string", "vector:"},
      {"a range", "requests[1m]", "unusable: matrix", same},
      {"the time asked for", "time()", "scalar: 1767323040", "vector: {} 1767323040"},
      {"odd characters in a label", R"(requests{odd!=""})",
       "vector: {__name__=\"requests\",odd=\"q\" b\\ n\n {} é ☃\"} 30", same},
      {"asked for by them", R"(sum(requests{odd="q\" b\\ n\n {} é ☃"}))", "vector: {} 30", same},
      {"a parse error", "sum(",
       "bad_query 400: invalid parameter \"query\": 1:5: parse error: unclosed left parenthesis",
       "bad_query 422: error when executing query=\"sum(\""},
      {"an empty query", "", "bad_query 400: ", "bad_query 422: missing `query` arg"},
      {"an unknown function", "no_such_function(up)", "bad_query 400: ", "bad_query 422: "},
      {"what cannot be computed", R"(requests * on() requests)",
       "http_status 422: answered 422 Unprocessable Content: found duplicate series",
       "bad_query 422: "},
      {"a long query, by POST", "sum(requests{app=\"a\"" + std::string(5000, ' ') + "})",
       "vector: {} 10", same},
      {"a long parse error, by POST", "sum(" + std::string(5000, ' '),
       "bad_query 400: ", "bad_query 422: "},
      {"signs that mean something in an address", "vector(1) + 1 % 3 > bool 0 # & = é",
       "vector: {} 1", same},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const auto expect = [&](const std::string& datasource, const std::string& expected) {
      SCOPED_TRACE(datasource);
      const std::string answer = describe(ask(datasource, row.query));
      if (expected.starts_with("vector") || expected.starts_with("scalar")) {
        EXPECT_EQ(answer, expected);
      } else {
        EXPECT_THAT(answer, StartsWith(expected));
      }
    };
    expect("prometheus", row.prometheus);
    expect("victoria", row.victoria.empty() ? row.prometheus : row.victoria);
  }
}

// Without nocache=1 VictoriaMetrics evaluates near the present up to 30 s earlier than asked.
TEST_F(RealServersTest, EvaluatesForExactlyTheTimeAsked) {
  const SysTime now = clock_.wall();
  for (const Millis ago :
       {Millis{0}, Millis{1}, Millis{1234}, Millis{15'000}, Millis{30'001}, Millis{3'600'000}}) {
    const SysTime time = now - ago;
    std::string seconds = unix_seconds(time);
    for (const std::string datasource : {"prometheus", "victoria"}) {
      SCOPED_TRACE(datasource + " at " + seconds);
      const Answer answer = ask(datasource, "time()", time);
      const auto* scalar = std::get_if<Scalar>(&answer.result);
      const auto* vector = std::get_if<Vector>(&answer.result);
      ASSERT_TRUE(scalar || (vector && vector->series.size() == 1)) << describe(answer);
      EXPECT_EQ(scalar ? scalar->value : vector->series[0].value, std::stod(seconds));
    }
  }
}

TEST_F(RealServersTest, ChecksWhetherAQueryCanBeRead) {
  struct Row {
    const char* query;
    QueryCheck::Verdict prometheus, victoria;
  };
  using enum QueryCheck::Verdict;
  const Row rows[] = {
      {"sum(rate(requests{app=\"a\"}[1m])) > 0.05", kOk, kOk},
      {"no_such_metric", kOk, kOk},
      {"sum(", kRefused, kRefused},
      {"requests{app=~\"(\"}", kRefused, kRefused},
      {"no_such_function(up)", kRefused, kRefused},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.query);
    for (const auto& [datasource, verdict] :
         {std::pair{"prometheus", row.prometheus}, std::pair{"victoria", row.victoria}}) {
      const QueryCheck result = check(datasource, row.query);
      EXPECT_EQ(result.verdict, verdict) << datasource << ": " << result.message;
      EXPECT_EQ(result.message.empty(), verdict == kOk);
    }
  }
}

// Whatever a label's value is, and however the query quotes: to either server it is that value.
TEST_F(RealServersTest, AHostileValueSelectsOnlyItself) {
  const char* const queries[] = {
      R"(tried{value="{{labels.tier}}"})",     R"(tried{value='{{labels.tier}}'})",
      R"(tried{value=`{{labels.tier}}`})",     R"(tried{value=~"{{labels.tier}}"})",
      R"(tried{value=~'{{labels.tier}}'})",    R"(tried{value=~`{{labels.tier}}`})",
      R"(tried{value=~"{{labels.tier}}|no"})",
  };
  std::size_t asked = 0;
  for (const char* query : queries) {
    const auto parsed = promql::parse_query_template(query);
    ASSERT_TRUE(parsed) << query;
    for (const std::string& value : kHostile) {
      const auto text = promql::render(*parsed, [&](std::string_view) { return value; });
      // A raw string cannot hold everything; what it cannot is refused, never changed.
      if (!text) {
        EXPECT_THAT(query, HasSubstr("`")) << value;
        continue;
      }
      for (const std::string datasource : {"prometheus", "victoria"}) {
        SCOPED_TRACE(datasource + " " + *text);
        const Answer answer = ask(datasource, *text);
        const auto* vector = std::get_if<Vector>(&answer.result);
        ASSERT_TRUE(vector && vector->series.size() == 1) << describe(answer);
        EXPECT_THAT(vector->series[0].labels, Contains(Label{"value", value}));
        ++asked;
      }
    }
  }
  EXPECT_GT(asked, 2 * 5 * kHostile.size());
}

// A label of 17 characters, made ten times as long again and again: 1.7 MB, then 17 MB, where the
// limit is 16 MiB.
TEST_F(RealServersTest, AHugeAnswerIsRefused) {
  std::string query = R"(label_replace(vector(1), "a", "xxxxxxxxxxxxxxxxx", "", ""))";
  const auto longer = [&query] {
    query = "label_replace(" + query + R"x(, "a", "$1$1$1$1$1$1$1$1$1$1", "a", "(.*)"))x";
  };
  for (int i = 0; i < 5; ++i) longer();
  for (const std::string datasource : {"prometheus", "victoria"}) {
    const Answer answer = ask(datasource, query);
    EXPECT_EQ(describe(answer), "vector: {a=\"" + std::string(1'700'000, 'x') + "\"} 1");
    EXPECT_GT(answer.raw->size(), 1'700'000u);
  }
  longer();
  for (const std::string datasource : {"prometheus", "victoria"}) {
    const Answer answer = ask(datasource, query);
    EXPECT_THAT(describe(answer),
                MatchesRegex(
                    "too_large 200: the answer of 127.0.0.1:[0-9]+ is larger than 16777216 bytes"));
    EXPECT_EQ(answer.raw, nullptr);
  }
}

// Prometheus answers with what it has itself and a warning when a store behind it is away.
TEST_F(RealServersTest, AWarningMakesAnAnswerPartial) {
  RealPrometheus prometheus("remote_read: [ { url: 'http://127.0.0.1:" +
                            std::to_string(free_port()) + "/read', read_recent: true } ]\n");
  std::map<std::string, Datasource> all;
  all["prometheus"].url = prometheus.url();
  source_.reconfigure(all);
  const Answer answer = ask("prometheus", "no_such_metric or vector(1)");
  EXPECT_THAT(describe(answer), StartsWith("vector: {} 1 [partial] [warning: "));
  EXPECT_THAT(describe(answer), HasSubstr("connection refused"));
}

// The real server stopped, so that it takes connections and says nothing, and the real server
// gone.
TEST_F(RealServersTest, ASlowServerTimesOutAndADownOneIsUnreachable) {
  RealPrometheus prometheus;
  RealVictoriaMetrics victoria;
  std::map<std::string, Datasource> all;
  all["prometheus"].url = prometheus.url();
  all["victoria"].url = victoria.url();
  for (auto& [name, source] : all) source.timeout = Millis{200};
  source_.reconfigure(all);
  for (const auto& [datasource, process] : {std::pair{"prometheus", &prometheus.process()},
                                            std::pair{"victoria", &victoria.process()}}) {
    SCOPED_TRACE(datasource);
    process->freeze();
    EXPECT_THAT(describe(ask(datasource, "1")),
                MatchesRegex("timeout 0: no answer from 127.0.0.1:[0-9]+ within .*ms"));
    EXPECT_EQ(source_.up(datasource), false);
    process->kill();
    EXPECT_THAT(describe(ask(datasource, "1")),
                MatchesRegex("unreachable 0: could not connect to .*: Connection refused"));
  }
}

}  // namespace
}  // namespace rollwatch
