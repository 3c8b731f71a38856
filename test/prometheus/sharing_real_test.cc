// share = "auto" on real servers: whatever the series are, a rollout's share of the answer to all
// is the answer to its own question, and is judged the same. Random series, queries of every shape
// that can be joined, and rollouts; ROLLWATCH_SHARE_SEED plays other ones, ROLLWATCH_SHARE_QUERIES
// more.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "analysis/judge.h"
#include "analysis/promql/join_labels.h"
#include "test/prometheus/both_servers.h"

namespace rollwatch {
namespace {

unsigned from_environment(const char* name, unsigned otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : static_cast<unsigned>(std::strtoul(text, nullptr, 10));
}

// Where the samples of the corpus begin too: any time long gone.
constexpr std::int64_t kBegin = 1'700'000'000;
constexpr std::int64_t kEvery = 30;
constexpr int kSamples = 40;

class Dice {
 public:
  explicit Dice(unsigned seed) : engine_(seed) {}
  int roll(int sides) { return static_cast<int>(engine_() % static_cast<unsigned>(sides)); }
  bool one_in(int sides) { return roll(sides) == 0; }
  template <class T>
  const T& of(const std::vector<T>& all) {
    return all[static_cast<std::size_t>(roll(static_cast<int>(all.size())))];
  }

 private:
  std::mt19937 engine_;
};

// As the exposition format writes them, and PromQL between double quotes.
const std::vector<std::string> kApps = {"a", "b", "c", R"(it's \"x\"\\)", "ä{{b}}"};
const std::vector<std::string> kVersions = {"1.0", "1.1", "2", ".*"};
const std::vector<std::string> kCodes = {"200", "404", "500", "503"};
const std::vector<std::string> kPods = {"p0", "p1", "p2"};

std::string decoded(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') ++i;
    out += text[i];
  }
  return out;
}

// One label of a series: mostly one of the values, sometimes empty or not there.
void add_label(Dice& dice, std::string& labels, const char* name,
               const std::vector<std::string>& values) {
  if (dice.one_in(8)) return;
  if (!labels.empty()) labels += ",";
  labels += std::string(name) + "=\"" + (dice.one_in(10) ? "" : dice.of(values)) + "\"";
}

// Grows, is set back to 0, has holes, is no number or infinite, stands still.
std::string samples_of(Dice& dice, const std::string& selector) {
  std::string lines;
  double value = dice.roll(100);
  const int from = dice.one_in(4) ? dice.roll(kSamples) : 0;
  const int to = dice.one_in(4) ? dice.roll(kSamples) : kSamples;
  const int growth = dice.roll(3) * 7;
  const bool is_odd = dice.one_in(8);
  const std::string odd = dice.one_in(2) ? "NaN" : "+Inf";
  for (int i = from; i < to; ++i) {
    value = dice.one_in(15) ? 0 : value + dice.roll(growth + 1);
    if (dice.one_in(10)) continue;
    lines += selector + " " + (is_odd && dice.one_in(2) ? odd : std::to_string(value)) + " " +
             std::to_string(kBegin + i * kEvery) + "\n";
  }
  return lines;
}

std::string random_samples(Dice& dice) {
  std::string text;
  for (const char* metric : {"m_total", "n_total", "level"}) {
    std::set<std::string> seen;  // with empty labels taken out: two writings of one series
    for (int i = 0; i < 150; ++i) {
      std::string labels;
      add_label(dice, labels, "app", kApps);
      add_label(dice, labels, "code", kCodes);
      add_label(dice, labels, "pod", kPods);
      add_label(dice, labels, "version", kVersions);
      std::string key = labels;
      for (const char* name : {"app", "code", "pod", "version"}) {
        const std::string empty = std::string(name) + "=\"\"";
        if (const auto at = key.find(empty); at != std::string::npos) key.erase(at, empty.size());
      }
      std::erase(key, ',');
      if (seen.insert(key).second)
        text += samples_of(dice, std::string(metric) + "{" + labels + "}");
    }
  }
  // What has none of the labels, and what has one of them alone.
  text += samples_of(dice, dice.one_in(2) ? "bare" : "bare{pod=\"p1\"}");
  return text + samples_of(dice, "versions{version=\"1.1\"}");
}

// A query of the closed list, written in one of the ways it can be written.
class Writer {
 public:
  explicit Writer(Dice& dice) : dice_(dice) {
    while (picks_.empty()) {
      for (const auto& [label, variable] :
           {std::pair{"app", "service"}, {"version", "candidate"}, {"code", "args.code"}})
        if (dice_.roll(2) == 0) picks_.emplace_back(label, variable);
    }
    for (const char* label : {"pod", "version", "code"})
      if (dice_.one_in(4)) by_.insert(label);
  }

  std::string query() {
    const int shape = dice_.roll(3);
    if (shape == 0) return wrapped(aggregation(by_));
    if (shape == 1 && dice_.roll(3) > 0) by_.clear();
    if (shape == 1 && !by_.empty() && !by_.contains(picks_[0].first)) by_.insert(picks_[0].first);
    if (shape == 1)
      return wrapped(wrapped(aggregation(by_)) + space() + "/" + space() +
                     wrapped(aggregation(by_)));
    return wrapped("(" + aggregation({}) + " or vector(0))" + space() + "/" + space() +
                   wrapped(aggregation({})));
  }

 private:
  std::string space() { return dice_.of<std::string>({"", " ", "\n  ", " # so {much}\n"}); }
  std::string wrapped(const std::string& text) {
    return dice_.one_in(4) ? "(" + space() + text + space() + ")" : text;
  }

  std::string by(const std::set<std::string>& labels) {
    std::string text = "by" + space() + "(";
    for (const std::string& label : labels) text += (text.back() == '(' ? "" : ", ") + label;
    return text + (dice_.one_in(3) && !labels.empty() ? ",)" : ")");
  }

  std::string aggregation(const std::set<std::string>& labels) {
    const std::string name = dice_.of<std::string>(
        {"sum", "sum", "avg", "min", "max", "count", "group", "stddev", "stdvar", "Sum"});
    const std::string inside = "(" + space() + this->inside() + space() + ")";
    if (labels.empty() && dice_.roll(4) > 0) return name + inside;
    if (dice_.roll(2) == 0) return name + " " + by(labels) + " " + inside;
    return name + inside + " " + by(labels);
  }

  std::string inside() {
    if (dice_.one_in(4)) return dice_.of<std::string>({"level", "bare"}) + matchers();
    static const std::vector<std::string> functions = {"rate",
                                                       "rate",
                                                       "increase",
                                                       "increase",
                                                       "irate",
                                                       "delta",
                                                       "idelta",
                                                       "deriv",
                                                       "changes",
                                                       "resets",
                                                       "avg_over_time",
                                                       "min_over_time",
                                                       "max_over_time",
                                                       "sum_over_time",
                                                       "last_over_time",
                                                       "count_over_time",
                                                       "stddev_over_time",
                                                       "stdvar_over_time",
                                                       "present_over_time"};
    return dice_.of(functions) + "(" + metric() + matchers() +
           dice_.of<std::string>({"[2m]", "[5m]", "[{{window}}]"}) + ")";
  }

  std::string metric() {
    return dice_.of<std::string>(
        {"m_total", "m_total", "n_total", "n_total", "level", "bare", "versions"});
  }

  std::string matchers() {
    std::vector<std::string> all;
    for (const auto& [label, variable] : picks_) {
      const char quote = dice_.one_in(3) ? '\'' : '"';
      all.push_back(label + space() + "=" + quote + "{{" + variable + "}}" + quote);
    }
    static const std::vector<std::string> fixed = {
        R"(code=~"5..")",   R"(code!~"5..")",    R"(code!="")",       R"(pod="p1")",
        R"(pod=~"p[01]|")", R"(pod!="p0")",      R"(version=~"1.*")", R"(version!="1.1")",
        R"(app!="b")",      R"(app=~"a|b|ä.*")", R"(nobody="")",      R"(code="500")"};
    for (int i = dice_.roll(3); i > 0; --i) all.push_back(dice_.of(fixed));
    for (std::size_t i = all.size(); i > 1; --i)
      std::swap(all[i - 1], all[static_cast<std::size_t>(dice_.roll(static_cast<int>(i)))]);
    std::string text = "{";
    for (const std::string& matcher : all) text += (text == "{" ? "" : ",") + matcher;
    return text + (dice_.one_in(5) ? ",}" : "}");
  }

  Dice& dice_;
  std::vector<std::pair<std::string, std::string>> picks_;
  std::set<std::string> by_;
};

struct Rollout {
  std::string app, version, code;
  std::optional<std::string> value(std::string_view name) const {
    if (name == "service") return app;
    if (name == "candidate") return version;
    if (name == "args.code") return code;
    return name == "window" ? std::optional<std::string>("3m") : std::nullopt;
  }
  std::string name() const { return app + " " + version + " " + code; }
};

Rollout random_rollout(Dice& dice) {
  return {decoded(dice.of(kApps)), dice.one_in(8) ? "never" : dice.of(kVersions), dice.of(kCodes)};
}

Question question(const std::string& server, const std::string& query, std::int64_t at) {
  Question asked;
  asked.datasource = server;
  asked.query = query;
  asked.time = SysTime{std::chrono::seconds(at)};
  return asked;
}

// In one order, and without empty labels, which VictoriaMetrics shows and which are none.
Answer in_order(const Answer& answer) {
  const auto* vector = std::get_if<Vector>(&answer.result);
  if (vector == nullptr) return answer;
  std::vector<Series> series(vector->series.begin(), vector->series.end());
  for (Series& one : series) {
    std::erase_if(one.labels, [](const Label& label) { return label.value.empty(); });
    std::sort(one.labels.begin(), one.labels.end(),
              [](const Label& a, const Label& b) { return a.name < b.name; });
  }
  std::sort(series.begin(), series.end(),
            [](const Series& a, const Series& b) { return series_name(a) < series_name(b); });
  Answer sorted = answer;
  sorted.result = Vector{SeriesList(std::move(series))};
  return sorted;
}

// What is added up in another order may differ in its last bits.
bool equal_value(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  return a == b || std::fabs(a - b) <= 1e-9 * std::fmax(1, std::fmax(std::fabs(a), std::fabs(b)));
}

std::string in_words(const Answer& answer) {
  if (const auto* failure = std::get_if<QueryFailure>(&answer.result)) return failure->message;
  const auto* vector = std::get_if<Vector>(&answer.result);
  if (vector == nullptr) return "no vector";
  std::string text;
  for (const Series& series : vector->series)
    text += "{" + series_name(series) + " " + std::to_string(series.value) + "} ";
  return text;
}

bool same_answer(const Answer& a, const Answer& b) {
  const auto* one = std::get_if<Vector>(&a.result);
  const auto* other = std::get_if<Vector>(&b.result);
  return one != nullptr && other != nullptr &&
         std::equal(one->series.begin(), one->series.end(), other->series.begin(),
                    other->series.end(), [](const Series& x, const Series& y) {
                      return x.labels == y.labels && equal_value(x.value, y.value);
                    });
}

ConditionPlan condition(const promql::QueryTemplate& query, const Rule& rule, Reduce reduce) {
  return ConditionPlan{.name = "c",
                       .kind = ThresholdCondition{query, rule, reduce, {}, 100},
                       .timeout = std::nullopt,
                       .steps = {}};
}

// Every way to judge, with limits that no sum of whole numbers lies on.
std::vector<ConditionPlan> conditions(const promql::QueryTemplate& query) {
  std::vector<ConditionPlan> all;
  Rule rule;
  rule.fail_if = Comparison{CompareOp::kGreater, 0.3141592};
  rule.pass_if = Comparison{CompareOp::kLess, 0.0271828};
  for (const Reduce reduce :
       {Reduce::kEach, Reduce::kMax, Reduce::kMin, Reduce::kSum, Reduce::kAvg, Reduce::kOne})
    all.push_back(condition(query, rule, reduce));
  for (const SeriesRule series : {SeriesRule::kAnySeriesFails, SeriesRule::kNoSeriesFails})
    all.push_back(condition(query, Rule{series, {}, {}}, Reduce::kEach));
  return all;
}

// Of two series that are equal but for their last bits, whichever is the larger is named: so these
// are taken off.
Answer rounded(const Answer& answer) {
  Answer result = answer;
  std::vector<Series> series;
  for (const Series& one : std::get<Vector>(answer.result).series) {
    series.push_back(one);
    if (std::isfinite(one.value)) series.back().value = std::round(one.value * 1e7) / 1e7;
  }
  result.result = Vector{SeriesList(std::move(series))};
  return result;
}

std::string judged(const promql::QueryTemplate& query, const Answer& given) {
  const Answer answer = rounded(given);
  std::string text;
  for (const ConditionPlan& plan : conditions(query)) {
    const Judgement j = judge(plan, answer, nullptr, JudgeContext{});
    text += std::string(name_of(j.outcome)) + "/" + std::string(name_of(j.cause)) + " " + j.series +
            "; ";
  }
  return text;
}

TEST(SharingRealTest, AShareIsTheAnswerToTheRolloutsOwnQuestion) {
  const unsigned seed = from_environment("ROLLWATCH_SHARE_SEED", 1);
  const unsigned queries = from_environment("ROLLWATCH_SHARE_QUERIES", 120);
  SCOPED_TRACE("ROLLWATCH_SHARE_SEED=" + std::to_string(seed));
  Dice dice(seed);
  BothServers servers(random_samples(dice));
  constexpr std::int64_t kEnd = kBegin + kSamples * kEvery;
  const std::vector<std::int64_t> times = {kEnd - 15, kEnd - 301, kBegin + 130};

  std::size_t empty = 0, single = 0, several = 0, not_a_number = 0, shared_by_several = 0;
  for (unsigned i = 0; i < queries; ++i) {
    const std::string text = Writer(dice).query();
    const auto query = promql::parse_query_template(text);
    ASSERT_TRUE(query) << text;
    const auto joined = promql::join_labels(*query);
    ASSERT_TRUE(joined) << "is on the list: " << text;
    std::vector<Rollout> rollouts;
    for (int n = 0; n < 10; ++n) rollouts.push_back(random_rollout(dice));
    std::vector<Question> questions;
    for (const char* server : kBoth) {
      for (const std::int64_t time : times) {
        const auto of_all = promql::render(
            joined->query, [&](std::string_view name) { return rollouts[0].value(name); });
        ASSERT_TRUE(of_all);
        questions.push_back(question(server, *of_all, time));
        for (const Rollout& rollout : rollouts) {
          const auto own =
              promql::render(*query, [&](std::string_view name) { return rollout.value(name); });
          ASSERT_TRUE(own) << own.error().message;
          questions.push_back(question(server, *own, time));
        }
      }
    }
    const std::vector<Answer> answers = servers.ask(questions);
    for (std::size_t batch = 0; batch < answers.size(); batch += rollouts.size() + 1) {
      ASSERT_TRUE(std::holds_alternative<Vector>(answers[batch].result))
          << questions[batch].query.str() << ": " << in_words(answers[batch]);
      std::size_t with_answer = 0;
      for (std::size_t n = 0; n < rollouts.size(); ++n) {
        std::vector<Label> picks;
        for (const auto& pick : joined->picks)
          picks.push_back({pick.label, *rollouts[n].value(pick.variable)});
        const Answer share = in_order(share_of(answers[batch], picks, joined->added));
        const Answer own = in_order(answers[batch + 1 + n]);
        ASSERT_TRUE(same_answer(own, share))
            << questions[batch].datasource << " at " << format_time(questions[batch].time) << "\n"
            << text << "\n"
            << questions[batch].query.str() << "\nrollout " << rollouts[n].name()
            << "\nalone: " << in_words(own) << "\nshare: " << in_words(share);
        ASSERT_EQ(judged(*query, own), judged(*query, share)) << text;
        const SeriesList& series = std::get<Vector>(own.result).series;
        empty += series.empty() ? 1U : 0U;
        single += series.size() == 1 ? 1U : 0U;
        several += series.size() > 1 ? 1U : 0U;
        with_answer += series.empty() ? 0U : 1U;
        not_a_number += std::any_of(series.begin(), series.end(),
                                    [](const Series& s) { return !std::isfinite(s.value); })
                            ? 1U
                            : 0U;
      }
      shared_by_several += with_answer > 1 ? 1U : 0U;
    }
  }
  // Or nothing was compared.
  EXPECT_GT(empty, queries);
  EXPECT_GT(single, queries);
  EXPECT_GT(several, queries);
  EXPECT_GT(not_a_number, queries / 10);
  EXPECT_GT(shared_by_several, queries);
}

}  // namespace
}  // namespace rollwatch
