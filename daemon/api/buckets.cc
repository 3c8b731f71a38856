#include "daemon/api/buckets.h"

#include <algorithm>
#include <chrono>

namespace rollwatch {

double Buckets::left_in(const Level& level, double rate, double burst, SteadyTime now) {
  const std::chrono::duration<double> passed = now - level.at;
  return std::min(burst, level.left + std::max(0.0, passed.count()) * rate);
}

bool Buckets::is_empty(const std::string& key, double rate, double burst, SteadyTime now) {
  const Level* level = levels_.find(key);
  return level != nullptr && left_in(*level, rate, burst, now) < 1;
}

bool Buckets::take(const std::string& key, double rate, double burst, SteadyTime now) {
  const Level* level = levels_.find(key);
  const double left = level == nullptr ? burst : left_in(*level, rate, burst, now);
  const bool taken = left >= 1;
  levels_.put(key, Level{taken ? left - 1 : left, now});
  return taken;
}

}  // namespace rollwatch
