#include "daemon/postgres/connection.h"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <optional>
#include <unordered_map>
#include <utility>

#include "daemon/postgres/dialer.h"

namespace rollwatch {
namespace {

std::string field_of(const PGresult* result, int field) {
  const char* text = PQresultErrorField(result, field);
  return text == nullptr ? "" : text;
}

PgError error_of(const PGresult* result) {
  std::string message = field_of(result, PG_DIAG_MESSAGE_PRIMARY);
  const std::string constraint = field_of(result, PG_DIAG_CONSTRAINT_NAME);
  if (!constraint.empty() && message.find(constraint) == std::string::npos)
    message += " (" + constraint + ")";
  return {field_of(result, PG_DIAG_SQLSTATE), message};
}

// What the server says when it ends the session: the connection is lost, whatever was asked.
bool ends_session(const std::string& state) {
  return state.starts_with("57P0") || state.starts_with("08") || state == "25P03";
}

}  // namespace

class PgConnection::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(const net::any_io_executor& executor, PgTarget target)
      : executor_(executor), target_(std::move(target)), alarm_(executor) {}
  ~Impl() { drop(); }

  void connect();
  void connected(PGconn* connection, const std::string& why);
  void run(std::vector<PgStatement> statements, std::string script, Done done, Millis limit);
  void finish(Millis limit);
  void close();
  void listen(std::function<void(std::string)> heard);

  const net::any_io_executor& executor() const { return executor_; }
  bool is_broken() const { return phase_ == Phase::kBroken; }
  bool is_busy() const { return done_ != nullptr; }
  bool still_stands();
  std::string trouble() const { return phase_ == Phase::kConnecting ? "connecting" : trouble_; }

 private:
  enum class Phase : unsigned char { kConnecting, kReady, kBroken };
  enum class Want : unsigned char { kNothing, kRead, kWrite, kReadWrite };

  struct Sent {
    bool is_preparation = false;
    const char* sql = nullptr;
  };

  void drive();  // goes on as far as it can, then waits for the socket
  Want step();   // goes on as far as it can without waiting
  bool send();
  bool receive();
  void take(PGresult* raw);
  void hear();
  void wait(Want want);
  void stop_waiting();
  void set_alarm(Millis limit, const char* what);
  void stop_alarm();
  void broken(const std::string& why);
  void answer(Answer result);
  void drop();

  const net::any_io_executor executor_;
  const PgTarget target_;
  Timer alarm_;
  std::uint64_t alarm_number_ = 0;

  Phase phase_ = Phase::kConnecting;
  std::string trouble_;
  std::shared_ptr<PgDialer> dialer_;  // while connecting
  PGconn* connection_ = nullptr;
  std::optional<net::posix::stream_descriptor> socket_;
  bool waiting_read_ = false, waiting_write_ = false;

  std::unordered_map<const void*, std::string> prepared_;  // by their address, their names
  std::uint64_t names_ = 0;

  // What is out.
  Done done_;
  std::vector<PgStatement> statements_;
  std::string script_;
  bool sent_ = false;
  Millis limit_{0};
  std::vector<Sent> outstanding_;  // in the order of their results
  std::size_t received_ = 0;
  std::vector<PgRows> rows_;
  std::optional<PgError> failure_;

  std::function<void(std::string)> heard_;
};

void PgConnection::Impl::connect() {
  dialer_ = std::make_shared<PgDialer>(executor_, target_);
  const auto dialer = dialer_;  // it may end, and be dropped, at once
  dialer->dial([weak = weak_from_this()](PGconn* connection, const std::string& why) {
    if (const auto self = weak.lock()) return self->connected(connection, why);
    if (connection != nullptr) PQfinish(connection);
  });
}

void PgConnection::Impl::connected(PGconn* connection, const std::string& why) {
  dialer_.reset();
  connection_ = connection;
  if (connection_ == nullptr) return broken(why);
  phase_ = Phase::kReady;
  if (PQsetnonblocking(connection_, 1) != 0 || PQenterPipelineMode(connection_) != 1)
    return broken(one_line(PQerrorMessage(connection_)));
  if (done_) set_alarm(limit_, "no answer within ");
  drive();
}

void PgConnection::Impl::run(std::vector<PgStatement> statements, std::string script, Done done,
                             Millis limit) {
  done_ = std::move(done);
  statements_ = std::move(statements);
  script_ = std::move(script);
  sent_ = false;
  outstanding_.clear();
  received_ = 0;
  rows_.clear();
  failure_.reset();
  if (is_broken()) return answer(Unexpected(PgError("", trouble_)));
  limit_ = limit > Millis{0} ? limit : target_.answer_limit;
  if (phase_ == Phase::kReady) set_alarm(limit_, "no answer within ");
  drive();
}

bool PgConnection::Impl::send() {
  sent_ = true;
  if (!script_.empty()) {
    outstanding_.push_back({});
    return PQexitPipelineMode(connection_) == 1 && PQsendQuery(connection_, script_.c_str()) == 1;
  }
  for (const PgStatement& statement : statements_) {
    const auto count = static_cast<int>(statement.values.size());
    std::vector<const char*> values;
    values.reserve(statement.values.size());
    for (const auto& value : statement.values) values.push_back(value ? value->c_str() : nullptr);
    if (!statement.once.empty()) {
      if (PQsendQueryParams(connection_, statement.once.c_str(), count, nullptr, values.data(),
                            nullptr, nullptr, 0) != 1)
        return false;
      outstanding_.push_back({});
      continue;
    }
    const char* sql = statement.sql.data();
    auto found = prepared_.find(sql);
    if (found == prepared_.end()) {
      found = prepared_.emplace(sql, "s" + std::to_string(++names_)).first;
      const std::string text(statement.sql);
      if (PQsendPrepare(connection_, found->second.c_str(), text.c_str(), 0, nullptr) != 1)
        return false;
      outstanding_.push_back({true, sql});
    }
    if (PQsendQueryPrepared(connection_, found->second.c_str(), count, values.data(), nullptr,
                            nullptr, 0) != 1)
      return false;
    outstanding_.push_back({});
  }
  return PQpipelineSync(connection_) == 1;
}

void PgConnection::Impl::take(PGresult* raw) {
  const std::shared_ptr<PGresult> result(raw, PQclear);
  const ExecStatusType status = PQresultStatus(raw);
  const Sent sent = received_ < outstanding_.size() ? outstanding_[received_] : Sent{};
  if (status == PGRES_FATAL_ERROR || status == PGRES_NONFATAL_ERROR) {
    PgError error = error_of(raw);
    if (!failure_) failure_ = error;
  }
  const bool fine = status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
  // What was not prepared after all is prepared the next time.
  if (sent.is_preparation && !fine) prepared_.erase(sent.sql);
  if (fine && !sent.is_preparation) rows_.emplace_back(result);
}

// True once all has arrived.
bool PgConnection::Impl::receive() {
  while (PQisBusy(connection_) == 0) {
    PGresult* result = PQgetResult(connection_);
    if (result == nullptr) {
      // The end of one statement's results; of a script's, the end of all.
      if (!script_.empty()) return true;
      if (received_ > outstanding_.size()) return true;
      ++received_;
      continue;
    }
    if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
      PQclear(result);
      return true;
    }
    take(result);
    if (PQstatus(connection_) == CONNECTION_BAD) return false;
  }
  return false;
}

void PgConnection::Impl::hear() {
  while (PGnotify* notification = PQnotifies(connection_)) {
    const std::string payload = notification->extra;
    PQfreemem(notification);
    if (heard_) heard_(payload);
  }
}

PgConnection::Impl::Want PgConnection::Impl::step() {
  if (phase_ == Phase::kBroken) return Want::kNothing;
  if (phase_ == Phase::kConnecting) return Want::kNothing;
  if (done_ && !sent_) {
    if (!send()) {
      broken(one_line(PQerrorMessage(connection_)));
      return Want::kNothing;
    }
  }
  const int left = PQflush(connection_);
  if (left < 0 || PQconsumeInput(connection_) != 1) {
    const std::string why = one_line(PQerrorMessage(connection_));
    if (done_) receive();  // its last words
    broken(failure_ && !failure_->is_lost() ? failure_->what() : why);
    return Want::kNothing;
  }
  hear();
  if (phase_ == Phase::kBroken) return Want::kNothing;
  if (!done_) {
    if (heard_) return Want::kRead;
    stop_waiting();
    return Want::kNothing;
  }
  if (!receive()) {
    if (PQstatus(connection_) == CONNECTION_BAD) {
      broken(failure_ ? failure_->what() : one_line(PQerrorMessage(connection_)));
      return Want::kNothing;
    }
    return left > 0 ? Want::kReadWrite : Want::kRead;
  }
  if (!script_.empty() && PQenterPipelineMode(connection_) != 1) {
    broken(one_line(PQerrorMessage(connection_)));
    return Want::kNothing;
  }
  if (failure_ && ends_session(failure_->state())) {
    broken(failure_->what());
    return Want::kNothing;
  }
  stop_alarm();
  if (failure_) {
    answer(Unexpected(*failure_));
  } else {
    answer(std::move(rows_));
  }
  // The answer may have asked the next question already.
  return step();
}

void PgConnection::Impl::drive() { wait(step()); }

void PgConnection::Impl::wait(Want want) {
  if (want == Want::kNothing || phase_ == Phase::kBroken) return;
  const int number = PQsocket(connection_);
  if (number < 0) return broken(one_line(PQerrorMessage(connection_)));
  if (!socket_) socket_.emplace(executor_, number);
  const bool read = want == Want::kRead || want == Want::kReadWrite;
  const bool write = want == Want::kWrite || want == Want::kReadWrite;
  using Descriptor = net::posix::stream_descriptor;
  const auto on_ready = [weak = weak_from_this()](bool Impl::*waiting) {
    return [weak, waiting](const boost::system::error_code& error) {
      const auto self = weak.lock();
      if (!self || error) return;
      (*self).*waiting = false;
      self->drive();
    };
  };
  if (read && !waiting_read_) {
    waiting_read_ = true;
    socket_->async_wait(Descriptor::wait_read, on_ready(&Impl::waiting_read_));
  }
  if (write && !waiting_write_) {
    waiting_write_ = true;
    socket_->async_wait(Descriptor::wait_write, on_ready(&Impl::waiting_write_));
  }
}

// An idle connection keeps nothing waiting on the event loop.
void PgConnection::Impl::stop_waiting() {
  if (!waiting_read_ && !waiting_write_) return;
  socket_->cancel();
  waiting_read_ = waiting_write_ = false;
}

void PgConnection::Impl::set_alarm(Millis limit, const char* what) {
  const std::uint64_t number = ++alarm_number_;
  alarm_.expires_after(limit);
  alarm_.async_wait(
      [weak = weak_from_this(), number, limit, what](const boost::system::error_code& error) {
        const auto self = weak.lock();
        if (error || !self || self->alarm_number_ != number) return;
        self->broken(what + std::to_string(limit.count()) + " ms");
      });
}

void PgConnection::Impl::broken(const std::string& why) {
  if (phase_ == Phase::kBroken) return;
  phase_ = Phase::kBroken;
  trouble_ = why;
  drop();
  if (done_) answer(Unexpected(PgError("", trouble_, sent_)));
}

void PgConnection::Impl::answer(Answer result) {
  const Done done = std::exchange(done_, nullptr);
  statements_.clear();
  if (done) done(std::move(result));
}

void PgConnection::Impl::stop_alarm() {
  ++alarm_number_;
  alarm_.cancel();
}

void PgConnection::Impl::drop() {
  stop_alarm();
  if (dialer_) std::exchange(dialer_, nullptr)->close();
  if (socket_) {
    socket_->release();  // libpq closes it
    socket_.reset();
  }
  if (connection_ != nullptr) PQfinish(std::exchange(connection_, nullptr));
}

void PgConnection::Impl::finish(Millis limit) {
  constexpr Millis kSlice{20};
  for (Millis left = limit; done_ && !is_broken();) {
    if (dialer_) {
      const auto dialer = dialer_;
      const auto moved = dialer->go_on(kSlice);
      if (!moved || left <= Millis{0}) return broken("it was not connected yet");
      if (!*moved) left -= kSlice;
      continue;
    }
    const Want want = step();
    if (!done_ || want == Want::kNothing) break;
    if (left <= Millis{0})
      return broken("no answer within " + std::to_string(limit.count()) + " ms");
    pollfd waited{PQsocket(connection_), 0, 0};
    if (want != Want::kWrite) waited.events |= POLLIN;
    if (want != Want::kRead) waited.events |= POLLOUT;
    // A slice that ended early is counted whole only if nothing came.
    if (poll(&waited, 1, static_cast<int>(kSlice.count())) == 0) left -= kSlice;
  }
}

bool PgConnection::Impl::still_stands() {
  // Twice: what is read first may be the server's last words.
  for (int i = 0; i < 2 && phase_ == Phase::kReady && !done_; ++i)
    if (PQconsumeInput(connection_) != 1) broken(one_line(PQerrorMessage(connection_)));
  return !is_broken();
}

void PgConnection::Impl::close() {
  heard_ = nullptr;
  done_ = nullptr;
  broken("closed");
}

void PgConnection::Impl::listen(std::function<void(std::string)> heard) {
  heard_ = std::move(heard);
  if (phase_ == Phase::kReady) drive();
}

PgConnection::PgConnection(const net::any_io_executor& executor, PgTarget target)
    : impl_(std::make_shared<Impl>(executor, std::move(target))) {
  impl_->connect();
}
PgConnection::~PgConnection() { impl_->close(); }

bool PgConnection::is_broken() const { return impl_->is_broken(); }
bool PgConnection::is_busy() const { return impl_->is_busy(); }
std::string PgConnection::trouble() const { return impl_->trouble(); }

bool PgConnection::still_stands() {
  const auto keep = impl_;
  return keep->still_stands();
}

void PgConnection::run(std::vector<PgStatement> statements, Done done, Millis limit) {
  const auto keep = impl_;
  keep->run(std::move(statements), "", std::move(done), limit);
}

awaitable<std::vector<PgRows>> PgConnection::ask(std::vector<PgStatement> statements,
                                                 Millis limit) {
  auto arrived = std::make_shared<Promise<Answer>>(impl_->executor());
  impl_->run(
      std::move(statements), "", [arrived](Answer result) { arrived->set(std::move(result)); },
      limit);
  Answer result = co_await arrived->get();
  if (!result) throw PgError(result.error());
  co_return std::move(*result);
}

awaitable<void> PgConnection::execute(std::string sql) {
  auto arrived = std::make_shared<Promise<Answer>>(impl_->executor());
  impl_->run(
      {}, std::move(sql), [arrived](Answer result) { arrived->set(std::move(result)); }, Millis{0});
  const Answer result = co_await arrived->get();
  if (!result) throw PgError(result.error());
}

void PgConnection::finish(Millis limit) {
  const auto keep = impl_;
  keep->finish(limit);
}
void PgConnection::on_notification(std::function<void(std::string payload)> heard) {
  impl_->listen(std::move(heard));
}
void PgConnection::close() { impl_->close(); }

}  // namespace rollwatch
