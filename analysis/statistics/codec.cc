#include "analysis/statistics/codec.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "analysis/packed_reader.h"
#include "analysis/statistics/codec_checks.h"
#include "analysis/statistics/packed_counters.h"

namespace rollwatch::statistics {
namespace {

constexpr std::uint64_t kOldestFormat = 1;
// Only where there is something that format 1 has no place for: what is as it always was, older
// programs can read.
constexpr std::uint64_t kWithMore = 2;
constexpr std::uint64_t kFormat = kWithMore;
// Larger tables of counters are packed, which format 1 knows nothing of: it takes longer, and a
// fifth of the bytes.
constexpr std::size_t kMostUnpacked = 200;

bool is_packed(const CounterTable& table) { return table.series.size() > kMostUnpacked; }

template <class T>
constexpr bool kIsVector = false;
template <class T>
constexpr bool kIsVector<std::vector<T>> = true;

// What the second byte says.
template <class State>
constexpr std::uint8_t kKind = 0;
template <>
constexpr std::uint8_t kKind<RateState> = 1;
template <>
constexpr std::uint8_t kKind<HistogramState> = 2;
template <>
constexpr std::uint8_t kKind<GaugeState> = 3;
template <>
constexpr std::uint8_t kKind<MannWhitneyState> = 4;
template <>
constexpr std::uint8_t kKind<PlaceboGuard> = 5;
template <>
constexpr std::uint8_t kKind<CounterTable> = 6;
template <>
constexpr std::uint8_t kKind<ComparisonState> = 7;
template <>
constexpr std::uint8_t kKind<CountState> = 8;

// ---- The fields, in the order of the bytes; the same list writes and reads
//
// The structured bindings are the guard: they stop compiling when a struct gains a field.

template <class Io>
void fields(Io& io, typename Io::template Ref<Wealth> wealth) {
  auto& [bets, cash, stakes, log_evidence, log_most, updates] = wealth;
  io(bets, cash);
  io.stakes(stakes, bets);
  io(log_evidence, log_most, updates);
}

template <class Io>
void fields(Io& io, typename Io::template Ref<Dispersion> dispersion) {
  auto& [squares, degrees, last_events, last_bad] = dispersion;
  io(squares, degrees, last_events, last_bad);
}

template <class Io>
void fields(Io& io, typename Io::template Ref<RateState> rate) {
  auto& [harm, promote, dispersion, candidate_events, fed] = rate;
  io(harm, promote, dispersion, candidate_events, fed);
}

template <class Io>
void fields(Io& io, typename Io::template Ref<ScoreState> score) {
  auto& [harm, promote, dispersion] = score;
  io(harm, promote, dispersion);
}

template <class Io>
void fields(Io& io, typename Io::template Ref<HistogramState> histogram) {
  auto& [bounds, history, scores, promote_boundary, candidate_events, fed] = histogram;
  io(bounds, history, scores, promote_boundary, candidate_events, fed);
}

template <class Io>
void fields(Io& io, typename Io::template Ref<GaugeState> gauge) {
  auto& [harm, promote, differences] = gauge;
  io(harm, promote, differences);
}

template <class Io>
void fields(Io& io, typename Io::template Ref<MannWhitneyState> samples) {
  auto& [candidate, stable] = samples;
  io(candidate, stable);
}

template <class Io>
void fields(Io& io, typename Io::template Ref<PlaceboGuard> guard) {
  auto& [groups, log_most, members] = guard;
  io(groups, log_most);
  io.since(kWithMore, members);
}

template <class Io>
void fields(Io& io, typename Io::template Ref<PlaceboGuard::Member> member) {
  auto& [source, group] = member;
  io(source, group);
}

template <class Io>
void fields(Io& io, typename Io::template Ref<CounterSeries> one) {
  auto& [source, series, part, missing, last] = one;
  io(source, series, part, missing, last);
}

template <class Io>
void fields(Io& io, typename Io::template Ref<CounterTable> table) {
  auto& [parts, last_at, series] = table;
  io(parts, last_at, series);
}

template <class Io>
void fields(Io& io, typename Io::template Ref<PackedCounter> counter) {
  auto& [place, missing, last] = counter;
  io(place, missing, last);
}

template <class Io>
void fields(Io& io, typename Io::template Ref<PackedSource> one) {
  auto& [source, series, counters] = one;
  io(source, series, counters);
}

template <class Io>
void fields(Io& io, typename Io::template Ref<PackedTable> table) {
  auto& [parts, last_at, sources] = table;
  io(parts, last_at, sources);
}

template <class Io>
void fields(Io& io, typename Io::template Ref<ArmCounts> counts) {
  auto& [events, bad] = counts;
  io(events, bad);
}

template <class Io>
void fields(Io& io, typename Io::template Ref<RateTick> tick) {
  auto& [candidate, stable] = tick;
  io(candidate, stable);
}

template <class Io>
void fields(Io& io, typename Io::template Ref<FedTick> fed) {
  auto& [tick, dispersion] = fed;
  io(tick, dispersion);
}

template <class Io>
void fields(Io& io, typename Io::template Ref<Look> look) {
  auto& [step, looked, p_greater, shift] = look;
  io(step, looked, p_greater, shift);
}

template <class Io>
void fields(Io& io, typename Io::template Ref<ComparisonState> state) {
  auto& [process, candidate, stable, placebo, fed, candidate_sum, stable_sum, look, history_read,
         history_slots, history, outlook, shared, usual, looks, candidate_buckets, stable_buckets,
         left_out] = state;
  io(process, candidate, stable, placebo, fed, candidate_sum, stable_sum, look, history_read,
     history_slots, history, outlook, shared);
  io.since(kWithMore, usual, looks, candidate_buckets, stable_buckets, left_out);
}

template <class Io>
void fields(Io& io, typename Io::template Ref<CountState> state) {
  auto& [table, total, since] = state;
  io(table, total, since);
}

// ---- Both directions
//
// As packed_reader.h says; what may be missing begins with 0 or 1, one of several with its number.

class StateWriter {
 public:
  template <class T>
  using Ref = const T&;

  template <class... Fields>
  void operator()(const Fields&... all) {
    (put(all), ...);
  }
  // Fields that older formats do not have.
  template <class... Fields>
  void since(std::uint64_t format, const Fields&... all) {
    if (format_ >= format) (put(all), ...);
  }
  void is_of(std::uint64_t format) {
    format_ = format;
    put_number(format);
  }
  void stakes(const std::array<double, Wealth::kMostBets>& stakes, std::uint32_t bets) {
    for (const double stake : std::span(stakes).first(bets)) put(stake);
  }
  void put_number(std::uint64_t value) {
    std::array<char, 10> bytes{};
    std::size_t length = 0;
    for (; value >= 0x80; value >>= 7) bytes[length++] = static_cast<char>(value | 0x80);
    bytes[length++] = static_cast<char>(value);
    out_.append(bytes.data(), length);
  }
  std::string take() { return std::move(out_); }

 private:
  void put_bits(std::uint64_t bits) {
    std::array<char, sizeof bits> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(bits >> (8 * i));
    out_.append(bytes.data(), bytes.size());
  }
  void put_count(const PackedCount& count) {
    if (count.is_whole()) return put_number(static_cast<std::uint64_t>(count.value) << 1);
    put_number(1);
    put(count.value);
  }

  template <class T>
  void put(const T& value) {
    if constexpr (std::is_same_v<T, double>) {
      put_bits(std::bit_cast<std::uint64_t>(value));
    } else if constexpr (std::is_same_v<T, PackedKey>) {
      put_bits(value.value);
    } else if constexpr (std::is_same_v<T, PackedCount>) {
      put_count(value);
    } else if constexpr (std::is_same_v<T, CounterTable>) {
      const bool packs = format_ >= kWithMore && is_packed(value);
      if (format_ >= kWithMore) put_number(packs);
      if (packs)
        fields(*this, packed(value));
      else
        fields(*this, value);
    } else if constexpr (std::is_unsigned_v<T>) {
      put_number(value);
    } else if constexpr (std::is_same_v<T, MaybeTime>) {
      put_number(value.has_value());
      if (value) put_number(std::bit_cast<std::uint64_t>((*value).time_since_epoch().count()));
    } else if constexpr (std::is_same_v<T, std::string>) {
      put_number(value.size());
      out_ += value;
    } else if constexpr (std::is_same_v<T, std::optional<Look>>) {
      put_number(value.has_value());
      if (value) put(*value);
    } else if constexpr (std::is_same_v<T, Process>) {
      put_number(value.index());
      std::visit([this](const auto& process) { this->put(process); }, value);
    } else if constexpr (std::is_same_v<T, std::monostate>) {
      return;
    } else if constexpr (kIsVector<T>) {
      put_number(value.size());
      for (const auto& element : value) put(element);
    } else {
      fields(*this, value);
    }
  }

  std::string out_;
  std::uint64_t format_ = kFormat;
};

class StateReader : public PackedReader {
 public:
  template <class T>
  using Ref = T&;

  explicit StateReader(std::string_view in) : PackedReader(in, "the saved comparison") {}

  template <class... Fields>
  void operator()(Fields&... all) {
    (get(all), ...);
  }
  template <class... Fields>
  void since(std::uint64_t format, Fields&... all) {
    if (format_ >= format) (get(all), ...);
  }
  void is_of(std::uint64_t format) { format_ = format; }
  void stakes(std::array<double, Wealth::kMostBets>& stakes, std::uint32_t& bets) {
    if (bets > Wealth::kMostBets)
      bets = static_cast<std::uint32_t>(fail("more bets than there are"));
    for (double& stake : std::span(stakes).first(bets)) get(stake);
  }

 private:
  void get_count(PackedCount& count) {
    const std::uint64_t number = get_number();
    count.value = number == 1 ? get_double() : static_cast<double>(number >> 1);
    const bool is_shortest = number == 1 ? !count.is_whole() : number % 2 == 0 && count.is_whole();
    if (!is_shortest && !failed()) fail("a count that is not in its shortest form");
  }
  void get_packed(CounterTable& table) {
    PackedTable read;
    fields(*this, read);
    if (auto all = unpacked(read))
      table = *std::move(all);
    else if (!failed())
      fail("counters out of order");
  }
  void get_table(CounterTable& table) {
    const std::uint64_t packs = get_number();
    if (packs == 1)
      get_packed(table);
    else
      fields(*this, table);
    if (packs != (is_packed(table) ? 1U : 0U) && !failed()) fail("counters in the other form");
  }

  template <class T>
  void get(T& value) {
    if constexpr (std::is_same_v<T, double>) {
      value = get_double();
    } else if constexpr (std::is_same_v<T, PackedKey>) {
      value.value = std::bit_cast<std::uint64_t>(get_double());
    } else if constexpr (std::is_same_v<T, PackedCount>) {
      get_count(value);
    } else if constexpr (std::is_same_v<T, CounterTable>) {
      if (format_ >= kWithMore)
        get_table(value);
      else
        fields(*this, value);
    } else if constexpr (std::is_unsigned_v<T>) {
      const std::uint64_t number = get_number();
      if (number > std::numeric_limits<T>::max()) fail("a number that is too large");
      value = failed() ? T{} : static_cast<T>(number);
    } else if constexpr (std::is_same_v<T, MaybeTime>) {
      const std::uint64_t there = get_number();
      if (there > 1) fail("a number that is too large");
      value.reset();
      if (there == 1) value = SysTime(Millis(std::bit_cast<std::int64_t>(get_number())));
      if (there == 1 && !value) fail("a time that is none");
    } else if constexpr (std::is_same_v<T, std::string>) {
      value = get_text();
    } else if constexpr (std::is_same_v<T, std::optional<Look>>) {
      bool there = false;
      get(there);
      value.reset();
      if (there) get(value.emplace());
    } else if constexpr (std::is_same_v<T, Process>) {
      get_process(value, get_number());
    } else if constexpr (kIsVector<T>) {
      value.clear();
      for (std::size_t length = get_length(); length > 0 && !failed(); --length)
        get(value.emplace_back());
    } else {
      fields(*this, value);
    }
  }

  template <std::size_t I = 1>
  void get_process(Process& process, std::uint64_t index) {
    if constexpr (I < std::variant_size_v<Process>) {
      if (index == I) return get(process.emplace<I>());
      return get_process<I + 1>(process, index);
    } else {
      process = std::monostate{};
      if (index != 0) fail("another kind than there is");
    }
  }

  std::uint64_t format_ = kFormat;
};

// ---- Which format it takes

template <class State>
std::uint64_t format_of(const State& /*state*/) {
  return kOldestFormat;
}
template <>
std::uint64_t format_of(const CounterTable& table) {
  return is_packed(table) ? kWithMore : kOldestFormat;
}
template <>
std::uint64_t format_of(const CountState& state) {
  return format_of(state.table);
}
template <>
std::uint64_t format_of(const PlaceboGuard& guard) {
  return guard.members.empty() ? kOldestFormat : kWithMore;
}
template <>
std::uint64_t format_of(const ComparisonState& state) {
  const bool has_more = !state.usual.empty() || !state.looks.empty() ||
                        !state.candidate_buckets.empty() || !state.stable_buckets.empty() ||
                        !state.left_out.empty();
  return has_more ? kWithMore
                  : std::max({format_of(state.placebo), format_of(state.candidate),
                              format_of(state.stable)});
}

template <class State>
std::string bytes_of(const State& state) {
  StateWriter writer;
  writer.is_of(format_of(state));
  writer.put_number(kKind<State>);
  writer(state);
  return writer.take();
}

}  // namespace

std::string encode(const RateState& state) { return bytes_of(state); }
std::string encode(const HistogramState& state) { return bytes_of(state); }
std::string encode(const GaugeState& state) { return bytes_of(state); }
std::string encode(const MannWhitneyState& state) { return bytes_of(state); }
std::string encode(const PlaceboGuard& state) { return bytes_of(state); }
std::string encode(const CounterTable& state) { return bytes_of(state); }
std::string encode(const ComparisonState& state) { return bytes_of(state); }
std::string encode(const CountState& state) { return bytes_of(state); }

bool is_count_state(std::string_view bytes) {
  return bytes.size() > 1 && static_cast<std::uint8_t>(bytes[1]) == kKind<CountState>;
}

template <class State>
Expected<State, std::string> decode(std::string_view bytes) {
  StateReader reader(bytes);
  const std::uint64_t format = reader.get_number();
  if (reader.failed()) return Unexpected(reader.error());
  if (format < kOldestFormat || format > kFormat)
    return Unexpected("the saved comparison has format " + std::to_string(format) +
                      ", this program knows " + std::to_string(kFormat) +
                      (format > kFormat ? "; it was written by a newer rollwatchd" : ""));
  if (reader.get_number() != kKind<State> && !reader.failed())
    reader.fail("another kind than is wanted");
  reader.is_of(format);
  State state;
  reader(state);
  if (!reader.failed() && reader.left() > 0) reader.fail("bytes left over");
  // An older program wrote large tables of counters in format 1: those are read all the same.
  if (!reader.failed() && format_of(state) < format) reader.fail("a newer format than it needs");
  if (!reader.failed() && !fits(state)) reader.fail("parts that do not belong together");
  if (reader.failed()) return Unexpected(reader.error());
  return state;
}

template Expected<RateState, std::string> decode(std::string_view bytes);
template Expected<HistogramState, std::string> decode(std::string_view bytes);
template Expected<GaugeState, std::string> decode(std::string_view bytes);
template Expected<MannWhitneyState, std::string> decode(std::string_view bytes);
template Expected<PlaceboGuard, std::string> decode(std::string_view bytes);
template Expected<CounterTable, std::string> decode(std::string_view bytes);
template Expected<ComparisonState, std::string> decode(std::string_view bytes);
template Expected<CountState, std::string> decode(std::string_view bytes);

}  // namespace rollwatch::statistics
