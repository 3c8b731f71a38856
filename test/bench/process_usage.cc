#include "test/bench/process_usage.h"

#include <time.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

#include "test/support/process.h"

namespace rollwatch::bench {
namespace {

using std::chrono::nanoseconds;

std::filesystem::path folder_of(pid_t pid) {
  return std::filesystem::path("/proc") / std::to_string(pid);
}

// The number after "name:" in a file of /proc; 0 if there is none.
std::uint64_t line_of(const std::string& status, const std::string& name) {
  const std::size_t at = status.find("\n" + name + ":");
  return at == std::string::npos ? 0 : std::stoull(status.substr(at + name.size() + 2));
}

// The processor time of all its threads, those that have ended included; 0 if it is gone.
nanoseconds cpu_of(pid_t pid) {
  clockid_t clock = 0;
  timespec time{};
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0)
    return nanoseconds{0};
  return std::chrono::seconds{time.tv_sec} + nanoseconds{time.tv_nsec};
}

// Field `number` of /proc/PID/stat, counted as in proc(5), from 3 on: ticks.
nanoseconds ticks_of(pid_t pid, int number) {
  const std::string stat = read_file(folder_of(pid) / "stat");
  const std::size_t end_of_name = stat.rfind(')');
  if (end_of_name == std::string::npos) return nanoseconds{0};
  std::istringstream fields(stat.substr(end_of_name + 1));
  std::string field;
  for (int at = 3; at <= number; ++at) fields >> field;
  return std::chrono::seconds{1} * std::stoll(field) / sysconf(_SC_CLK_TCK);
}

}  // namespace

ProcessUsage usage_of(pid_t pid) {
  const std::string status = read_file(folder_of(pid) / "status");
  if (status.empty()) throw std::runtime_error("a process that is measured is gone");
  ProcessUsage usage;
  usage.cpu = cpu_of(pid);
  usage.user = ticks_of(pid, 14);
  usage.resident = line_of(status, "VmRSS") * 1024;
  usage.resident_peak = line_of(status, "VmHWM") * 1024;
  for (const auto& thread : std::filesystem::directory_iterator(folder_of(pid) / "task")) {
    const std::string its = read_file(thread.path() / "status");
    usage.voluntary_switches += line_of(its, "voluntary_ctxt_switches");
    usage.involuntary_switches += line_of(its, "nonvoluntary_ctxt_switches");
  }
  return usage;
}

nanoseconds cpu_of_family(pid_t pid) {
  nanoseconds all = cpu_of(pid) + ticks_of(pid, 16) + ticks_of(pid, 17);
  std::istringstream children(
      read_file(folder_of(pid) / "task" / std::to_string(pid) / "children"));
  for (pid_t child = 0; children >> child;) all += cpu_of_family(child);
  return all;
}

}  // namespace rollwatch::bench
