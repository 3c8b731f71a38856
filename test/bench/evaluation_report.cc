#include "test/bench/evaluation_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "test/bench/report.h"

namespace rollwatch::bench {
namespace {

struct Column {
  std::string_view name, unit;
  double Measurement::*value;
  int width, digits;
};

constexpr Column kColumns[] = {
    {"CPU", "ms/1000", &Measurement::cpu, 8, 1},
    {"user", "share", &Measurement::user, 6, 2},
    {"evals", "/s", &Measurement::per_second, 9, 1},
    {"missed", "slots", &Measurement::missed, 7, 0},
    {"late", "p50 ms", &Measurement::late_p50, 7, 2},
    {"", "p99", &Measurement::late_p99, 7, 2},
    {"", "max", &Measurement::late_max, 8, 2},
    {"RSS", "MB", &Measurement::resident, 7, 1},
    {"conns", "most", &Measurement::connections, 6, 0},
    {"busiest", "/100ms", &Measurement::busiest, 8, 0},
    {"sleeps", "/s", &Measurement::switches, 8, 0},
    {"source", "cores", &Measurement::datasource, 7, 3},
    {"after", "p99 ms", &Measurement::after_p99, 8, 2},
    {"commits", "/s", &Measurement::commits, 8, 1},
    {"quick", "share", &Measurement::quick_commits, 6, 3},
    {"told", "missed", &Measurement::told_missed, 7, 0},
    {"scraped", "MB", &Measurement::resident_scraped, 8, 1},
};

constexpr std::string_view kAims = "{:<34} {:>6.3f}  ({:.3f} to {:.3f})  {}\n";

// What must be and what is aimed at, as ratios; 0: nothing is said about it.
struct Aim {
  std::string_view what;
  double Measurement::*value;
  double must, aim;
};

std::vector<Aim> aims_of(const Load& load) {
  const bool is_dense = load.per_second() > 2'000;
  std::vector<Aim> aims = {
      {"CPU per evaluation", &Measurement::cpu, is_dense ? 0.10 : 0.15, is_dense ? 0.06 : 0.10}};
  const bool is_large = load.rollouts >= 10'000;
  aims.push_back(
      {"resident memory", &Measurement::resident, is_large ? 0.20 : 0, is_large ? 0.10 : 0});
  aims.push_back({"lateness p99", &Measurement::late_p99, is_large && !is_dense ? 0.5 : 0, 0});
  return aims;
}

std::string verdict(const Ratio& ratio, const Aim& aim) {
  std::string text = fmt::format("spread {:.0f} %", 100 * ratio.spread());
  const auto told = [&](std::string_view name, double most) {
    if (most > 0) text += fmt::format(", {} {:.2f}: {}", name, most, ratio.against(most));
  };
  told("must", aim.must);
  told("aim", aim.aim);
  return text;
}

std::string json_of(const Measurement& measured) {
  std::string text = fmt::format(R"({{"name":"{}")", measured.name);
  const auto add = [&](std::string_view name, double value) {
    text += fmt::format(R"(,"{}":{:.6g})", name, value);
  };
  add("cpu_ms", measured.cpu);
  add("user_share", measured.user);
  add("per_second", measured.per_second);
  add("missed", measured.missed);
  add("late_p50_ms", measured.late_p50);
  add("late_p99_ms", measured.late_p99);
  add("late_max_ms", measured.late_max);
  add("resident_mb", measured.resident);
  add("connections", measured.connections);
  add("busiest_100ms", measured.busiest);
  add("switches", measured.switches);
  add("after_p99_ms", measured.after_p99);
  add("commits", measured.commits);
  add("quick_commits", measured.quick_commits);
  return text + "}";
}

}  // namespace

std::string heading() {
  std::string names = fmt::format("{:<12}", ""), units = names;
  for (const Column& column : kColumns) {
    names += fmt::format(" {:>{}}", column.name, column.width);
    units += fmt::format(" {:>{}}", column.unit, column.width);
  }
  return names + "\n" + units + "\n";
}

std::string line(const Measurement& measured) {
  std::string text = fmt::format("{:<12}", measured.name);
  for (const Column& column : kColumns)
    text += fmt::format(" {:>{}.{}f}", measured.*column.value, column.width, column.digits);
  return text + "\n";
}

Measurement median_of(const std::vector<Measurement>& all) {
  Measurement result;
  result.name = all.front().name;
  for (const Column& column : kColumns) {
    std::vector<double> values;
    for (const Measurement& one : all) values.push_back(one.*column.value);
    result.*column.value = median(std::move(values));
  }
  return result;
}

Ratio ratio_of(const std::vector<Measurement>& ours, const std::vector<Measurement>& theirs,
               double Measurement::*what) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < std::min(ours.size(), theirs.size()); ++i)
    ratios.push_back(theirs[i].*what == 0 ? 0 : ours[i].*what / (theirs[i].*what));
  const auto [least, most] = std::minmax_element(ratios.begin(), ratios.end());
  return {median(ratios), *least, *most};
}

std::string ratios(const Load& load, const std::vector<Measurement>& ours,
                   const std::vector<Measurement>& theirs) {
  std::string text;
  for (const Aim& aim : aims_of(load)) {
    const Ratio ratio = ratio_of(ours, theirs, aim.value);
    text +=
        fmt::format(kAims, aim.what, ratio.median, ratio.least, ratio.most, verdict(ratio, aim));
  }
  const double missed = median_of(ours).missed;
  text += fmt::format("{:<34} {:>6.0f}  must 0: {}\n", "slots missed by " + ours.front().name,
                      missed, missed == 0 ? "met" : "missed");
  return text;
}

std::string as_json(const Load& load, double seconds, const std::vector<Measurement>& ours,
                    const std::vector<Measurement>& theirs) {
  std::string text =
      fmt::format(R"({{"rollouts":{},"conditions":{},"interval_ms":{},"pool":{},"seconds":{})",
                  load.rollouts, load.conditions, load.interval.count(), load.pool, seconds);
  const auto add = [&](std::string_view name, const std::vector<Measurement>& all) {
    text += fmt::format(R"(,"{}":[)", name);
    for (const Measurement& one : all) text += (&one == all.data() ? "" : ",") + json_of(one);
    text += "]";
  };
  add("ours", ours);
  add("theirs", theirs);
  if (!ours.empty() && !theirs.empty()) {
    for (const Aim& aim : aims_of(load)) {
      const Ratio ratio = ratio_of(ours, theirs, aim.value);
      text += fmt::format(
          R"(,"{}":{{"median":{:.4f},"least":{:.4f},"most":{:.4f},"spread":{:.4f},"must":{},"aim":{}}})",
          aim.what, ratio.median, ratio.least, ratio.most, ratio.spread(), aim.must, aim.aim);
    }
  }
  return text + "}\n";
}

}  // namespace rollwatch::bench
