#include <nlohmann/json.hpp>

#include "daemon/api/fields.h"
#include "test/api/api_fixture.h"

namespace rollwatch {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;
using testing::SizeIs;

const std::string kAnalysis =
    R"("analysis":{"duration":"5m","condition":[{"name":"e","query":"up > 0.05"}]})";
const std::string kMinimal = R"({"service":"checkout","candidate":"1.24",)" + kAnalysis + "}";

class RegisterTest : public ApiTest {
 protected:
  RegisterTest() {
    service.register_answer.end = RegisterEnd::kCreated;
    service.register_answer.rollout = sample_rollout();
  }
  ServerResponse post(const std::string& body, Headers headers = {}) {
    return ask("POST", "/api/v1/rollouts", body, std::move(headers));
  }
  // A good body with one more field, or one replaced.
  ServerResponse post_with(const std::string& field) {
    return post(R"({"service":"checkout","candidate":"1.24",)" + kAnalysis + "," + field + "}");
  }
};

TEST_F(RegisterTest, TakesEveryField) {
  const ServerResponse response = post(R"({
    "namespace": "payments", "service": "checkout", "target": "eu-1", "stable": "1.23", "candidate": "1.24",
    "policy": [], "labels": {"tier": "web", "odd": "a\"b\\c{}\nd"}, "args": {"n": "5"}, "orchestrator": "deployer",
    "notify": ["releases"], "by": "ci@pipeline/812", "links": {"change": "https://example.net/1"}, "attempt": 2,
    "observe": true, )" + kAnalysis + "}");
  EXPECT_EQ(response.status, 201) << response.body;
  ASSERT_THAT(service.registrations, SizeIs(1));
  const Registration& sent = service.registrations.front();
  EXPECT_EQ(sent.spec.ns, "payments");
  EXPECT_EQ(sent.spec.service, "checkout");
  EXPECT_EQ(sent.spec.target, "eu-1");
  EXPECT_EQ(sent.spec.stable, "1.23");
  EXPECT_EQ(sent.spec.candidate, "1.24");
  EXPECT_THAT(sent.spec.labels, ElementsAre(Pair("odd", "a\"b\\c{}\nd"), Pair("tier", "web")));
  EXPECT_THAT(sent.spec.args, ElementsAre(Pair("n", "5")));
  EXPECT_THAT(sent.spec.links, ElementsAre(Pair("change", "https://example.net/1")));
  EXPECT_EQ(sent.spec.orchestrator, "deployer");
  EXPECT_THAT(sent.spec.notify, ElementsAre("releases"));
  EXPECT_EQ(sent.spec.by, "ci@pipeline/812");
  EXPECT_EQ(sent.attempt, 2);
  EXPECT_TRUE(sent.spec.observe);
  ASSERT_NE(sent.plan, nullptr);
  EXPECT_THAT(sent.plan->conditions, SizeIs(1));
  EXPECT_THAT(sent.document.analysis, HasSubstr("\"duration\":\"5m\""));
}

TEST_F(RegisterTest, DefaultsAreThoseOfTheContract) {
  EXPECT_EQ(post(kMinimal).status, 201);
  const RolloutSpec& spec = service.registrations.front().spec;
  EXPECT_EQ(spec.ns, "default");
  EXPECT_EQ(spec.target, "default");
  EXPECT_EQ(spec.stable, "");
  EXPECT_EQ(spec.orchestrator, "");
  EXPECT_EQ(spec.by, "local");
  EXPECT_FALSE(spec.observe);
  EXPECT_FALSE(service.registrations.front().attempt.has_value());
}

TEST_F(RegisterTest, AnswersWithTheRolloutItsPlaceAndTheWarnings) {
  service.register_answer.warnings = {"the datasource could not be asked"};
  const ServerResponse response = post(kMinimal);
  EXPECT_EQ(header(response, "Location"), "http://rollwatch.example.net/api/v1/rollouts/ro_1");
  EXPECT_EQ(header(response, "ETag"), "\"r7\"");
  const auto body = nlohmann::json::parse(response.body);
  EXPECT_EQ(body.at("id"), "ro_1");
  EXPECT_EQ(body.at("warnings").back(), "the datasource could not be asked");
}

TEST_F(RegisterTest, TheEnginesEndsAreStatuses) {
  service.register_answer.end = RegisterEnd::kExisting;
  EXPECT_EQ(post(kMinimal).status, 200);

  service.register_answer = {};
  service.register_answer.end = RegisterEnd::kAttemptNeeded;
  service.register_answer.attempt = 3;
  const ServerResponse conflict = post(kMinimal);
  EXPECT_EQ(problem_of(conflict),
            "409 1.24 of checkout was rolled back before; to try it again, send \"attempt\": 3");
  EXPECT_EQ(nlohmann::json::parse(conflict.body).at("attempt"), 3);

  service.register_answer.end = RegisterEnd::kKeyReused;
  EXPECT_THAT(problem_of(post(kMinimal)),
              HasSubstr("422 this Idempotency-Key was sent with another body"));

  service.register_answer.end = RegisterEnd::kRefused;
  service.register_answer.problems = {{"/analysis/condition/0/query", "parse error"}};
  EXPECT_EQ(problem_of(post(kMinimal)), "422 /analysis/condition/0/query: parse error");
}

TEST_F(RegisterTest, BodiesThatAreNoJsonAre400) {
  const std::string deep = std::string(5000, '[') + std::string(5000, ']');
  struct Row {
    const char* name;
    std::string body;
    const char* words;
  };
  const Row rows[] = {
      {"empty", "", "not JSON"},
      {"cut off", R"({"service": )", "not JSON"},
      {"two documents", "{} {}", "not JSON"},
      {"a comment", "{} // x", "not JSON"},
      {"a name given twice", R"({"service":"a","service":"b"})", "given twice"},
      {"a name given twice inside", R"({"labels":{"a":"1","a":"2"}})", "given twice"},
      {"too deep", deep, "nested too deeply"},
      {"bytes that are no text", "{\"service\":\"\xff\xfe\"}", "not JSON"},
      {"a lone surrogate", R"({"service":"\ud800"})", "not JSON"},
      {"a number beyond all", R"({"attempt":1e999})", "too large"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const ServerResponse response = post(row.body);
    EXPECT_EQ(response.status, 400);
    EXPECT_THAT(problem_of(response), HasSubstr(row.words));
  }
  EXPECT_THAT(service.registrations, IsEmpty());
}

TEST_F(RegisterTest, BodiesThatAreNoObjectAre422) {
  for (const char* body : {"[]", "\"x\"", "1", "null", "true"})
    EXPECT_EQ(post(body).status, 422) << body;
}

// Beside those that every field has in register_fields_test.cc.
TEST_F(RegisterTest, MoreWaysToBeWrong) {
  const std::string long_text(254, 'x');
  struct Row {
    const char* field;
    std::string problem;
  };
  const Row rows[] = {
      {R"("extra":1)", "/extra: unknown key \"extra\""},
      {R"("namespace":"")", "/namespace: must not be empty"},
      {R"("namespace":"a\u0000b")", "/namespace: must not contain control characters"},
      {R"("namespace":"a\u0085b")", "/namespace: must not contain control characters"},
      {R"("namespace":"a\nb")", "/namespace: must not contain control characters"},
      {R"("stable":"1.24")", "/candidate: must differ from stable"},
      {R"("policy":["a",1])", "/policy/1: must be a string"},
      {R"("policy":["a","a"])", "/policy/1: \"a\" is named twice"},
      {R"("policy":"nope")", "/policy: "},
      {R"("labels":{"":"x"})", "/labels/: its name must not be empty"},
      {R"("labels":{"a/b~c":null})", "/labels/a~1b~0c: must be a string"},
      {R"("labels":{"a":"\u0000"})", "/labels/a: must not contain control characters"},
      {R"("args":{"n":5})", "/args/n: must be a string"},
      {R"("notify":["releases","nobody"])", "/notify/1: there is no notifier \"nobody\""},
      {R"("attempt":1.5)", "/attempt: must be a whole number"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.field);
    const ServerResponse response = post_with(row.field);
    EXPECT_THAT(problem_of(response), HasSubstr("422 " + row.problem));
  }
  EXPECT_THAT(problem_of(post_with("\"by\":\"" + long_text + "\"")),
              HasSubstr("/by: must be at most 253 bytes long, not 254"));
  EXPECT_THAT(service.registrations, IsEmpty());
}

TEST_F(RegisterTest, AllThatIsWrongIsSaidAtOnce) {
  EXPECT_THAT(problem_of(post(R"({"servce":"a","target":1})")),
              AllOf(HasSubstr("/service: is required"), HasSubstr("/candidate: is required"),
                    HasSubstr("/servce: unknown"), HasSubstr("/target: must be a string")));
}

TEST_F(RegisterTest, TheAnalysisIsCheckedWithPointersIntoTheRequest) {
  struct Row {
    const char* analysis;
    const char* problem;
  };
  const Row rows[] = {
      {"[]", "/analysis: must be"},
      {R"({"duration":"5"})", "/analysis/duration: "},
      {R"({"duration":"5m","intervall":"1s"})", "/analysis/intervall: "},
      {R"({"duration":"5m","condition":[{"name":"e","query":"up > 1","fail_after":0}]})",
       "/analysis/condition/0/fail_after: "},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.analysis);
    const ServerResponse response =
        post(std::string(R"({"service":"a","candidate":"1","analysis":)") + row.analysis + "}");
    EXPECT_THAT(problem_of(response), HasSubstr(std::string("422 ") + row.problem));
  }
}

TEST_F(RegisterTest, AContentTypeIfGivenIsJson) {
  struct Row {
    const char* type;
    int status;
  };
  const Row rows[] = {
      {"application/json", 201},
      {"Application/JSON; charset=utf-8", 201},
      {"application/merge-patch+json", 201},
      {"application/x-www-form-urlencoded", 201},
      {"", 201},
      {"text/plain", 415},
      {"application/xml", 415},
      {"multipart/form-data; boundary=x", 415},
      {";", 415},
  };
  for (const Row& row : rows)
    EXPECT_EQ(post(kMinimal, {{"content-type", row.type}}).status, row.status) << row.type;
}

TEST_F(RegisterTest, TheSameKeyIsTheSameRollout) {
  EXPECT_EQ(post(kMinimal, {{"idempotency-key", "k1"}}).status, 201);
  const auto& kept = service.registrations.front().idempotency;
  ASSERT_TRUE(kept.has_value());
  EXPECT_EQ(kept->key, "default\nk1");
  EXPECT_THAT(kept->body_sha256, SizeIs(64));

  service.keys["default\nk1"] = {"ro_1", kept->body_sha256};
  service.rollouts["ro_1"] = sample_rollout();
  EXPECT_EQ(post(kMinimal, {{"idempotency-key", "k1"}}).status, 200);
  // The same document, written differently.
  EXPECT_EQ(post(R"({ "candidate":"1.24", "service":"checkout", )" + kAnalysis + "}",
                 {{"idempotency-key", "k1"}})
                .status,
            200);
  EXPECT_THAT(service.registrations, SizeIs(1));
  EXPECT_THAT(
      problem_of(post(R"({"service":"other","candidate":"1.24"})", {{"idempotency-key", "k1"}})),
      HasSubstr("422 this Idempotency-Key"));
}

// A pipeline that was retried on another runner was refused: the client says who and where it is.
TEST_F(RegisterTest, ARepeatMayComeFromSomebodyElse) {
  const auto by = [this](const std::string& who) {
    return post(
               R"({"service":"checkout","candidate":"1.24","by":")" + who + "\"," + kAnalysis + "}",
               {{"idempotency-key", "k1"}})
        .status;
  };
  EXPECT_EQ(by("ana@runner-1"), 201);
  service.keys["default\nk1"] = {"ro_1", service.registrations.front().idempotency->body_sha256};
  service.rollouts["ro_1"] = sample_rollout();
  EXPECT_EQ(by("ana@runner-2"), 200);
  EXPECT_EQ(post(kMinimal, {{"idempotency-key", "k1"}}).status, 200);
  EXPECT_THAT(service.registrations, SizeIs(1));
}

// Two tenants whose pipelines count alike: the second was refused for the body of the first.
TEST_F(RegisterTest, EachNamespaceHasKeysOfItsOwn) {
  service.keys["default\nk1"] = {"ro_1", std::string(64, 'f')};
  service.rollouts["ro_1"] = sample_rollout();
  const std::string theirs =
      R"({"namespace":"shop","service":"checkout","candidate":"1.24",)" + kAnalysis + "}";
  EXPECT_EQ(post(theirs, {{"idempotency-key", "k1"}}).status, 201);
  EXPECT_EQ(service.registrations.back().idempotency->key, "shop\nk1");
}

TEST_F(RegisterTest, ARepeatNeedsNoConfigurationThatIsStillTheSame) {
  post(kMinimal, {{"idempotency-key", "k1"}});
  service.keys["default\nk1"] = {"ro_1", service.registrations.front().idempotency->body_sha256};
  service.rollouts["ro_1"] = sample_rollout();
  settings = std::make_shared<const Settings>();  // no datasource any more
  EXPECT_EQ(post(kMinimal, {{"idempotency-key", "k1"}}).status, 200);
}

TEST_F(RegisterTest, AKeyIsALineOfText) {
  EXPECT_EQ(post(kMinimal, {{"idempotency-key", ""}}).status, 422);
  EXPECT_EQ(post(kMinimal, {{"idempotency-key", std::string(300, 'k')}}).status, 422);
}

TEST(TextProblem, NamesMayHoldWhatQuotesCanHold) {
  for (const char* good :
       {"a", "checkout", "a b", "repo/app:1.2@sha", "a\"b", "a\\b", "a{b}", "größe", "日本"})
    EXPECT_EQ(text_problem(good, kName), std::nullopt) << good;
  EXPECT_EQ(text_problem(std::string(253, 'x'), kName), std::nullopt);
  EXPECT_EQ(text_problem("two\nlines\tof text", kSentence), std::nullopt);
  EXPECT_NE(text_problem("a\rb", kSentence), std::nullopt);
}

}  // namespace
}  // namespace rollwatch
