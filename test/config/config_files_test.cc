// Several files, the environment, and text that is no TOML.
#include "config/config_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/toml_reader.h"
#include "test/config/config_support.h"

namespace rollwatch {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(ConfigFiles, ConfDIsReadInNameOrderAndTablesMerge) {
  ConfigInMemory config("[server]\nlisten = '127.0.0.1:1'\n[defaults]\ninterval = '10s'\n");
  config.files["conf.d/20-b.toml"] =
      "[policy.b]\nduration = '1m'\n[server]\nexternal_url = 'http://x'\n";
  config.files["conf.d/10-a.toml"] = "[policy.a]\nduration = '1m'\n[defaults]\nwindow = '20s'\n";
  config.files["conf.d/readme.txt"] = "not TOML at all";
  config.files["conf.d/.hidden.toml"] = "not TOML at all";
  const auto settings = config.load();
  ASSERT_TRUE(settings) << ConfigInMemory::text_of(settings.error());
  EXPECT_EQ(settings->server.listen, "127.0.0.1:1");
  EXPECT_EQ(settings->server.external_url, "http://x");
  EXPECT_EQ(settings->policies.size(), 2u);
  EXPECT_EQ(to_json(settings->defaults), R"({"interval":"10s","window":"20s"})");
  EXPECT_EQ(settings->policies.at("a").origin().source(), "policy a conf.d/10-a.toml:1");
}

TEST(ConfigFiles, WhatIsGivenTwiceNamesBothPlaces) {
  ConfigInMemory config("[server]\nlisten = '127.0.0.1:1'\n[policy.http]\nduration = '1m'\n");
  config.files["conf.d/a.toml"] =
      "[server]\nlisten = '127.0.0.1:2'\n\n[policy.http]\nsoak = '1m'\n";
  EXPECT_THAT(
      config.errors(),
      AllOf(HasSubstr("conf.d/a.toml:2:1: server.listen: is already given at rollwatch.toml:2:1"),
            HasSubstr("conf.d/a.toml:4:9: policy.http: is already given at rollwatch.toml:3:9")));
}

TEST(ConfigFiles, MistakesInSeveralFilesAreAllFound) {
  ConfigInMemory config("listen = \n");
  config.files["conf.d/a.toml"] =
      "[server]\nlistn = 'x'\n[defaults]\ndatasource = 'in-the-other-file'\n";
  const std::string errors = config.errors();
  EXPECT_THAT(errors, AllOf(HasSubstr("rollwatch.toml:1:"), HasSubstr("not TOML"),
                            HasSubstr("conf.d/a.toml:2:1: server.listn")));
  EXPECT_THAT(errors, testing::Not(HasSubstr("in-the-other-file")));
}

TEST(ConfigFiles, AMissingMainFileIsAnError) {
  EXPECT_THAT(
      ConfigInMemory().errors(),
      HasSubstr("rollwatch.toml: cannot be read: no such file or directory; give the path"));
}

TEST(ConfigFiles, AFolderThatCannotBeListedIsAnError) {
  ConfigInMemory config("");
  Environment environment = config.environment();
  environment.list_folder =
      [](const std::string&) -> Expected<std::vector<std::string>, std::string> {
    return Unexpected(std::string("permission denied"));
  };
  const auto settings = load_config(kMainFile, environment);
  ASSERT_FALSE(settings);
  EXPECT_EQ(ConfigInMemory::text_of(settings.error()),
            "conf.d: cannot be read: permission denied\n");
}

TEST(ConfigFiles, PathsBeginAtTheFileTheyAreWrittenIn) {
  EXPECT_EQ(resolve_path("x", "a/b.toml", "/w"), "/w/a/x");
  EXPECT_EQ(resolve_path("../x", "/etc/r/conf.d/b.toml", "/w"), "/etc/r/x");
  EXPECT_EQ(resolve_path("/x", "/etc/b.toml", "/w"), "/x");
}

TEST(Toml, SyntaxErrorsHaveAPlaceAndQuoteNothingLong) {
  struct Row {
    const char* name;
    const char* text;
    const char* place;
    const char* message;
  };
  const Row rows[] = {
      {"text without quotes", "a = 1\nsecret = MARKERMARKERMARKER", "f.toml:2:10",
       "a text is written in quotes"},
      {"open string", "secret = \"MARKERMARKERMARKER\n", "f.toml:1:", "parsing string"},
      {"text behind a value", "secret = 'x' MARKERMARKERMARKER", "f.toml:1:14", "saw 'M'"},
      {"a key without value", "MARKERMARKERMARKER SECRET", "f.toml:1:20", "expected '='"},
      {"a table twice", "[server]\n[server]\n", "f.toml:2:", "give every table and every key once"},
      {"a key twice", "a = 1\na = 2\n", "f.toml:2:", "give every table and every key once"},
      {"bad date", "a = 2020-13-01", "f.toml:1:", "month"},
      {"bad bytes", "a = '\xff'", "f.toml:1:", "not TOML"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    FieldErrors errors;
    const Value value = value_from_toml(row.text, "f.toml", errors);
    ASSERT_EQ(errors.size(), 1u);
    EXPECT_THAT(errors[0].text(), AllOf(HasSubstr(row.place), HasSubstr(row.message)));
    EXPECT_THAT(errors[0].text(), testing::Not(HasSubstr("MARKERMARKER")));
    EXPECT_TRUE(value.as_table() != nullptr && value.as_table()->empty());
  }
}

TEST(Toml, EveryKindOfValueKeepsItsPlace) {
  FieldErrors errors;
  const Value value = value_from_toml("z = 1\nb = [1.5, true,\n  '''x''']\n[t.u]\nd = 2020-01-01\n",
                                      "f.toml", errors);
  ASSERT_TRUE(errors.empty());
  EXPECT_EQ(value.as_table()->front().key, "z") << "in the order of writing";
  EXPECT_EQ(value.find("z")->kind(), Value::Kind::kInteger);
  const Value::Array& list = *value.find("b")->as_array();
  EXPECT_EQ(list[0].kind(), Value::Kind::kDouble);
  EXPECT_EQ(list[1].kind(), Value::Kind::kBool);
  EXPECT_EQ(list[2].origin().place(), "f.toml:3:3");
  const Value* date = value.find("t")->find("u")->find("d");
  EXPECT_EQ(date->kind(), Value::Kind::kDate);
  EXPECT_EQ(date->origin().place(), "f.toml:5:5");
}

TEST(Expand, TakesNamesFromTheEnvironment) {
  struct Row {
    const char* name;
    const char* text;
    const char* expanded;
  };
  const Row rows[] = {
      {"whole", "${A}", "1"},
      {"inside and twice", "x${A}y${LONG_NAME_2}z${A}", "x1ytwoz1"},
      {"a literal dollar", "$${A} costs 5$$", "${A} costs 5$"},
      {"a dollar before something else", "code=~\"5..$\" $A", "code=~\"5..$\" $A"},
      {"what comes from there is not read again", "${NESTED}", "${A}"},
      {"an empty variable", "[${EMPTY}]", "[]"},
      {"placeholders are left alone", "{{service}}", "{{service}}"},
  };
  ConfigInMemory config;
  config.variables = {{"A", "1"}, {"LONG_NAME_2", "two"}, {"NESTED", "${A}"}, {"EMPTY", ""}};
  const Environment environment = config.environment();
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    Value table;
    table.set("list", Value(Value::Array{Value(row.text)}));
    FieldErrors errors;
    expand_variables(table, environment, errors);
    EXPECT_EQ(ConfigInMemory::text_of(errors), "");
    EXPECT_EQ(*table.find("list")->as_array()->front().as_string(), row.expanded);
  }
}

TEST(Expand, UnknownAndMalformedNamesAreErrors) {
  ConfigInMemory config(
      "[server]\nexternal_url = '${NOWHERE}'\nlisten = '${A-B}'\n[store]\nurl = '${open'\n");
  EXPECT_THAT(
      config.errors(),
      AllOf(HasSubstr(
                ":2:16: server.external_url: the environment variable NOWHERE is not set; set it"),
            HasSubstr(":3:10: server.listen: \"${\" must begin a name"),
            HasSubstr(":5:7: store.url: \"${\" must begin a name")));
}

}  // namespace
}  // namespace rollwatch
