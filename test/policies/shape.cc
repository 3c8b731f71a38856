#include "test/policies/shape.h"

#include <set>
#include <sstream>
#include <stdexcept>

#include "analysis/time.h"

namespace rollwatch {
namespace {

constexpr std::int64_t kScrape = 15;
constexpr std::string_view kOtherwise = "victoria:";

std::string number(double value) {
  std::ostringstream text;
  text.precision(17);
  text << value;
  return text.str();
}

// Without the spaces between labels, which OpenMetrics does not allow.
std::string packed(const std::string& labels) {
  std::string text;
  bool quoted = false;
  for (const char c : labels) {
    if (c == '"') quoted = !quoted;
    if (quoted || c != ' ') text += c;
  }
  return text;
}

std::optional<Outcome> outcome_named(const std::string& name) {
  for (const Outcome outcome :
       {Outcome::kPass, Outcome::kFail, Outcome::kInconclusive, Outcome::kNoData}) {
    if (name_of(outcome) == name) return outcome;
  }
  return std::nullopt;
}

class Reader {
 public:
  Reader(const std::string& file, const std::string& text) : lines_(text) { shape_.file = file; }

  Shape read() {
    std::string line;
    while (std::getline(lines_, line)) {
      ++line_number_;
      const std::size_t begin = line.find_first_not_of(' ');
      if (begin == std::string::npos || line[begin] == '#') continue;
      if (begin == 0) {
        read_head(line);
      } else {
        read_series_or_expectation(line.substr(begin));
      }
    }
    return std::move(shape_);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw std::runtime_error(shape_.file + ":" + std::to_string(line_number_) + ": " + what);
  }

  void read_head(const std::string& line) {
    std::istringstream words(line);
    std::string word;
    words >> word;
    in_block_ = word == "candidate" || word == "others";
    version_.clear();
    if (word == "policy") {
      words >> shape_.policy;
    } else if (word == "service") {
      std::string in;
      words >> shape_.service >> in >> shape_.ns;
    } else if (word == "args") {
      for (std::string arg; words >> arg;)
        shape_.args[arg.substr(0, arg.find('='))] = arg.substr(arg.find('=') + 1);
    } else if (word == "buckets") {
      buckets_.clear();
      for (std::string bound; words >> bound;) buckets_.push_back(bound);
      buckets_.emplace_back("+Inf");
    } else if (word == "candidate") {
      const std::size_t colon = line.find(": ");
      if (colon == std::string::npos) fail("write `candidate VERSION: what it is like`");
      shape_.candidates.push_back({line.substr(10, colon - 10), line.substr(colon + 2), {}});
      version_ = shape_.candidates.back().version;
    } else if (word != "others") {
      fail("unknown word \"" + word + "\"");
    }
  }

  void read_series_or_expectation(const std::string& line) {
    if (!in_block_) fail("belongs to no candidate");
    if (line.starts_with("expect ")) {
      read_expectation(line);
      return;
    }
    const bool histogram = line.starts_with("histogram ");
    const std::size_t begin = histogram ? 10 : 0;
    const std::size_t brace = line.find('{');
    const std::size_t end = line.rfind('}');
    if (brace == std::string::npos || end == std::string::npos) fail("a series needs { and }");
    const std::string name = line.substr(begin, brace - begin);
    const std::string labels =
        packed(with_candidate(line.substr(brace + 1, end - brace - 1), version_));
    std::istringstream values(line.substr(end + 1));
    if (histogram) {
      write_histogram(name, labels, values);
    } else {
      write_series(name, labels, values);
    }
  }

  void read_expectation(const std::string& line) {
    std::istringstream words(line);
    std::string expect, condition, name;
    words >> expect >> condition >> name;
    const auto outcome = outcome_named(name);
    if (!outcome) fail("\"" + name + "\" is no outcome that can be expected");
    Expectation expectation{*outcome, std::nullopt, std::nullopt};
    for (std::string word; words >> word;) {
      if (!word.starts_with(kOtherwise)) {
        expectation.value = std::stod(word);
        continue;
      }
      expectation.at_victoria = outcome_named(word.substr(kOtherwise.size()));
      if (!expectation.at_victoria) fail("\"" + word + "\" is no outcome that can be expected");
    }
    if (!shape_.candidates.back().judged.emplace(condition, expectation).second)
      fail("expects twice of " + condition);
  }

  template <class ValueAt>
  void write(const std::string& name, const std::string& labels, const ValueAt& value_at,
             std::int64_t begins_ago = kShapeSpan) {
    const std::string series = name + "{" + labels + "}";
    if (!written_.insert(series).second) fail(series + " is there twice");
    for (std::int64_t ago = begins_ago; ago >= 0; ago -= kScrape) {
      const std::int64_t scrape = (kShapeSpan - ago) / kScrape;
      shape_.samples += series + " " + number(value_at(kShapeEnd - ago, scrape)) + " " +
                        std::to_string(kShapeEnd - ago) + "\n";
    }
  }

  // A counter has counted before the data begins.
  void write_counter(const std::string& name, const std::string& labels, double growth) {
    write(name, labels, [growth](std::int64_t, std::int64_t scrape) {
      return 1000 + growth * static_cast<double>(scrape);
    });
  }

  std::int64_t read_seconds(std::istream& values) const {
    std::string text;
    values >> text;
    const auto span = parse_duration(text);
    if (!span || span->count() % 1000 != 0) fail("\"" + text + "\" is no duration in seconds");
    return span->count() / 1000;
  }

  void write_series(const std::string& name, const std::string& labels, std::istream& values) {
    std::string word;
    values >> word;
    const std::size_t dots = word.find("..");
    if (word == "ago") {
      const auto moment = static_cast<double>(kShapeEnd - read_seconds(values));
      write(name, labels, [&](std::int64_t, std::int64_t) { return moment; });
    } else if (word == "every") {
      const std::int64_t seconds = read_seconds(values);
      write(name, labels,
            [&](std::int64_t at, std::int64_t) { return static_cast<double>(at - at % seconds); });
    } else if (word == "born") {
      const std::int64_t seconds = read_seconds(values);
      double value = 0;
      values >> value;
      write(
          name, labels, [&](std::int64_t, std::int64_t) { return value; }, seconds);
    } else if (word.starts_with("+")) {
      write_counter(name, labels, std::stod(word.substr(1)));
    } else if (dots != std::string::npos) {
      const double low = std::stod(word.substr(0, dots));
      const double high = std::stod(word.substr(dots + 2));
      write(name, labels,
            [&](std::int64_t, std::int64_t scrape) { return scrape % 2 == 0 ? low : high; });
    } else {
      const double value = std::stod(word);
      write(name, labels, [&](std::int64_t, std::int64_t) { return value; });
    }
  }

  void write_histogram(const std::string& name, const std::string& labels, std::istream& values) {
    std::map<std::string, double> observed;
    for (std::string word; values >> word;) {
      const std::size_t colon = word.find(':');
      if (colon == std::string::npos) fail("write BOUND:OBSERVATIONS");
      observed[word.substr(0, colon)] = std::stod(word.substr(colon + 1));
    }
    double below = 0;
    const std::string separator = labels.empty() ? "" : ",";
    for (const std::string& bound : buckets_) {
      const auto at = observed.find(bound);
      if (at != observed.end()) {
        below += at->second;
        observed.erase(at);
      }
      write_counter(name + "_bucket", labels + separator + "le=\"" + bound + "\"", below);
    }
    if (!observed.empty()) fail("there is no bucket " + observed.begin()->first);
    write_counter(name + "_count", labels, below);
    write_counter(name + "_sum", labels, below);
  }

  Shape shape_;
  std::istringstream lines_;
  int line_number_ = 0;
  bool in_block_ = false;
  std::string version_;
  std::vector<std::string> buckets_{"+Inf"};
  std::set<std::string> written_;
};

}  // namespace

std::string with_candidate(std::string text, const std::string& version) {
  const std::string variable = "{{candidate}}";
  for (std::size_t at = text.find(variable); at != std::string::npos; at = text.find(variable, at))
    text.replace(at, variable.size(), version);
  return text;
}

Shape read_shape(const std::string& file, const std::string& text) {
  return Reader(file, text).read();
}

}  // namespace rollwatch
