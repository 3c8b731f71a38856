#include "test/promql_corpus/corpus.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "analysis/comparison.h"

namespace rollwatch {
namespace {

constexpr std::string_view kOpen = "⟦";
constexpr std::string_view kClose = "⟧";

constexpr std::int64_t kStart = 1'767'319'200;  // 2026-01-02T02:00:00Z
constexpr std::int64_t kStep = 30;
constexpr std::int64_t kStepsPerPeriod = 40;
constexpr std::size_t kPeriods = 3;

const std::map<std::string, std::string>& common_values() {
  static const std::map<std::string, std::string> values = {
      {"service", "checkout"}, {"namespace", "payments"}, {"target", "eu-1"},
      {"candidate", "1.24.0"}, {"stable", "1.23.4"},      {"window", "5m"},
      {"step", "1"},           {"weight", "25"},          {"id", "ro_01"},
      {"args.limit", "0.05"},  {"args.quantile", "0.9"},  {"labels.team", "core"}};
  return values;
}

void replace_all(std::string& text, std::string_view what, std::string_view with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size()) {
    text.replace(at, what.size(), with);
  }
}

// Without the signs ⟦ ⟧, and without what stands between them.
struct Marked {
  std::string whole;
  std::string rest;
};
Marked marked(std::string_view text) {
  Marked result;
  bool inside = false;
  while (!text.empty()) {
    if (text.starts_with(kOpen) || text.starts_with(kClose)) {
      inside = text.starts_with(kOpen);
      text.remove_prefix(kOpen.size());
      continue;
    }
    result.whole += text.front();
    if (!inside) result.rest += text.front();
    text.remove_prefix(1);
  }
  return result;
}

// Reads one file line by line; the row under way is the last one.
class Reader {
 public:
  Reader(const std::string& name, Corpus& corpus) : name_(name), corpus_(corpus) {}

  void read(const std::string& text) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      ++number_;
      read_line(line);
    }
    finish_row();
  }

 private:
  [[noreturn]] void wrong(const std::string& what) const {
    throw std::runtime_error(place() + ": " + what);
  }
  std::string place() const { return name_ + ":" + std::to_string(number_); }

  void read_line(const std::string& line) {
    if (line.empty() || line.front() == '#') return;
    if (line.starts_with("series ")) return read_series(line.substr(7));
    if (line.starts_with("    ")) return go_on(line);
    if (line.starts_with("  ")) return read_detail(line.substr(2));
    begin_row(line);
  }

  void read_series(const std::string& text) {
    CorpusSeries series;
    std::string selector = text;
    for (std::size_t i = 0; i < kPeriods; ++i) {
      const std::size_t space = selector.find_last_of(' ');
      if (space == std::string::npos) wrong("a series has a selector and three values");
      series.values.insert(series.values.begin(), selector.substr(space + 1));
      selector.erase(selector.find_last_not_of(' ', space) + 1);
    }
    for (const std::string& value : series.values) {
      const std::string number = value.starts_with('+') ? value.substr(1) : value;
      if (value != "none" && !parse_finite(number)) wrong("'" + value + "' is no value");
    }
    series.selector = selector;
    corpus_.series.push_back(std::move(series));
  }

  void begin_row(const std::string& line) {
    static const std::map<std::string, CorpusClass> kClasses = {
        {"trailing", CorpusClass::kTrailing},
        {"plain", CorpusClass::kPlain},
        {"left alone", CorpusClass::kLeftAlone},
        {"refused", CorpusClass::kRefused}};
    finish_row();
    const std::size_t colon = line.find(": ");
    const auto kind = kClasses.find(line.substr(0, colon));
    if (colon == std::string::npos || kind == kClasses.end()) wrong("no class of rows: " + line);
    row_.emplace();
    row_->kind = kind->second;
    row_->place = place();
    row_->name = line.substr(colon + 2);
  }

  void read_detail(const std::string& line) {
    if (!row_) wrong("a detail without a row");
    const std::size_t space = line.find(' ');
    const std::string key = line.substr(0, space);
    const std::string text = space == std::string::npos ? "" : line.substr(space + 1);
    open_text_ = nullptr;
    if (key == "|") {
      add_line(query_, text);
    } else if (key == "=") {
      add_line(row_->sent, text);
    } else if (key == "rule") {
      row_->rule = text;
    } else if (key == "why") {
      row_->why = text;
      open_text_ = &row_->why;
    } else if (key == "at" || key == "says") {
      row_->refuses_value = key == "says";
      row_->error = text;
      open_text_ = &row_->error;
    } else if (key == "answers") {
      row_->answers = parse_finite(text);
      if (!row_->answers) wrong("'" + text + "' is no value");
    } else if (key == "given") {
      read_value(text);
    } else if (line == "only victoria") {
      row_->only_victoria = true;
    } else {
      wrong("no such detail: " + key);
    }
  }

  static void add_line(std::optional<std::string>& text, const std::string& line) {
    text = text ? *text + "\n" + line : line;
  }

  void read_value(const std::string& text) {
    const std::size_t equal = text.find(" =");
    if (equal == std::string::npos) wrong("given NAME = VALUE");
    std::string value = text.size() > equal + 3 ? text.substr(equal + 3) : "";
    replace_all(value, "␤", "\n");
    row_->given[text.substr(0, equal)] = value;
  }

  void go_on(const std::string& line) {
    if (!row_ || open_text_ == nullptr) wrong("nothing to go on with");
    *open_text_ += " " + line.substr(line.find_first_not_of(' '));
  }

  void finish_row() {
    if (!row_) return;
    CorpusRow& row = *row_;
    if (!query_) wrong("the row above has no expression");
    Marked texts = marked(*query_);
    row.query = std::move(texts.whole);
    row.rest = std::move(texts.rest);
    const bool trailing = row.kind == CorpusClass::kTrailing;
    if (trailing == (row.rest == row.query)) wrong("in trailing rows ⟦ ⟧ hold what is taken off");
    if (trailing == row.rule.empty()) wrong("trailing rows have a rule");
    if ((row.kind == CorpusClass::kLeftAlone) == row.why.empty()) {
      wrong("rows that are left alone say why");
    }
    if ((row.kind == CorpusClass::kRefused) == row.error.empty()) wrong("refused rows say at what");
    if (row.kind != CorpusClass::kRefused && !row.given.empty() && !row.sent) {
      wrong("a row that gives values says what is sent");
    }
    corpus_.rows.push_back(std::move(row));
    row_.reset();
    query_.reset();
    open_text_ = nullptr;
  }

  const std::string& name_;
  Corpus& corpus_;
  int number_ = 0;
  std::optional<CorpusRow> row_;
  std::optional<std::string> query_;  // of row_, with its signs
  std::string* open_text_ = nullptr;  // of row_: what a deeper line goes on with
};

// The samples of one series. Growth adds up over the periods.
void append_samples(const CorpusSeries& series, std::string& out) {
  double total = 0;
  for (std::int64_t step = 0; step <= kStepsPerPeriod * static_cast<std::int64_t>(kPeriods);
       ++step) {
    const std::int64_t period = step == 0 ? 0 : (step - 1) / kStepsPerPeriod;
    const std::string& value = series.values[static_cast<std::size_t>(period)];
    if (value == "none") continue;
    if (value.starts_with('+')) {
      if (step > 0) total += *parse_finite(value.substr(1)) * kStep;
    } else {
      total = *parse_finite(value);
    }
    out += series.selector + " " + format_exact(total) + " " +
           std::to_string(kStart + step * kStep) + "\n";
  }
}

}  // namespace

std::optional<std::string> CorpusRow::value(const std::string& variable) const {
  for (const auto* values : {&given, &common_values()}) {
    const auto found = values->find(variable);
    if (found != values->end()) return found->second;
  }
  return std::nullopt;
}

std::vector<CorpusRow> Corpus::of(CorpusClass kind) const {
  std::vector<CorpusRow> found;
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(found),
               [kind](const CorpusRow& row) { return row.kind == kind; });
  return found;
}

std::string Corpus::samples() const {
  std::string out;
  for (const CorpusSeries& one : series) append_samples(one, out);
  return out;
}

std::vector<std::int64_t> corpus_times() {
  std::vector<std::int64_t> times;
  for (std::size_t period = 1; period <= kPeriods; ++period) {
    times.push_back(kStart + static_cast<std::int64_t>(period) * kStepsPerPeriod * kStep);
  }
  return times;
}

void read_corpus_file(const std::string& name, const std::string& text, Corpus& corpus) {
  Reader(name, corpus).read(text);
}

Corpus read_corpus() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(ROLLWATCH_PROMQL_CORPUS)) {
    if (entry.path().extension() == ".promql") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  Corpus corpus;
  for (const auto& file : files) {
    std::ifstream in(file);
    std::ostringstream text;
    text << in.rdbuf();
    read_corpus_file(file.filename().string(), text.str(), corpus);
  }
  return corpus;
}

}  // namespace rollwatch
