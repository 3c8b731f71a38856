#include "daemon/telemetry/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>

namespace rollwatch {
namespace {

using prometheus::MetricType;

// The fields of /proc/self/stat that are used, numbered as in proc(5).
struct Stat {
  double user_ticks = 0, system_ticks = 0;       // 14, 15
  double start_ticks = 0;                        // 22, since boot
  double virtual_bytes = 0, resident_pages = 0;  // 23, 24
};

std::optional<Stat> read_stat() {
  std::ifstream file("/proc/self/stat");
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  // Field 2 is the program's name in brackets, which may hold anything; field 3 follows the last
  // one.
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(text.substr(name_end + 1));
  Stat stat;
  std::string field;
  for (int number = 3; number <= 24 && fields >> field; ++number) {
    if (number == 14) stat.user_ticks = std::stod(field);
    if (number == 15) stat.system_ticks = std::stod(field);
    if (number == 22) stat.start_ticks = std::stod(field);
    if (number == 23) stat.virtual_bytes = std::stod(field);
    if (number == 24) stat.resident_pages = std::stod(field);
  }
  if (!fields) return std::nullopt;
  return stat;
}

std::optional<double> boot_time() {
  std::ifstream file("/proc/stat");
  std::string word;
  double seconds = 0;
  while (file >> word)
    if (word == "btime" && file >> seconds) return seconds;
  return std::nullopt;
}

std::optional<double> open_descriptors() {
  std::error_code error;
  const std::filesystem::directory_iterator entries("/proc/self/fd", error);
  if (error) return std::nullopt;
  // One of them is the directory that is being read.
  return static_cast<double>(std::distance(begin(entries), end(entries))) - 1;
}

class Families {
 public:
  void add(const char* name, const char* help, MetricType type, std::optional<double> value) {
    if (!value) return;
    prometheus::ClientMetric metric;
    (type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = *value;
    families_.push_back({name, help, type, {std::move(metric)}});
  }
  std::vector<prometheus::MetricFamily> take() { return std::move(families_); }

 private:
  std::vector<prometheus::MetricFamily> families_;
};

}  // namespace

std::vector<prometheus::MetricFamily> process_metrics() {
  Families families;
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  if (const auto stat = read_stat()) {
    families.add("process_cpu_seconds_total", "User and system CPU time spent in seconds.",
                 MetricType::Counter, (stat->user_ticks + stat->system_ticks) / ticks);
    families.add("process_resident_memory_bytes", "Resident memory size in bytes.",
                 MetricType::Gauge,
                 stat->resident_pages * static_cast<double>(sysconf(_SC_PAGESIZE)));
    families.add("process_virtual_memory_bytes", "Virtual memory size in bytes.", MetricType::Gauge,
                 stat->virtual_bytes);
    if (const auto boot = boot_time())
      families.add("process_start_time_seconds",
                   "Start time of the process since unix epoch in seconds.", MetricType::Gauge,
                   *boot + stat->start_ticks / ticks);
  }
  families.add("process_open_fds", "Number of open file descriptors.", MetricType::Gauge,
               open_descriptors());
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
    families.add("process_max_fds", "Maximum number of open file descriptors.", MetricType::Gauge,
                 static_cast<double>(limit.rlim_cur));
  return families.take();
}

}  // namespace rollwatch
