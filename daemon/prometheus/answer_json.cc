#include "daemon/prometheus/answer_json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <utility>

#include "analysis/text.h"
#include "daemon/prometheus/json_scanner.h"

namespace rollwatch {

namespace {

using namespace std::string_view_literals;

// Deeper than any answer of the API; what a server puts beside it ("stats", "trace") fits in as
// well.
constexpr std::size_t kMaxDepth = 64;
constexpr std::size_t kLongestQuote = 80;

// A sample's value as Prometheus writes it: "0.05", "1e+06", "NaN", "+Inf".
std::optional<double> read_value(std::string_view text) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "+Inf" || text == "Inf") return kInfinity;
  if (text == "-Inf") return -kInfinity;
  // from_chars takes words such as "inf" and "nan" too; a number begins with a digit.
  const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
  if (digits.empty() || digits[0] < '0' || digits[0] > '9') return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool has_duplicate_name(const std::vector<Label>& labels) {
  const auto not_after = [](const Label& a, const Label& b) { return a.name >= b.name; };
  if (std::adjacent_find(labels.begin(), labels.end(), not_after) == labels.end())
    return false;  // the usual order
  std::vector<std::string_view> names;
  names.reserve(labels.size());
  for (const Label& label : labels) names.push_back(label.name);
  std::sort(names.begin(), names.end());
  return std::adjacent_find(names.begin(), names.end()) != names.end();
}

std::string in_quotes(std::string_view text) { return "\"" + cut(text, kLongestQuote) + "\""; }

// Follows the document with a stack of places. Each value is taken or refused where it stands; what
// is in no place of interest is skipped.
class Reader {
 public:
  // What JsonScanner asks for; false ends the reading.
  bool null() { return take(Kind::kNull, nullptr); }
  bool boolean(bool value) {
    boolean_ = value;
    return take(Kind::kBool, nullptr);
  }
  bool number() { return take(Kind::kNumber, nullptr); }
  bool string(std::string& text) { return take(Kind::kString, &text); }
  bool key(std::string& name) {
    key_.swap(name);
    return true;
  }
  bool start_object() { return open(Kind::kObject); }
  bool start_array() { return open(Kind::kArray); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }
  void parse_error(std::size_t byte) { fail("not valid JSON at byte " + std::to_string(byte)); }

  Expected<AnswerJson, std::string> result();
  Unexpected<std::string> error() { return Unexpected(std::move(error_)); }

 private:
  enum class Kind : unsigned char { kNull, kBool, kNumber, kString, kObject, kArray };
  enum class Place : unsigned char {
    kTop,
    kData,
    kResult,
    kElement,
    kMetric,
    kSample,
    kWarnings,
    kSkipped
  };

  bool fail(std::string text) {
    if (error_.empty()) error_ = std::move(text);
    return false;
  }
  bool expect(bool holds, const char* what) { return holds || fail(what); }
  // A key the API gives once: a second one could hide the first from whoever else reads the answer.
  bool once(bool& seen) {
    return !std::exchange(seen, true) || fail(in_quotes(key_) + " is given twice");
  }

  bool take(Kind kind, std::string* text);
  bool take_top(Kind kind, std::string* text);
  bool take_sample(Kind kind, std::string* text);
  bool take_loose(Kind kind, std::string* text);
  bool open(Kind kind);
  std::optional<Place> place_of(Kind kind);
  std::optional<Place> place_in_top(Kind kind);
  std::optional<Place> place_in_data(Kind kind);
  std::optional<Place> place_in_element(Kind kind);
  bool close();
  bool close_element();

  std::array<Place, kMaxDepth> places_{};
  std::size_t depth_ = 0;
  std::string key_;
  bool boolean_ = false;
  std::string error_;

  AnswerJson answer_;
  std::string status_, type_;
  bool seen_status_ = false, seen_data_ = false, seen_type_ = false, seen_result_ = false,
       seen_error_ = false;
  bool seen_error_type_ = false, seen_partial_ = false, seen_warnings_ = false;

  // The result, of whichever type: "resultType" may come after it.
  Vector vector_;
  std::size_t ranges_ = 0, histograms_ = 0;  // elements that are not one number
  std::size_t loose_ = 0;                    // values directly in "result", as a scalar has them
  bool loose_number_first_ = false;
  std::optional<std::string> loose_text_;

  // The element being read.
  Series series_;
  bool has_metric_ = false, has_value_ = false, has_range_ = false, has_histogram_ = false;
  std::size_t sample_index_ = 0;
};

bool Reader::take(Kind kind, std::string* text) {
  if (depth_ == 0) return fail("not a JSON object");
  switch (places_[depth_ - 1]) {
    case Place::kTop:
      return take_top(kind, text);
    case Place::kData:
      if (key_ == "resultType"sv) {
        if (!once(seen_type_) || !expect(text, "\"resultType\" is not a string")) return false;
        type_ = std::move(*text);
      }
      return expect(key_ != "result"sv, "\"result\" is not an array");
    case Place::kResult:
      return take_loose(kind, text);
    case Place::kElement:
      return expect(key_ != "metric"sv, "\"metric\" is not an object") &&
             expect(key_ != "value"sv, "\"value\" is not a pair of time and value") &&
             expect(key_ != "values"sv && key_ != "histogram"sv && key_ != "histograms"sv,
                    "\"histogram\" or \"values\" is not an array");
    case Place::kMetric:
      if (!expect(text, "a label's value is not a string")) return false;
      series_.labels.push_back({std::move(key_), std::move(*text)});
      return true;
    case Place::kSample:
      return take_sample(kind, text);
    case Place::kWarnings:
      if (!expect(text, "a warning is not a string")) return false;
      answer_.warnings.push_back(std::move(*text));
      return true;
    case Place::kSkipped:
      return true;
  }
  return true;
}

bool Reader::take_top(Kind kind, std::string* text) {
  if (key_ == "status"sv) {
    if (!once(seen_status_) || !expect(text, "\"status\" is not a string")) return false;
    status_ = std::move(*text);
  } else if (key_ == "errorType"sv) {
    if (!once(seen_error_type_) || !expect(text, "\"errorType\" is not a string")) return false;
    answer_.error_type = std::move(*text);
  } else if (key_ == "error"sv) {
    if (!once(seen_error_) || !expect(text, "\"error\" is not a string")) return false;
    answer_.error = std::move(*text);
  } else if (key_ == "isPartial"sv) {
    if (!once(seen_partial_) || !expect(kind == Kind::kBool, "\"isPartial\" is not true or false"))
      return false;
    answer_.partial = boolean_;
  } else if (key_ == "warnings"sv) {
    return once(seen_warnings_) && expect(kind == Kind::kNull, "\"warnings\" is not an array");
  } else if (key_ == "data"sv) {
    return once(seen_data_) && expect(kind == Kind::kNull, "\"data\" is not an object");
  }
  return true;
}

bool Reader::take_sample(Kind kind, std::string* text) {
  switch (sample_index_++) {
    case 0:
      return expect(kind == Kind::kNumber, "the time of a sample is not a number");
    case 1: {
      if (!expect(text, "the value of a sample is not a string")) return false;
      const std::optional<double> value = read_value(*text);
      if (!value) return fail("the value of a sample is not a number: " + in_quotes(*text));
      series_.value = *value;
      return true;
    }
    default:
      return fail("a sample is more than a time and a value");
  }
}

bool Reader::take_loose(Kind kind, std::string* text) {
  ++loose_;
  if (loose_ == 1) loose_number_first_ = kind == Kind::kNumber;
  if (loose_ == 2 && text) loose_text_ = std::move(*text);
  return true;
}

std::optional<Reader::Place> Reader::place_in_top(Kind kind) {
  if (key_ == "data"sv) {
    if (!once(seen_data_) || !expect(kind == Kind::kObject, "\"data\" is not an object"))
      return std::nullopt;
    return Place::kData;
  }
  if (key_ == "warnings"sv) {
    if (!once(seen_warnings_) || !expect(kind == Kind::kArray, "\"warnings\" is not an array"))
      return std::nullopt;
    return Place::kWarnings;
  }
  for (const std::string_view name : {"status"sv, "errorType"sv, "error"sv, "isPartial"sv}) {
    if (key_ == name && !fail(in_quotes(key_) + " is an object or an array")) return std::nullopt;
  }
  return Place::kSkipped;
}

std::optional<Reader::Place> Reader::place_in_data(Kind kind) {
  if (key_ == "result"sv) {
    if (!once(seen_result_) || !expect(kind == Kind::kArray, "\"result\" is not an array"))
      return std::nullopt;
    return Place::kResult;
  }
  if (!expect(key_ != "resultType"sv, "\"resultType\" is not a string")) return std::nullopt;
  return Place::kSkipped;
}

std::optional<Reader::Place> Reader::place_in_element(Kind kind) {
  if (key_ == "metric"sv) {
    if (!once(has_metric_) || !expect(kind == Kind::kObject, "\"metric\" is not an object"))
      return std::nullopt;
    return Place::kMetric;
  }
  if (key_ == "value"sv) {
    if (!once(has_value_) ||
        !expect(kind == Kind::kArray, "\"value\" is not a pair of time and value")) {
      return std::nullopt;
    }
    sample_index_ = 0;
    return Place::kSample;
  }
  if (key_ == "histogram"sv) has_histogram_ = true;
  if (key_ == "values"sv || key_ == "histograms"sv) has_range_ = true;
  return Place::kSkipped;
}

std::optional<Reader::Place> Reader::place_of(Kind kind) {
  if (depth_ == 0) {
    if (!expect(kind == Kind::kObject, "not a JSON object")) return std::nullopt;
    return Place::kTop;
  }
  switch (places_[depth_ - 1]) {
    case Place::kTop:
      return place_in_top(kind);
    case Place::kData:
      return place_in_data(kind);
    case Place::kElement:
      return place_in_element(kind);
    case Place::kResult:
      if (!expect(kind == Kind::kObject, "\"result\" holds an array")) return std::nullopt;
      series_ = {};
      has_metric_ = has_value_ = has_range_ = has_histogram_ = false;
      return Place::kElement;
    case Place::kMetric:
      fail("a label's value is not a string");
      return std::nullopt;
    case Place::kSample:
      fail("a sample is not a time and a value");
      return std::nullopt;
    case Place::kWarnings:
      fail("a warning is not a string");
      return std::nullopt;
    case Place::kSkipped:
      return Place::kSkipped;
  }
  return std::nullopt;
}

bool Reader::open(Kind kind) {
  if (depth_ >= kMaxDepth) return fail("nested more than " + std::to_string(kMaxDepth) + " deep");
  const std::optional<Place> place = place_of(kind);
  if (place) places_[depth_++] = *place;
  return place.has_value();
}

bool Reader::close() {
  const Place place = places_[--depth_];
  switch (place) {
    case Place::kElement:
      return close_element();
    case Place::kMetric:
      return expect(!has_duplicate_name(series_.labels), "a series has the same label twice");
    case Place::kSample:
      return expect(sample_index_ == 2, "a sample is less than a time and a value");
    default:
      return true;
  }
}

bool Reader::close_element() {
  if (!expect(has_metric_, "a series without \"metric\"")) return false;
  if (has_range_) {
    ++ranges_;
  } else if (has_histogram_) {
    ++histograms_;
  } else if (has_value_) {
    vector_.series.push_back(std::move(series_));
  } else {
    return fail("a series without \"value\"");
  }
  return true;
}

Expected<AnswerJson, std::string> Reader::result() {
  if (status_ == "error"sv) return std::move(answer_);
  if (!seen_status_) return Unexpected<std::string>("\"status\" is missing");
  if (status_ != "success"sv) return Unexpected("\"status\" is " + in_quotes(status_));
  answer_.success = true;
  if (!seen_type_) return Unexpected<std::string>("\"resultType\" is missing");
  if (type_ == "matrix"sv || type_ == "string"sv) {
    answer_.result = Unusable{type_};
    return std::move(answer_);
  }
  if (type_ != "vector"sv && type_ != "scalar"sv)
    return Unexpected("an unknown \"resultType\", " + in_quotes(type_));
  if (!seen_result_) return Unexpected<std::string>("\"result\" is missing");
  if (type_ == "scalar"sv) {
    const std::optional<double> value = loose_text_ ? read_value(*loose_text_) : std::nullopt;
    const bool is_pair =
        loose_ == 2 && loose_number_first_ && vector_.series.empty() && ranges_ + histograms_ == 0;
    if (!is_pair || !value)
      return Unexpected<std::string>("a scalar that is not a time and a value");
    answer_.result = Scalar{*value};
    return std::move(answer_);
  }
  if (loose_ > 0 || ranges_ > 0)
    return Unexpected<std::string>("a vector with something else than series in it");
  if (histograms_ > 0) {
    answer_.result = Unusable{"native histogram"};
  } else {
    answer_.result = std::move(vector_);
  }
  return std::move(answer_);
}

}  // namespace

Expected<AnswerJson, std::string> read_answer_json(std::string_view text) {
  Reader reader;
  if (!JsonScanner(text, reader).scan()) return reader.error();
  return reader.result();
}

}  // namespace rollwatch
