// The PromQL corpus: expressions of the kinds that mixins hold, each with what the scanner must
// make of it, and series to ask them of. The *.promql files beside this one are written to be read:
//
//   series up{job="node"}  1 0 +2        what the series is in each of three periods: a number, a
//                                        growth by second, or none
//   trailing: a host is down             class and name of a row
//     | up{job="node"}⟦ == 0⟧            the expression, line by line; ⟦ ⟧ hold what is taken off
//     rule == 0                          … and becomes this
//     given service = it's               a variable's value, raw (␤ is a line break)
//     = up{job="node"}                   what is sent, variables rendered; a row that gives values
//                                        has it
//     answers 1                          the single value of what is sent, in the last period
//
// The other classes: `plain:` has no comparison to take off; `left alone:` has one that must stay,
// and `why` says what people are told; `refused:` has `at 1:6 words` for an expression that is
// refused at line 1, column 6, or `says words` for a value that does not fit its place. `only
// victoria` marks what Prometheus does not understand. Deeper lines go on with the one above.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace rollwatch {

enum class CorpusClass { kTrailing, kPlain, kLeftAlone, kRefused };

struct CorpusRow {
  CorpusClass kind = CorpusClass::kPlain;
  std::string place;  // "node.promql:12"
  std::string name;
  std::string query;  // as a person writes it
  std::string rest;   // trailing: without what is taken off; else the query
  std::string rule;   // trailing
  std::string why;    // left alone
  std::string error;  // refused: "1:6 words", or the words about a value
  bool refuses_value = false;
  std::map<std::string, std::string> given;
  std::optional<std::string> sent;
  std::optional<double> answers;
  bool only_victoria = false;

  // The variables' values: the row's own, else those every row has; nothing for an unknown name.
  std::optional<std::string> value(const std::string& variable) const;
};

struct CorpusSeries {
  std::string selector;             // as the exposition format writes it
  std::vector<std::string> values;  // one for each period
};

struct Corpus {
  std::vector<CorpusRow> rows;
  std::vector<CorpusSeries> series;

  std::vector<CorpusRow> of(CorpusClass kind) const;
  // One sample each 30 s over three periods of 20 minutes, with timestamps in seconds.
  std::string samples() const;
};

// Seconds since the epoch at which each period ends.
std::vector<std::int64_t> corpus_times();

// All files; throws std::runtime_error with "file:line: what is wrong" for what it cannot read.
Corpus read_corpus();

// One file's text.
void read_corpus_file(const std::string& name, const std::string& text, Corpus& corpus);

}  // namespace rollwatch
