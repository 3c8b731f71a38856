// The state of every comparison as bytes, exact: the same state gives the same bytes, doubles keep
// every bit, and what decodes encodes back to the very same bytes. A comparison that is saved and
// resumed in the middle goes on as if nothing had happened.
//
//   std::string bytes = encode(state);
//   Expected<RateState, std::string> again = decode<RateState>(bytes);
//
// The first byte is the format's version, the second what it is. A field added to one of the
// structs does not compile until it is listed in codec.cc; listing it means a new version, and
// reading the old one still: what it does not have is empty. The least version that has a place for
// everything is written.
#pragma once

#include <string>
#include <string_view>

#include "analysis/expected.h"
#include "analysis/statistics/comparison_state.h"

namespace rollwatch::statistics {

std::string encode(const RateState& state);
std::string encode(const HistogramState& state);
std::string encode(const GaugeState& state);
std::string encode(const MannWhitneyState& state);
std::string encode(const PlaceboGuard& state);
std::string encode(const CounterTable& state);
std::string encode(const ComparisonState& state);
std::string encode(const CountState& state);

// One of the above. The error is a sentence that says what is wrong at which byte. Any input is
// safe.
template <class State>
Expected<State, std::string> decode(std::string_view bytes);

// Whether the bytes say that they are one of these.
bool is_count_state(std::string_view bytes);

}  // namespace rollwatch::statistics
