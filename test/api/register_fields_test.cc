// Every field of a registration: a wrong type, a wrong value, a misspelt name, null. The list of
// fields is held against the reader's own, both ways. What each means is in register_test.cc; the
// keys of `analysis` are in test/config/plan_keys_test.cc.
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "test/api/api_fixture.h"

namespace rollwatch {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

struct FieldRow {
  const char* field;
  const char* wrong_type;  // as JSON
  const char* says_of_type;
  const char* wrong_value;  // null: there is none
  const char* says_of_value;
};

constexpr const char* kNoString = ": must be a string, not ";
constexpr const char* kEmpty = ": must not be empty; give a value or leave it out";
constexpr const char* kNoStrings = ": must be an object of strings, not ";

const FieldRow kFields[] = {
    {"namespace", "1", kNoString, R"("a/b")", ": must not contain a slash"},
    {"service", "[]", kNoString, R"("")", kEmpty},
    {"target", "{}", kNoString, R"(" eu")", ": must not begin or end with a space"},
    {"stable", "1.23", kNoString, R"("a\u0000")", ": must not contain control characters"},
    {"candidate", "true", kNoString, R"("1.23")",
     ": must differ from stable: there is nothing to roll out"},
    {"policy", "7", ": must be a string or a list of strings, not a whole number", R"("htpp")",
     ": there is no policy \"htpp\": did you mean \"http\"?"},
    {"labels", "[]", kNoStrings, R"({"tier": 1})", "/tier: must be a string, not a whole number"},
    {"args", R"("n=5")", kNoStrings, R"({"n": ""})", "/n: must not be empty"},
    {"links", "1", kNoStrings, R"({"change": "javascript:x"})",
     "/change: must be an http:// or https:// address"},
    {"orchestrator", "[]", kNoString, R"("deploier")",
     ": there is no orchestrator \"deploier\" in the configuration: did you mean \"deployer\"?"},
    {"notify", R"("releases")", ": must be a list of strings, not a string", R"(["release"])",
     "/0: there is no notifier \"release\" in the configuration: did you mean \"releases\"?"},
    {"by", "false", kNoString, R"("a\nb")", ": must not contain control characters"},
    {"attempt", R"("2")", ": must be a whole number from 1 to ", "0",
     ": must be a whole number from 1 to "},
    {"observe", R"("yes")", ": must be true or false, not a string", nullptr, nullptr},
    {"analysis", "[]", ": must be a table, not a list", R"({"soak": 5})",
     "/soak: must be a duration in quotes, such as \"30s\", \"5m\" or \"1h30m\", not "},
};

class RegisterFields : public ApiTest {
 protected:
  RegisterFields() {
    Settings with_policy = sample_settings();
    const auto policy =
        value_from_json(R"({"duration": "1h", "condition": [{"name": "c", "query": "x > 1"}]})");
    with_policy.policies.emplace("http", *policy);
    settings = std::make_shared<const Settings>(std::move(with_policy));
    service.register_answer.end = RegisterEnd::kCreated;
    service.register_answer.rollout = sample_rollout();
  }

  static json good() {
    return {{"namespace", "payments"},
            {"service", "checkout"},
            {"target", "eu-1"},
            {"stable", "1.23"},
            {"candidate", "1.24"},
            {"policy", "http"},
            {"labels", {{"tier", "web"}}},
            {"args", {{"n", "5"}}},
            {"links", {{"change", "https://example.net/1"}}},
            {"orchestrator", "deployer"},
            {"notify", {"releases"}},
            {"by", "ci"},
            {"attempt", 2},
            {"observe", true},
            {"analysis", {{"soak", "1m"}}}};
  }

  ServerResponse send(const json& body) { return ask("POST", "/api/v1/rollouts", body.dump()); }

  std::string refusal(const std::string& field, const json& value) {
    json body = good();
    body[field] = value;
    return problem_of(send(body));
  }
};

TEST_F(RegisterFields, EveryFieldIsGood) {
  const ServerResponse response = send(good());
  EXPECT_EQ(response.status, 201) << response.body;
  EXPECT_THAT(service.registrations, SizeIs(1));
  for (const FieldRow& row : kFields) EXPECT_TRUE(good().contains(row.field)) << row.field;
}

TEST_F(RegisterFields, EveryFieldIsHeldAgainstItsRule) {
  for (const FieldRow& row : kFields) {
    SCOPED_TRACE(row.field);
    const std::string pointer = "422 /" + std::string(row.field);
    EXPECT_THAT(refusal(row.field, json::parse(row.wrong_type)),
                StartsWith(pointer + row.says_of_type));
    if (row.wrong_value != nullptr) {
      EXPECT_THAT(refusal(row.field, json::parse(row.wrong_value)),
                  StartsWith(pointer + row.says_of_value));
    } else {
      EXPECT_THAT(row.says_of_type, HasSubstr("true or false"));
    }
    const std::string wrong = row.field + std::string(1, std::string(row.field).back());
    EXPECT_THAT(refusal(wrong, 1), HasSubstr("/" + wrong + ": unknown key \"" + wrong +
                                             "\": did you mean \"" + row.field + "\"?"));
  }
  EXPECT_THAT(service.registrations, IsEmpty());
}

// A link with a space was taken, which the document never allowed, and broke where it was shown.
TEST_F(RegisterFields, ALinkIsAnAddressWithoutSpaces) {
  EXPECT_EQ(refusal("links", {{"change", "https://example.net/a b"}}),
            "422 /links/change: must not contain a space: in an address it is written %20");
  json body = good();
  body["links"] = {{"change", "https://example.net/a%20b"}};
  EXPECT_EQ(send(body).status, 201);
}

// Clients that write every field they know have null where they have nothing.
TEST_F(RegisterFields, NullIsNotGiven) {
  for (const FieldRow& row : kFields) {
    SCOPED_TRACE(row.field);
    json body = good();
    body[row.field] = nullptr;
    const ServerResponse response = send(body);
    const std::string field = row.field;
    if (field == "service" || field == "candidate") {
      EXPECT_EQ(problem_of(response), "422 /" + field + ": is required");
    } else if (field == "policy") {
      EXPECT_THAT(problem_of(response), HasSubstr("422 /analysis: missing key \"steps\""));
    } else {
      EXPECT_EQ(response.status, 201) << response.body;
    }
  }
}

TEST_F(RegisterFields, NoFieldIsForgotten) {
  const std::string list = "; the keys here are ";
  const std::string answer = refusal(std::string(70, 'z'), 1);
  const std::size_t at = answer.find(list);
  ASSERT_NE(at, std::string::npos) << answer;
  std::set<std::string> known;
  std::istringstream names(answer.substr(at + list.size()));
  for (std::string name; std::getline(names >> std::ws, name, ',');) known.insert(name);
  std::set<std::string> tested;
  for (const FieldRow& row : kFields) tested.insert(row.field);
  EXPECT_EQ(known, tested) << "each field needs a row, each row a field";
}

}  // namespace
}  // namespace rollwatch
