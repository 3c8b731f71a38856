// Every row of test/promql_corpus goes through the scanner; one line for each row that does not
// come out as it says. test/prometheus asks real servers about the same rows.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "analysis/promql/query_template.h"
#include "analysis/promql/trailing_comparison.h"
#include "test/promql_corpus/corpus.h"

namespace rollwatch::promql {
namespace {

const Corpus& corpus() {
  static const Corpus all = read_corpus();
  return all;
}

std::string at(const PromqlError& error) {
  return std::to_string(error.line) + ":" + std::to_string(error.column) + " " + error.message;
}

// What the scanner makes of a row, told as the row tells it: all that is sent, and the rule or the
// reason; or the refusal.
struct Told {
  std::string outcome;  // "rule > 0.05", "why …", "refused 1:6 …"
  std::string rest;
  std::string sent;
};

Told told(const CorpusRow& row) {
  const auto whole = parse_query_template(row.query);
  if (!whole) return {"refused " + at(whole.error()), row.query, ""};
  const auto taken = take_comparison_off(row.query);
  if (!taken) return {"not taken apart: " + at(taken.error()), row.query, ""};
  Told result;
  result.rest = taken->query;
  result.outcome = taken->comparison ? "rule " + rollwatch::to_string(*taken->comparison)
                                     : "why " + taken->why_left_alone;
  const auto rest = parse_query_template(taken->query);
  if (!rest) return {"its rest is refused: " + at(rest.error()), taken->query, ""};
  const auto sent =
      render(*rest, [&row](std::string_view name) { return row.value(std::string(name)); });
  if (!sent) return {"refused " + sent.error().message, row.query, ""};
  result.sent = *sent;
  return result;
}

Told expected(const CorpusRow& row, const Told& actual) {
  Told result{"", row.rest, row.sent.value_or(actual.sent)};
  switch (row.kind) {
    case CorpusClass::kTrailing:
      result.outcome = "rule " + row.rule;
      break;
    case CorpusClass::kPlain:
      result.outcome = "why does not end in a comparison with a number";
      break;
    case CorpusClass::kLeftAlone:
      result.outcome = "why " + row.why;
      break;
    case CorpusClass::kRefused:
      result.outcome = "refused " + row.error;
      break;
  }
  return result;
}

// Empty, or one line that says what differs.
std::string difference(const CorpusRow& row) {
  const Told is = told(row);
  const Told should = expected(row, is);
  const std::string where = row.place + " (" + row.name + "): ";
  if (is.outcome != should.outcome) {
    return where + "is «" + is.outcome + "», not «" + should.outcome + "»";
  }
  if (is.rest != should.rest) return where + "keeps «" + is.rest + "», not «" + should.rest + "»";
  if (is.sent != should.sent) return where + "sends «" + is.sent + "», not «" + should.sent + "»";
  const bool no_variables = row.query.find("{{") == std::string::npos;
  if (row.kind != CorpusClass::kRefused && no_variables && is.sent != row.rest) {
    return where + "has no variables and is sent changed: «" + is.sent + "»";
  }
  return "";
}

TEST(PromqlCorpus, EveryRowComesOutAsItSays) {
  for (const CorpusRow& row : corpus().rows) {
    const std::string line = difference(row);
    EXPECT_TRUE(line.empty()) << line;
  }
}

// Whether values are put in before or after, the same is taken off: no value can move the end.
TEST(PromqlCorpus, TheSameIsTakenOffOfARenderedQuery) {
  for (const CorpusRow& row : corpus().of(CorpusClass::kTrailing)) {
    bool braces = false;  // they would be variables once more
    for (const auto& [name, value] : row.given) braces |= value.find("{{") != std::string::npos;
    if (braces) continue;
    const auto whole = parse_query_template(row.query);
    ASSERT_TRUE(whole.has_value()) << row.place;
    const auto rendered =
        render(*whole, [&row](std::string_view name) { return row.value(std::string(name)); });
    ASSERT_TRUE(rendered.has_value()) << row.place << ": " << rendered.error().message;
    const auto taken = take_comparison_off(*rendered);
    ASSERT_TRUE(taken.has_value()) << row.place << ": " << to_string(taken.error());
    EXPECT_EQ(taken->query, told(row).sent) << row.place;
    ASSERT_TRUE(taken->comparison.has_value()) << row.place << ": " << taken->why_left_alone;
    EXPECT_EQ(rollwatch::to_string(*taken->comparison), row.rule) << row.place;
  }
}

TEST(PromqlCorpus, HoldsEnoughOfEverything) {
  std::map<CorpusClass, int> classes;
  std::map<std::string, int> files;
  std::set<std::pair<CorpusClass, std::string>> names;
  int positions = 0;
  for (const CorpusRow& row : corpus().rows) {
    ++classes[row.kind];
    ++files[row.place.substr(0, row.place.find('.'))];
    EXPECT_TRUE(names.emplace(row.kind, row.query + row.sent.value_or("") + row.error).second)
        << row.place << ": the same expression twice";
    if (row.kind == CorpusClass::kRefused && !row.refuses_value) ++positions;
  }
  EXPECT_GE(classes[CorpusClass::kTrailing], 60);
  EXPECT_GE(classes[CorpusClass::kPlain], 60);
  EXPECT_GE(classes[CorpusClass::kLeftAlone], 40);
  EXPECT_GE(positions, 40) << "refusals with line and column";
  for (const std::string file :
       {"node", "kubernetes", "istio", "envoy", "nginx", "haproxy", "jvm"}) {
    EXPECT_GE(files[file], 15) << file;
  }
}

TEST(PromqlCorpus, ItsReaderNamesTheLine) {
  struct Row {
    const char* text;
    const char* error;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"good: x\n", "f:1: no class of rows: good: x"},
           {"plain: x\n  | a\n  why y\n", "f:3: rows that are left alone say why"},
           {"trailing: x\n  | a > 5\n  rule > 5\n",
            "f:3: in trailing rows ⟦ ⟧ hold what is taken off"},
           {"plain: x\n  ? a\n", "f:2: no such detail: ?"},
           {"  | a\n", "f:1: a detail without a row"},
           {"plain: x\n  | a\n    b\n", "f:3: nothing to go on with"},
           {"refused: x\n  | a\n", "f:2: refused rows say at what"},
           {"plain: x\n  | a\n  given b = c\n", "f:3: a row that gives values says what is sent"},
           {"plain: x\n", "f:1: the row above has no expression"},
           {"series a{} 1 2\n", "f:1: a series has a selector and three values"},
           {"series a{} 1 2 x\n", "f:1: 'x' is no value"}}) {
    Corpus read;
    try {
      read_corpus_file("f", row.text, read);
      ADD_FAILURE() << "read: " << row.text;
    } catch (const std::runtime_error& error) {
      EXPECT_EQ(std::string(error.what()), row.error);
    }
  }
}

}  // namespace
}  // namespace rollwatch::promql
