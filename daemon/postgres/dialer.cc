#include "daemon/postgres/dialer.h"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <utility>

#include "daemon/net/host_lookup.h"

namespace rollwatch {
namespace {

// Each goes on by itself when nobody waits for it any more.
PgLookup system_lookup(const net::any_io_executor& executor) {
  return [executor](const std::string& host, const std::function<void(PgAddresses)>& done) {
    look_up_host(executor, host, done);
  };
}

}  // namespace

std::string one_line(const char* message) {
  std::string text = message == nullptr ? "" : message;
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  std::replace(text.begin(), text.end(), '\n', ' ');
  std::erase(text, '\t');
  return text.empty() ? "no reason was given" : text;
}

PgDialer::PgDialer(const net::any_io_executor& executor, PgTarget target)
    : executor_(executor), target_(std::move(target)), share_end_(executor), end_(executor) {}

PgDialer::~PgDialer() { close(); }

void PgDialer::dial(Done done) {
  done_ = std::move(done);
  if (const auto mistake = mistake_in_pg_url(target_.url)) {
    failures_ = *mistake;
    return end(nullptr);
  }
  servers_ = servers_of(target_.url);
  const auto count = static_cast<Millis::rep>(servers_.all.size());
  for (PgServer server : servers_.all) {
    server.share = std::min(target_.connect_limit / count,
                            servers_.connect_timeout.value_or(target_.connect_limit));
    left_.push_back(std::move(server));
  }
  set_alarm(end_, target_.connect_limit, true);
  next();
}

void PgDialer::next() {
  if (left_.empty()) return end(nullptr);
  now_ = std::move(left_.front());
  left_.pop_front();
  ++turn_;
  set_alarm(share_end_, now_.share, false);
  if (now_.must_be_looked_up()) {
    look_up();
  } else {
    connect();
  }
}

void PgDialer::look_up() {
  const PgLookup lookup = target_.lookup ? target_.lookup : system_lookup(executor_);
  looking_ = lookup;
  lookup(now_.host, [weak = weak_from_this(), turn = turn_](const PgAddresses& addresses) {
    const auto self = weak.lock();
    if (self && self->turn_ == turn) self->found(addresses);
  });
}

void PgDialer::found(const PgAddresses& addresses) {
  looking_.reset();
  if (!addresses)
    return failed("the host \"" + now_.host + "\" was not found: " + addresses.error());
  std::vector<std::string> each;
  for (const std::string& address : *addresses)
    if (std::find(each.begin(), each.end(), address) == each.end()) each.push_back(address);
  if (each.empty()) return failed("the host \"" + now_.host + "\" has no address");
  const Millis share = now_.share / static_cast<Millis::rep>(each.size());
  std::reverse(each.begin(), each.end());
  for (const std::string& address : each) left_.push_front({now_.host, address, now_.port, share});
  next();
}

void PgDialer::connect() {
  std::vector<const char*> keys = {"fallback_application_name", "client_encoding", "dbname",
                                   "application_name"};
  std::vector<const char*> values = {target_.name.c_str(), "UTF8", target_.url.c_str(),
                                     target_.name.c_str()};
  const auto add = [&](const char* key, const std::string& value) {
    if (value.empty()) return;
    keys.push_back(key);
    values.push_back(value.c_str());
  };
  // After dbname, they go before what stands in it.
  add("host", now_.host);
  add("hostaddr", now_.hostaddr);
  add("port", now_.port);
  keys.push_back(nullptr);
  values.push_back(nullptr);
  connection_ = PQconnectStartParams(keys.data(), values.data(), 1);
  if (connection_ == nullptr) return failed("out of memory");
  // libpq would write the server's remarks to our standard error, past the log.
  PQsetNoticeProcessor(
      connection_, [](void*, const char*) {}, nullptr);
  if (PQstatus(connection_) == CONNECTION_BAD) return failed(one_line(PQerrorMessage(connection_)));
  wait(false);
}

void PgDialer::step() {
  switch (PQconnectPoll(connection_)) {
    case PGRES_POLLING_READING:
      return wait(true);
    case PGRES_POLLING_WRITING:
      return wait(false);
    case PGRES_POLLING_OK:
      if (socket_) socket_->release();
      socket_.reset();
      return end(std::exchange(connection_, nullptr));
    default:
      return failed(one_line(PQerrorMessage(connection_)));
  }
}

void PgDialer::wait(bool for_reading) {
  const int number = PQsocket(connection_);
  if (number < 0) return failed(one_line(PQerrorMessage(connection_)));
  // libpq may have taken another socket, even of the same number.
  if (socket_) socket_->release();
  socket_.emplace(executor_, number);
  for_reading_ = for_reading;
  using Descriptor = net::posix::stream_descriptor;
  socket_->async_wait(
      for_reading ? Descriptor::wait_read : Descriptor::wait_write,
      [weak = weak_from_this(), turn = turn_](const boost::system::error_code& error) {
        const auto self = weak.lock();
        if (!error && self && self->turn_ == turn) self->step();
      });
}

std::optional<bool> PgDialer::go_on(Millis limit) {
  if (connection_ == nullptr) return std::nullopt;
  const auto keep = shared_from_this();
  const short wanted = for_reading_ ? POLLIN : POLLOUT;
  pollfd waited{PQsocket(connection_), wanted, 0};
  if (poll(&waited, 1, static_cast<int>(limit.count())) <= 0) return false;
  step();
  return true;
}

void PgDialer::set_alarm(Timer& timer, Millis limit, bool is_for_all) {
  timer.expires_after(limit);
  timer.async_wait([weak = weak_from_this(), turn = turn_, limit,
                    is_for_all](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (error || !self || !self->done_) return;
    if (is_for_all || self->turn_ == turn) self->overdue(limit, is_for_all);
  });
}

void PgDialer::overdue(Millis limit, bool is_for_all) {
  const std::string within = " within " + std::to_string(limit.count()) + " ms";
  if (is_for_all) left_.clear();
  if (looking_) return failed("the host \"" + now_.host + "\" could not be looked up" + within);
  failed("no connection" + within + shown());
}

std::string PgDialer::shown() const {
  if (servers_.as_they_stand) return "";
  std::string text =
      " to the server at \"" + (now_.host.empty() ? now_.hostaddr : now_.host) + "\"";
  if (!now_.host.empty() && !now_.hostaddr.empty()) text += " (" + now_.hostaddr + ")";
  return text + (now_.port.empty() ? "" : ", port " + now_.port);
}

void PgDialer::failed(const std::string& why) {
  drop();
  if (!failures_.empty()) failures_ += "; ";
  failures_ += why;
  if (const std::string_view advice = advice_on(why); !advice.empty())
    failures_ += "; " + std::string(advice);
  next();
}

void PgDialer::drop() {
  ++turn_;
  looking_.reset();
  if (socket_) socket_->release();  // libpq closes it
  socket_.reset();
  if (connection_ != nullptr) PQfinish(std::exchange(connection_, nullptr));
}

void PgDialer::end(pg_conn* connection) {
  share_end_.cancel();
  end_.cancel();
  if (const Done done = std::exchange(done_, nullptr)) return done(connection, failures_);
  if (connection != nullptr) PQfinish(connection);
}

void PgDialer::close() {
  done_ = nullptr;
  left_.clear();
  share_end_.cancel();
  end_.cancel();
  drop();
}

}  // namespace rollwatch
