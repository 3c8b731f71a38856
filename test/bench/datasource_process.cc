#include "test/bench/datasource_process.h"

#include <sstream>
#include <stdexcept>

#include "test/support/fake_server.h"

namespace rollwatch::bench {

Seen::Seen(std::string_view lines) {
  std::istringstream text{std::string(lines)};
  std::string name;
  double value = 0;
  while (text >> name >> value) numbers_[name] = value;
}

double Seen::operator[](std::string_view name) const {
  const auto found = numbers_.find(name);
  if (found == numbers_.end())
    throw std::out_of_range("the datasource does not tell " + std::string(name));
  return found->second;
}

DatasourceProcess::DatasourceProcess() : port_(free_port()) {
  process_ = std::make_unique<Process>(
      ProcessOptions{{ROLLWATCH_BENCH_DATASOURCE, std::to_string(port_)}, {}, ""});
  const bool settled = wait_until([this] {
    return !process_->running() || plain_http(port_, "GET", "/bench/report").status == 200;
  });
  if (!settled || !process_->running())
    throw std::runtime_error("the datasource did not start:\n" + process_->log());
}

void DatasourceProcess::behave(std::string_view how) { call("/bench/behave?" + std::string(how)); }

Seen DatasourceProcess::seen(Millis interval, const std::string& holding) {
  return Seen(call("/bench/report?interval_ms=" + std::to_string(interval.count()) +
                   "&holding=" + holding));
}

Seen DatasourceProcess::takeover(std::size_t asker, std::chrono::steady_clock::time_point since) {
  const auto micros =
      std::chrono::duration_cast<std::chrono::microseconds>(since.time_since_epoch()).count();
  return Seen(call("/bench/takeover?asker=" + std::to_string(asker) +
                   "&since_us=" + std::to_string(micros)));
}

std::string DatasourceProcess::call(const std::string& path) {
  const PlainResponse answer = plain_http(port_, "POST", path);
  if (answer.status != 200) throw std::runtime_error("the datasource does not answer " + path);
  return answer.body;
}

}  // namespace rollwatch::bench
