#include "daemon/app/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>

#include "analysis/time.h"
#include "daemon/app/repeats.h"

namespace rollwatch {
namespace {

// spdlog's own JSON patterns break on a quote in the message, so the object is built here.
class JsonFormatter : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    nlohmann::ordered_json line;
    line["ts"] = format_time(std::chrono::floor<Millis>(message.time));
    const auto level = spdlog::level::to_string_view(message.level);
    line["level"] = std::string(level.data(), level.size());
    line["msg"] = std::string(message.payload.data(), message.payload.size());
    const std::string text =
        line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
    out.append(text.data(), text.data() + text.size());
  }
  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<JsonFormatter>();
  }
};

// What systemd's journal makes a line's priority of; it takes it off.
class JournalFormatter : public spdlog::formatter {
 public:
  explicit JournalFormatter(std::unique_ptr<spdlog::formatter> inner) : inner_(std::move(inner)) {}
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    out.push_back('<');
    out.push_back(priority(message.level));
    out.push_back('>');
    inner_->format(message, out);
  }
  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<JournalFormatter>(inner_->clone());
  }

 private:
  static char priority(spdlog::level::level_enum level) {
    switch (level) {
      case spdlog::level::critical:
        return '2';
      case spdlog::level::err:
        return '3';
      case spdlog::level::warn:
        return '4';
      case spdlog::level::info:
        return '6';
      default:
        return '7';
    }
  }
  std::unique_ptr<spdlog::formatter> inner_;
};

// Warnings that repeat are summarised; everything else passes.
class SummingSink : public spdlog::sinks::sink {
 public:
  explicit SummingSink(spdlog::sink_ptr inner) : inner_(std::move(inner)) {}
  ~SummingSink() override {
    for (const std::string& line : repeats_.rest())
      inner_->log({"rollwatchd", spdlog::level::warn, line});
  }
  SummingSink(const SummingSink&) = delete;
  SummingSink& operator=(const SummingSink&) = delete;

  void log(const spdlog::details::log_msg& message) override {
    const std::lock_guard lock(mutex_);
    const auto now = std::chrono::floor<Millis>(message.time);
    if (now < looked_at_ || now - looked_at_ >= Millis{1'000}) {
      looked_at_ = now;
      for (const std::string& line : repeats_.overdue(now))
        tell(message, spdlog::level::warn, line);
    }
    if (message.level != spdlog::level::warn) {
      inner_->log(message);
      return;
    }
    const std::string_view payload(message.payload.data(), message.payload.size());
    if (const auto line = repeats_.admit(payload, now)) tell(message, message.level, *line);
  }
  void flush() override { inner_->flush(); }
  void set_pattern(const std::string& pattern) override { inner_->set_pattern(pattern); }
  void set_formatter(std::unique_ptr<spdlog::formatter> formatter) override {
    inner_->set_formatter(std::move(formatter));
  }

 private:
  void tell(const spdlog::details::log_msg& like, spdlog::level::level_enum level,
            const std::string& line) {
    spdlog::details::log_msg message = like;
    message.level = level;
    message.payload = line;
    inner_->log(message);
  }

  std::mutex mutex_;
  spdlog::sink_ptr inner_;
  Repeats repeats_;
  SysTime looked_at_{};  // for what is overdue
};

// systemd says which stream is the journal's; one that was redirected is not.
bool stderr_is_the_journal() {
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat file {};
  if (stream == nullptr || fstat(STDERR_FILENO, &file) != 0) return false;
  return std::string(stream) == std::to_string(file.st_dev) + ":" + std::to_string(file.st_ino);
}

// As it was asked for at the start.
spdlog::level::level_enum level_at_start = spdlog::level::info;

}  // namespace

void set_up_log(const std::string& level, bool json) {
  auto logger = std::make_shared<spdlog::logger>(
      "rollwatchd",
      std::make_shared<SummingSink>(std::make_shared<spdlog::sinks::stderr_sink_mt>()));
  std::unique_ptr<spdlog::formatter> formatter;
  if (json)
    formatter = std::make_unique<JsonFormatter>();
  else
    formatter = std::make_unique<spdlog::pattern_formatter>("%Y-%m-%dT%H:%M:%S.%eZ %l %v",
                                                            spdlog::pattern_time_type::utc);
  if (stderr_is_the_journal()) formatter = std::make_unique<JournalFormatter>(std::move(formatter));
  logger->set_formatter(std::move(formatter));
  level_at_start = spdlog::level::from_str(level);
  logger->set_level(level_at_start);
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

void log_details(bool wanted) {
  const auto level = wanted ? spdlog::level::debug : level_at_start;
  spdlog::set_level(spdlog::level::info);
  spdlog::info("the log level is {} from now on", spdlog::level::to_string_view(level));
  spdlog::set_level(level);
}

}  // namespace rollwatch
