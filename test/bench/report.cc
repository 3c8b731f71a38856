#include "test/bench/report.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace rollwatch::bench {
namespace {

// What is aimed at: delivery, which begins where the commit ends. The rows before it are shown all
// the same: a disk's fdatasync is in them, and Alertmanager asks for none.
constexpr std::string_view kAimedFrom = "commit on disk";
constexpr double kMostP50 = 0.7;
constexpr double kMostP99 = 1.0;

double ratio(const std::vector<double>& ours, const std::vector<double>& theirs) {
  std::vector<double> ratios;
  for (std::size_t round = 0; round < ours.size(); ++round)
    ratios.push_back(ours[round] / theirs[round]);
  return median(std::move(ratios));
}

std::string line(const std::string& from, double a, double b, double c, double d) {
  return fmt::format("{:<42} {:>8.2f} {:>8.2f}   {:>8.2f} {:>8.2f}\n", from, a, b, c, d);
}

std::string heading(const std::string& what, std::size_t at_once) {
  return fmt::format("{:<42} {:>17}   {:>17}\n{:<42} {:>8} {:>8}   {:>8} {:>8}\n", what,
                     "one at a time", fmt::format("{} at once", at_once), "", "p50", "p99", "p50",
                     "p99");
}

std::string aim(const std::string& what, double ratio, double most) {
  return fmt::format("{:<42} {:>8.2f}   aim {:.2f}: {}\n", what, ratio, most,
                     ratio <= most ? "met" : "missed");
}

}  // namespace

std::string report(const std::vector<Row>& rows, std::size_t at_once) {
  const Row& peer = rows.back();
  std::string text = heading("until the webhook is received, ms", at_once);
  for (const Row& row : rows)
    text += line(row.from, median(row.alone.p50), median(row.alone.p99), median(row.at_once.p50),
                 median(row.at_once.p99));
  text += "\n" + heading("ratio to the last, within the round", at_once);
  for (const Row& row : rows) {
    if (&row == &peer) continue;
    text +=
        line(row.from, ratio(row.alone.p50, peer.alone.p50), ratio(row.alone.p99, peer.alone.p99),
             ratio(row.at_once.p50, peer.at_once.p50), ratio(row.at_once.p99, peer.at_once.p99));
  }
  text += "\np50 one at a time, p99 at once, as ratios\n";
  for (const Row& row : rows) {
    if (!row.from.ends_with(kAimedFrom)) continue;
    text += aim(row.from, ratio(row.alone.p50, peer.alone.p50), kMostP50);
    text += aim("", ratio(row.at_once.p99, peer.at_once.p99), kMostP99);
  }
  return text;
}

}  // namespace rollwatch::bench
