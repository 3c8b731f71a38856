#include "analysis/time.h"

#include <gtest/gtest.h>

#include <string>

namespace rollwatch {
namespace {

using std::chrono::hours;

constexpr Millis kDay = hours(24);

TEST(DurationTest, ReadsWhatPrometheusReads) {
  struct Row {
    const char* text;
    Millis span;
  };
  const Row rows[] = {
      {"0", Millis(0)},
      {"0s", Millis(0)},
      {"0ms", Millis(0)},
      {"500ms", Millis(500)},
      {"30s", Millis(30'000)},
      {"030s", Millis(30'000)},
      {"90s", Millis(90'000)},
      {"5m", Millis(300'000)},
      {"1h30m", Millis(5'400'000)},
      {"1h500ms", Millis(3'600'500)},
      {"7d", 7 * kDay},
      {"1w", 7 * kDay},
      {"1y", 365 * kDay},
      {"1y2w3d4h5m6s7ms", (365 + 14 + 3) * kDay + hours(4) + Millis(306'007)},
      {"100y", 36'500 * kDay},
      {"36500d", 36'500 * kDay},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.text);
    const auto span = parse_duration(row.text);
    ASSERT_TRUE(span);
    EXPECT_EQ(span->count(), row.span.count());
  }
}

TEST(DurationTest, RefusesEverythingElse) {
  struct Row {
    const char* why;
    const char* text;
  };
  const Row rows[] = {
      {"empty", ""},
      {"a bare number", "5"},
      {"two zeros", "00"},
      {"a unit alone", "s"},
      {"a minus", "-5s"},
      {"a plus", "+5s"},
      {"a fraction", "1.5h"},
      {"an exponent", "1e3s"},
      {"a space before", " 5s"},
      {"a space after", "5s "},
      {"a space between", "1h 30m"},
      {"a unit twice", "1h1h"},
      {"the smaller unit first", "30m1h"},
      {"milliseconds before seconds", "1ms1s"},
      {"an unknown unit", "5x"},
      {"a long unit name", "5sec"},
      {"upper case", "5S"},
      {"a number without a unit at the end", "1h30"},
      {"more than a hundred years", "101y"},
      {"more than a hundred years in sum", "100y1ms"},
      {"more than a hundred years in ms", "3153600000001ms"},
      {"more digits than a number has", "99999999999999999999s"},
      {"more digits than are read", "0000000000000005s"},
  };
  for (const Row& row : rows) EXPECT_FALSE(parse_duration(row.text)) << row.why << ": " << row.text;
  EXPECT_FALSE(parse_duration(std::string_view("5s\0", 3))) << "a zero byte";
}

TEST(DurationTest, WritesForPeople) {
  struct Row {
    Millis span;
    const char* text;
  };
  const Row rows[] = {
      {Millis(0), "0s"},         {Millis(1), "1ms"},      {Millis(1'500), "1s500ms"},
      {Millis(90'000), "1m30s"}, {Millis(300'000), "5m"}, {hours(1), "1h"},
      {hours(24), "1d"},         {hours(24 * 10), "10d"}, {hours(24 * 365), "365d"},
      {Millis(-5'000), "-5s"},
  };
  for (const Row& row : rows) EXPECT_EQ(format_duration(row.span), row.text);
}

TEST(DurationTest, WhatIsWrittenReadsBack) {
  for (std::int64_t ms = 0; ms < 100 * 365 * kDay.count(); ms = ms * 3 + 1) {
    const std::string text = format_duration(Millis(ms));
    const auto again = parse_duration(text);
    ASSERT_TRUE(again) << text;
    EXPECT_EQ(again->count(), ms) << text;
  }
}

TEST(TimeTest, ReadsRfc3339) {
  struct Row {
    const char* name;
    const char* text;
    const char* utc;
  };
  const Row rows[] = {
      {"as we write it", "2026-01-02T03:04:05.678Z", "2026-01-02T03:04:05.678Z"},
      {"without a fraction", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000Z"},
      {"one digit of fraction", "2026-01-02T03:04:05.6Z", "2026-01-02T03:04:05.600Z"},
      {"nanoseconds are cut", "2026-01-02T03:04:05.678999999Z", "2026-01-02T03:04:05.678Z"},
      {"lower case", "2026-01-02t03:04:05z", "2026-01-02T03:04:05.000Z"},
      {"east of Greenwich", "2026-01-02T03:04:05+02:00", "2026-01-02T01:04:05.000Z"},
      {"west of Greenwich", "2026-01-02T03:04:05-05:30", "2026-01-02T08:34:05.000Z"},
      {"no offset as a number", "2026-01-02T03:04:05-00:00", "2026-01-02T03:04:05.000Z"},
      {"over midnight", "2026-01-01T00:30:00+01:00", "2025-12-31T23:30:00.000Z"},
      {"leap day", "2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z"},
      {"leap second", "2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z"},
      {"before the epoch", "1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"},
      {"far away", "9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"},
      {"long ago", "0000-01-01T00:00:00Z", "0000-01-01T00:00:00.000Z"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const auto time = parse_time(row.text);
    ASSERT_TRUE(time);
    EXPECT_EQ(format_time(*time), row.utc);
  }
}

TEST(TimeTest, RefusesEverythingElse) {
  struct Row {
    const char* why;
    const char* text;
  };
  const Row rows[] = {
      {"empty", ""},
      {"a date alone", "2026-01-02"},
      {"no zone", "2026-01-02T03:04:05"},
      {"seconds since the epoch", "1767323045"},
      {"a space for the T", "2026-01-02 03:04:05Z"},
      {"month 13", "2026-13-02T03:04:05Z"},
      {"month 0", "2026-00-02T03:04:05Z"},
      {"30 February", "2026-02-30T03:04:05Z"},
      {"29 February in a common year", "2026-02-29T03:04:05Z"},
      {"day 0", "2026-01-00T03:04:05Z"},
      {"hour 24", "2026-01-02T24:00:00Z"},
      {"minute 60", "2026-01-02T03:60:05Z"},
      {"second 61", "2026-01-02T03:04:61Z"},
      {"no seconds", "2026-01-02T03:04Z"},
      {"a point without digits", "2026-01-02T03:04:05.Z"},
      {"a comma", "2026-01-02T03:04:05,5Z"},
      {"a short year", "26-01-02T03:04:05Z"},
      {"one digit", "2026-1-02T03:04:05Z"},
      {"a sign in a number", "2026-01-02T03:04:+5Z"},
      {"an offset without a colon", "2026-01-02T03:04:05+0200"},
      {"an offset without minutes", "2026-01-02T03:04:05+02"},
      {"an offset of a day", "2026-01-02T03:04:05+24:00"},
      {"offset minutes 60", "2026-01-02T03:04:05+01:60"},
      {"something after it", "2026-01-02T03:04:05Z."},
      {"a space before it", " 2026-01-02T03:04:05Z"},
  };
  for (const Row& row : rows) EXPECT_FALSE(parse_time(row.text)) << row.why << ": " << row.text;
}

TEST(TimeTest, WhatIsWrittenReadsBack) {
  for (std::int64_t ms = 1; ms < 250'000'000'000'000; ms = ms * 2 + 7'919) {
    for (const SysTime at : {SysTime(Millis(ms)), SysTime(Millis(-ms % 60'000'000'000'000))}) {
      const auto again = parse_time(format_time(at));
      ASSERT_TRUE(again) << format_time(at);
      EXPECT_EQ(again->time_since_epoch().count(), at.time_since_epoch().count());
    }
  }
}

}  // namespace
}  // namespace rollwatch
