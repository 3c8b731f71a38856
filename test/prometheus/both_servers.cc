#include "test/prometheus/both_servers.h"

#include "test/support/run.h"

namespace rollwatch {
namespace {

std::string in_milliseconds(const std::string& samples) {
  std::string text;
  for (const char c : samples) {
    if (c == '\n') text += "000";
    text += c;
  }
  return text;
}

}  // namespace

BothServers::BothServers(const std::string& samples)
    : prometheus_("global: {}\n", samples + "# EOF\n") {
  victoria_.import(in_milliseconds(samples));
}

std::map<std::string, Datasource> BothServers::datasources() const {
  std::map<std::string, Datasource> all;
  all["prometheus"].url = prometheus_.url();
  all["victoria"].url = victoria_.url();
  for (auto& [name, source] : all) source.timeout = Millis{60'000};
  return all;
}

std::vector<Answer> BothServers::ask(const std::vector<Question>& questions) {
  std::vector<Answer> answers(questions.size());
  std::size_t missing = answers.size();
  source_.ask(questions, [&](std::size_t index, Answer answer) {
    answers[index] = std::move(answer);
    --missing;
  });
  run_until(io_, [&] { return missing == 0; });
  return answers;
}

QueryCheck BothServers::check(const std::string& datasource, const std::string& query) {
  return run<QueryCheck>(
      io_, [&]() -> awaitable<QueryCheck> { co_return co_await source_.check(datasource, query); });
}

}  // namespace rollwatch
