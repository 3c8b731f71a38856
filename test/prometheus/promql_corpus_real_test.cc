// The expressions of test/promql_corpus on real servers that hold its series. What proves the
// scanner: with the comparison taken off and applied here, every expression gives what the server
// gives for the original.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "analysis/promql/query_template.h"
#include "analysis/promql/trailing_comparison.h"
#include "test/prometheus/both_servers.h"
#include "test/prometheus/describe.h"
#include "test/promql_corpus/corpus.h"
#include "test/promql_corpus/expressions.h"
#include "test/promql_corpus/harmful_values.h"

namespace rollwatch {
namespace {

const Corpus& corpus() {
  static const Corpus all = read_corpus();
  return all;
}

std::string rendered(const CorpusRow& row, const std::string& text) {
  const auto query = promql::parse_query_template(text);
  if (!query) throw std::runtime_error(row.place + ": " + to_string(query.error()));
  auto sent = promql::render(
      *query, [&row](std::string_view name) { return row.value(std::string(name)); });
  if (!sent) throw std::runtime_error(row.place + ": " + sent.error().message);
  return *std::move(sent);
}

// Values by their labels, without NaN, which is no measurement, and without empty labels, which are
// none although VictoriaMetrics shows some. nullopt if the answer has no values.
using Measured = std::map<std::string, double>;

std::string key_of(const std::map<std::string, std::string>& labels) {
  std::string key;
  for (const auto& [name, value] : labels) {
    if (!value.empty()) key += name + "=\"" + value + "\" ";
  }
  return key;
}

std::optional<Measured> measured(const Answer& answer) {
  Measured found;
  if (const auto* scalar = std::get_if<Scalar>(&answer.result)) {
    found[""] = scalar->value;
  } else if (const auto* vector = std::get_if<Vector>(&answer.result)) {
    for (const Series& series : vector->series) {
      std::map<std::string, std::string> labels;
      for (const Label& label : series.labels) labels[label.name] = label.value;
      found[key_of(labels)] = series.value;
    }
  } else {
    return std::nullopt;
  }
  std::erase_if(found, [](const auto& one) { return std::isnan(one.second); });
  return found;
}

// VictoriaMetrics adds up in whatever order its workers finish, so a sum's last bits may differ
// from one time to the next; nothing else may.
bool same_value(double a, double b) {
  return a == b || std::fabs(a - b) <= 1e-12 * std::fmax(std::fabs(a), std::fabs(b));
}
bool same(const Measured& a, const Measured& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& one, const auto& other) {
    return one.first == other.first && same_value(one.second, other.second);
  });
}

// An expression and what the scanner makes of it.
struct Split {
  std::string where;
  std::string original;
  std::string rest;
  Comparison rule;
};

// What became of the series of one expression, over all times.
struct Counts {
  std::size_t times = 0;  // at which the server understood the original
  std::size_t kept = 0;
  std::size_t dropped = 0;

  bool both() const { return kept > 0 && dropped > 0; }
};

class PromqlCorpusTest : public ::testing::Test {
 protected:
  // Every query at every time; answers in that order.
  std::vector<Answer> ask(const std::string& server, const std::vector<std::string>& queries,
                          const std::vector<std::int64_t>& times = corpus_times()) {
    std::vector<Question> questions;
    for (const std::string& query : queries) {
      for (const std::int64_t time : times) {
        Question question;
        question.datasource = server;
        question.query = query;
        question.time = SysTime{std::chrono::seconds(time)};
        questions.push_back(std::move(question));
      }
    }
    return servers_.ask(questions);
  }

  // Whether the original's answer is the rest's answer, less what the rule does not hold for. An
  // original that the server refuses is passed over.
  std::vector<Counts> compare(const std::string& server, const std::vector<Split>& splits) {
    std::vector<std::string> originals, rests;
    for (const Split& split : splits) {
      originals.push_back(split.original);
      rests.push_back(split.rest);
    }
    const std::vector<Answer> whole = ask(server, originals);
    const std::vector<Answer> rest = ask(server, rests);
    std::vector<Counts> counts(splits.size());
    for (std::size_t i = 0; i < whole.size(); ++i) {
      const std::size_t index = i / corpus_times().size();
      if (const auto original = measured(whole[i])) {
        compare_one(splits[index], *original, rest[i], counts[index]);
      }
    }
    return counts;
  }

  static void compare_one(const Split& split, const Measured& original, const Answer& rest,
                          Counts& counts) {
    const auto values = measured(rest);
    Measured kept;
    for (const auto& [labels, value] : values.value_or(Measured{})) {
      if (split.rule.holds(value)) kept[labels] = value;
    }
    EXPECT_TRUE(values && same(original, kept))
        << split.where << ": " << split.original << " gives " << ::testing::PrintToString(original)
        << ", but " << to_string(split.rule) << " of " << split.rest << " is of " << describe(rest);
    ++counts.times;
    counts.kept += kept.size();
    counts.dropped += values ? values->size() - kept.size() : 0;
  }

  BothServers servers_{corpus().samples()};
};

// What proves the scanner. Rows are such that a rest without an answer, or a rule that keeps all or
// drops all, would be seen.
TEST_F(PromqlCorpusTest, WithTheComparisonOffTheAnswerIsTheOriginals) {
  std::vector<Split> splits;
  for (const CorpusRow& row : corpus().of(CorpusClass::kTrailing)) {
    const auto taken = promql::take_comparison_off(row.query);
    ASSERT_TRUE(taken && taken->comparison) << row.place;
    splits.push_back({row.place + " (" + row.name + ")", rendered(row, row.query),
                      rendered(row, taken->query), *taken->comparison});
  }
  for (const std::string server : kBoth) {
    SCOPED_TRACE(server);
    std::size_t drop_and_keep = 0;
    const std::vector<Counts> counts = compare(server, splits);
    for (std::size_t i = 0; i < splits.size(); ++i) {
      EXPECT_EQ(counts[i].times, corpus_times().size()) << splits[i].where << ": not understood";
      EXPECT_GT(counts[i].kept + counts[i].dropped, 0U) << splits[i].where << ": no answer";
      drop_and_keep += counts[i].both() ? 1 : 0;
    }
    EXPECT_GE(drop_and_keep, splits.size() * 95 / 100);
  }
}

// The same of expressions by chance. A server refuses some of them, but not too many.
TEST_F(PromqlCorpusTest, SoItIsForExpressionsNobodyWouldWrite) {
  constexpr unsigned kSeed = 20260102;
  Expressions expressions(kSeed);
  std::vector<Split> splits;
  while (splits.size() < 300) {
    const std::string original = expressions.one();
    const auto taken = promql::take_comparison_off(original);
    ASSERT_TRUE(taken.has_value()) << original << ": " << to_string(taken.error());
    if (!taken->comparison) continue;
    splits.push_back({"seed " + std::to_string(kSeed), original, taken->query, *taken->comparison});
  }
  for (const std::string server : kBoth) {
    SCOPED_TRACE(server);
    std::size_t understood = 0, kept = 0, dropped = 0;
    for (const Counts& counts : compare(server, splits)) {
      understood += counts.times > 0 ? 1 : 0;
      kept += counts.kept > 0 ? 1 : 0;
      dropped += counts.dropped > 0 ? 1 : 0;
    }
    EXPECT_GE(understood, 200U);
    EXPECT_GE(kept, 100U);
    EXPECT_GE(dropped, 100U);
  }
}

// What a row says the query that is sent gives in the end: values found what they should and no
// more.
TEST_F(PromqlCorpusTest, TheAnswersAreThoseOfTheRows) {
  std::vector<CorpusRow> rows;
  std::vector<std::string> queries;
  for (const CorpusRow& row : corpus().rows) {
    if (!row.answers) continue;
    const auto taken = promql::take_comparison_off(row.query);
    ASSERT_TRUE(taken.has_value()) << row.place;
    rows.push_back(row);
    queries.push_back(rendered(row, taken->query));
  }
  EXPECT_GE(rows.size(), 25U);
  for (const std::string server : kBoth) {
    SCOPED_TRACE(server);
    const std::vector<Answer> answers = ask(server, queries, {corpus_times().back()});
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto values = measured(answers[i]);
      EXPECT_TRUE(values && values->size() == 1 &&
                  std::fabs(values->begin()->second - *rows[i].answers) < 1e-9)
          << rows[i].place << " (" << rows[i].name << "): " << describe(answers[i]) << ", not "
          << *rows[i].answers << ", to " << queries[i];
    }
  }
}

// Without a comparison to take off a query is sent as it is, and both servers understand it; so the
// scanner's classes are about queries that exist.
TEST_F(PromqlCorpusTest, WhatIsLeftAloneIsSentAsItIs) {
  std::vector<CorpusRow> rows = corpus().of(CorpusClass::kPlain);
  for (CorpusRow& row : corpus().of(CorpusClass::kLeftAlone)) rows.push_back(std::move(row));
  std::vector<std::string> queries;
  for (const CorpusRow& row : rows) {
    const auto taken = promql::take_comparison_off(row.query);
    ASSERT_TRUE(taken.has_value()) << row.place;
    EXPECT_EQ(taken->query, row.query) << row.place;
    queries.push_back(rendered(row, taken->query));
    EXPECT_EQ(queries.back(), row.sent.value_or(row.query)) << row.place;
  }
  for (const std::string server : kBoth) {
    SCOPED_TRACE(server);
    const std::vector<Answer> answers = ask(server, queries);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const bool known = !rows[i].only_victoria || server == "victoria";
      std::size_t values = 0;
      for (std::size_t k = 0; k < corpus_times().size(); ++k) {
        const Answer& answer = answers[i * corpus_times().size() + k];
        const auto found = measured(answer);
        EXPECT_EQ(found.has_value(), known)
            << rows[i].place << " (" << rows[i].name << "): " << describe(answer);
        values += found ? found->size() : 0;
      }
      if (rows[i].kind == CorpusClass::kPlain) {
        EXPECT_GT(values, 0U) << rows[i].place << " (" << rows[i].name << "): no answer";
      }
    }
  }
}

// The servers' own idea of what a string literal or a regular expression means, for each value that
// tries to be more than one.
TEST_F(PromqlCorpusTest, AValueMeansItselfWhereverItStands) {
  struct Place {
    std::string query;   // ~ stands for a quote of each kind
    std::string before;  // the label v is this, the value …
    std::string after;   // … and this
    std::string ok;      // the label ok
  };
  const std::string regex = R"x(, "ok", "yes", "v", ~(x|{{v}})?~))x";
  const Place places[] = {
      {R"(label_join(vector(1), "v", ~{{v}}~, "a", "b"))", "", "", ""},
      {R"(label_join(vector(1), "v", ~<{{v}}>~, "a", "b"))", "<", ">", ""},
      {R"(label_replace(vector(1), "v", ~{{v}}~, "", ""))", "", "", ""},
      {R"(label_replace(vector(1), "v", ~$$${0}{{v}}$$~, "", ""))", "$", "$", ""},
      {R"(label_replace(label_replace(vector(1), "v", "{{v}}", "", ""))" + regex, "", "", "yes"},
      {R"(label_replace(label_replace(vector(1), "v", "{{v}}y", "", ""))" + regex, "", "y", ""},
  };
  std::vector<std::string> queries;
  std::vector<Measured> expected;
  for (const Place& place : places) {
    for (const char quote : {'"', '\'', '`'}) {
      std::string text = place.query;
      std::replace(text.begin(), text.end(), '~', quote);
      const auto query = promql::parse_query_template(text);
      ASSERT_TRUE(query.has_value()) << text << ": " << to_string(query.error());
      for (const std::string& value : harmful_values()) {
        if (value.size() > 1000) continue;  // VictoriaMetrics takes no query of over 16 KiB
        const auto sent = promql::render(*query, [&value](std::string_view) { return value; });
        if (!sent && quote == '`') continue;  // raw strings cannot hold everything
        ASSERT_TRUE(sent.has_value()) << text << ": " << sent.error().message;
        queries.push_back(*sent);
        expected.push_back(
            {{key_of({{"v", place.before + value + place.after}, {"ok", place.ok}}), 1}});
      }
    }
  }
  EXPECT_GE(queries.size(), 700U);
  for (const std::string server : kBoth) {
    const std::vector<Answer> answers = ask(server, queries, {corpus_times().back()});
    for (std::size_t i = 0; i < answers.size(); ++i) {
      EXPECT_EQ(measured(answers[i]), expected[i])
          << server << ": " << queries[i] << " gives " << describe(answers[i]);
    }
  }
}

// Where PromQL and the rule part: to a server NaN != 0 holds, to us a NaN is no data.
TEST_F(PromqlCorpusTest, ANaNHoldsForNoRule) {
  for (const std::string server : kBoth) {
    const std::vector<Answer> answers =  // 0.5, NaN, +Inf
        ask(server, {R"(noisy_ratio_up{part="a"} / noisy_ratio_down != 0)"});
    EXPECT_EQ(describe(answers[0]), R"(vector: {part="a"} 0.5)");
    EXPECT_EQ(describe(answers[1]),
              server == "prometheus" ? R"(vector: {part="a"} NaN)" : "vector:");
    EXPECT_EQ(describe(answers[2]), R"(vector: {part="a"} inf)");
  }
  EXPECT_FALSE((Comparison{CompareOp::kNotEqual, 0}.holds(std::nan(""))));
}

}  // namespace
}  // namespace rollwatch
