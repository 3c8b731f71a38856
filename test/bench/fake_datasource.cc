#include "test/bench/fake_datasource.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <iterator>
#include <system_error>
#include <utility>

#include "test/bench/kept_connection.h"

namespace rollwatch::bench {
namespace {

constexpr Micros kSecond = 1'000'000;
constexpr double kLifeOfPods = 86'400;  // seconds that they have counted for

Micros now(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return time.tv_sec * kSecond + time.tv_nsec / 1'000;
}

[[noreturn]] void throw_errno(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

// The value of a form's field as it was sent, "" if there is none.
std::string_view field(std::string_view form, std::string_view name) {
  while (!form.empty()) {
    const std::string_view one = form.substr(0, form.find('&'));
    if (one.size() > name.size() && one[name.size()] == '=' && one.starts_with(name))
      return one.substr(name.size() + 1);
    form.remove_prefix(std::min(form.size(), one.size() + 1));
  }
  return {};
}

std::size_t number(std::string_view text) {
  return std::strtoul(std::string(text).c_str(), nullptr, 10);
}

// Who asks at /n3/api/v1/query is the third of several; anybody else is none of them.
std::uint16_t asker_of(std::string_view path) {
  return path.starts_with("/n") ? static_cast<std::uint16_t>(number(path.substr(2))) : 0;
}

std::string http(std::string_view status, std::string_view body) {
  return fmt::format(
      "HTTP/1.1 {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{}", status,
      body.size(), body);
}

std::string vector(std::string_view samples) {
  return fmt::format(R"({{"status":"success","data":{{"resultType":"vector","result":[{}]}}}})",
                     samples);
}

std::string matrix(std::string_view rows) {
  return fmt::format(R"({{"status":"success","data":{{"resultType":"matrix","result":[{}]}}}})",
                     rows);
}

double seconds(std::string_view text) { return std::strtod(std::string(text).c_str(), nullptr); }

std::string samples(std::size_t series, std::string_view time) {
  std::string text;
  for (std::size_t i = 0; i < series; ++i)
    text += fmt::format(R"({}{{"metric":{{"service":"s{}"}},"value":[{},"0.01"]}})",
                        i == 0 ? "" : ",", i, time);
  return text;
}

}  // namespace

FakeDatasource::FakeDatasource(int port)
    : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  const int on = 1;
  setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      listen(listener_, 4096) != 0)
    throw_errno("listening on 127.0.0.1");
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = listener_;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, listener_, &event) != 0) throw_errno("epoll");
}

void FakeDatasource::serve() {
  std::array<epoll_event, 256> events{};
  for (;;) {
    timespec wait{};
    if (!held_.empty()) {
      const Micros left = std::max<Micros>(held_.front().due - now(CLOCK_MONOTONIC), 0);
      wait = {left / kSecond, (left % kSecond) * 1'000};
    }
    const int count = epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()),
                                   held_.empty() ? nullptr : &wait, nullptr);
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      if (event.data.fd == listener_) {
        accept_all();
        continue;
      }
      Connection* connection = connections_[static_cast<std::size_t>(event.data.fd)].get();
      if (connection && (event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
        read_from(*connection);
        connection = connections_[static_cast<std::size_t>(event.data.fd)].get();
      }
      if (connection && !connection->out.empty()) write_to(*connection);
    }
    if (!held_.empty()) send_due(now(CLOCK_MONOTONIC));
  }
}

void FakeDatasource::accept_all() {
  for (;;) {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const auto at = static_cast<std::size_t>(fd);
    if (connections_.size() <= at) connections_.resize(at + 1);
    connections_[at] = std::make_unique<Connection>();
    connections_[at]->fd = fd;
    connections_[at]->number = ++accepted_;
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }
}

void FakeDatasource::read_from(Connection& connection) {
  std::array<char, 1 << 16> chunk;  // NOLINT(cppcoreguidelines-pro-type-member-init): written first
  const ssize_t got = recv(connection.fd, chunk.data(), chunk.size(), 0);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) return drop(connection);
  connection.in.append(chunk.data(), static_cast<std::size_t>(got));
  std::string_view left = connection.in;
  while (const auto size = complete_message(left)) {
    const std::size_t space = left.find(' ');
    const std::string_view method = left.substr(0, space);
    const std::string_view rest = left.substr(space + 1);
    take(connection, method, rest.substr(0, rest.find(' ')), left.substr(size->head, size->body));
    left.remove_prefix(size->head + size->body);
  }
  connection.in.erase(0, connection.in.size() - left.size());
}

void FakeDatasource::write_to(Connection& connection) {
  const ssize_t sent =
      send(connection.fd, connection.out.data(), connection.out.size(), MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN) return drop(connection);
  connection.out.erase(0, static_cast<std::size_t>(std::max<ssize_t>(sent, 0)));
  if (connection.out.empty() && connection.is_last) return drop(connection);
  epoll_event event{};
  event.events = EPOLLIN | (connection.out.empty() ? 0U : static_cast<std::uint32_t>(EPOLLOUT));
  event.data.fd = connection.fd;
  // Only while the other side does not take it all.
  if (!connection.out.empty() || connection.is_watched_for_writing) {
    epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.fd, &event);
    connection.is_watched_for_writing = !connection.out.empty();
  }
}

void FakeDatasource::drop(Connection& connection) {
  const int fd = connection.fd;
  close(fd);
  if (connection.has_asked) --open_;
  connections_[static_cast<std::size_t>(fd)].reset();
}

void FakeDatasource::take(Connection& connection, std::string_view method, std::string_view target,
                          std::string_view body) {
  const std::string_view path = target.substr(0, target.find('?'));
  const std::string_view address =
      path.size() < target.size() ? target.substr(path.size() + 1) : std::string_view();
  if (path.starts_with("/bench/")) {
    connection.out += control(path, address);
    connection.is_last = true;
    return;
  }
  const std::string_view form =
      method == "POST" && field(address, "query").empty() ? body : address;
  if (path.ends_with("/api/v1/query_range")) {  // of the past: in no grid, and not noted
    connection.out +=
        http("200 OK",
             matrix(counters_.rows(field(form, "query"), seconds(field(form, "start")),
                                   seconds(field(form, "end")), seconds(field(form, "step")))));
    return;
  }
  if (!path.ends_with("/api/v1/query")) {
    connection.out += http("200 OK", "{}");
    return;
  }
  if (!std::exchange(connection.has_asked, true)) peak_ = std::max(peak_, ++open_);
  const std::string_view time = field(form, "time");
  const Micros at = now(CLOCK_MONOTONIC);
  const double asked_for = seconds(time);
  const bool is_check = asked_for == 0;  // answered as by anybody: there were no samples in 1970
  if (!is_check)
    ledger_.note(field(form, "query"), at,
                 now(CLOCK_REALTIME) - static_cast<Micros>(asked_for * kSecond), asker_of(path));
  const bool is_never = !is_check && behaviour_.answer == Behaviour::Answer::kNever;
  const Micros delay = is_check ? 0 : behaviour_.delay;
  std::string answer = is_check ? http("200 OK", vector("")) : answer_to(form);
  // One that came first is answered first.
  if (!is_never && delay == 0 && connection.waiting == 0) {
    connection.out += answer;
    return;
  }
  ++connection.waiting;
  auto& queue = is_never ? never_ : held_;
  const Micros due = std::max(at + delay, queue.empty() ? 0 : queue.back().due);
  queue.push_back({due, connection.fd, connection.number, std::move(answer)});
}

std::string FakeDatasource::answer_to(std::string_view parameters) const {
  const std::string_view time = field(parameters, "time");
  switch (behaviour_.answer) {
    case Behaviour::Answer::kUnavailable:
      return http("503 Service Unavailable", R"({"status":"error","errorType":"unavailable"})");
    case Behaviour::Answer::kMany:
      return http("200 OK", vector(many_));
    case Behaviour::Answer::kCounters:
      return http("200 OK", vector(counters_.samples(field(parameters, "query"), time)));
    case Behaviour::Answer::kOne:
      return http("200 OK", vector(samples(1, time)));
    case Behaviour::Answer::kEmpty:
    case Behaviour::Answer::kNever:
      break;
  }
  return http("200 OK", vector(""));
}

std::string FakeDatasource::control(std::string_view path, std::string_view parameters) {
  if (path == "/bench/behave") {
    behave(parameters);
  } else if (path == "/bench/forget") {
    ledger_.forget();
    peak_ = open_;
  } else if (path == "/bench/window/begin") {
    ledger_.begin_window(now(CLOCK_MONOTONIC));
  } else if (path == "/bench/window/end") {
    ledger_.end_window(now(CLOCK_MONOTONIC));
  } else if (path == "/bench/takeover") {
    const auto seen =
        ledger_.takeover(static_cast<std::uint16_t>(number(field(parameters, "asker"))),
                         static_cast<Micros>(number(field(parameters, "since_us"))));
    return http("200 OK",
                fmt::format("queries {}\nwaiting {}\np50 {}\np99 {}\nmax {}\n", seen.queries,
                            seen.waiting, seen.after.p50, seen.after.p99, seen.after.max));
  } else if (path == "/bench/report") {
    const Micros interval = static_cast<Micros>(number(field(parameters, "interval_ms"))) * 1'000;
    const LedgerReport seen =
        ledger_.report(std::max<Micros>(interval, 1'000), field(parameters, "holding"));
    return http(
        "200 OK",
        fmt::format("queries {}\ndistinct {}\nslots {}\nmissed {}\nmissed_median {}\nmissed_max "
                    "{}\nlate_p50 {}\nlate_p99 {}\nlate_max {}\nafter_p50 {}\nafter_p99 "
                    "{}\nafter_max {}\nbusiest_100ms {}\nconnections {}\nconnections_peak {}\n",
                    seen.queries, seen.distinct, seen.slots, seen.missed, seen.missed_median,
                    seen.missed_max, seen.late.p50, seen.late.p99, seen.late.max,
                    seen.after_time.p50, seen.after_time.p99, seen.after_time.max,
                    seen.busiest_100ms, open_, peak_));
  }
  return http("200 OK", "");
}

void FakeDatasource::behave(std::string_view parameters) {
  const std::string_view answer = field(parameters, "answer");
  const bool was_never = behaviour_.answer == Behaviour::Answer::kNever;
  behaviour_.answer = answer == "empty"      ? Behaviour::Answer::kEmpty
                      : answer == "many"     ? Behaviour::Answer::kMany
                      : answer == "counters" ? Behaviour::Answer::kCounters
                      : answer == "503"      ? Behaviour::Answer::kUnavailable
                      : answer == "never"    ? Behaviour::Answer::kNever
                                             : Behaviour::Answer::kOne;
  behaviour_.delay = static_cast<Micros>(number(field(parameters, "delay_ms"))) * 1'000;
  behaviour_.series = number(field(parameters, "series"));
  many_ = behaviour_.answer == Behaviour::Answer::kMany
              ? samples(behaviour_.series, std::to_string(now(CLOCK_REALTIME) / kSecond))
              : "";
  if (behaviour_.answer == Behaviour::Answer::kCounters)
    counters_ = CounterAnswers(number(field(parameters, "candidates")),
                               number(field(parameters, "stables")),
                               static_cast<double>(now(CLOCK_REALTIME)) / kSecond - kLifeOfPods);
  if (!was_never || behaviour_.answer == Behaviour::Answer::kNever) return;
  for (; !never_.empty(); never_.pop_back()) {
    never_.back().answer = answer_to("time=1");
    held_.push_front(std::move(never_.back()));
  }
}

void FakeDatasource::send_due(Micros now) {
  for (; !held_.empty() && held_.front().due <= now; held_.pop_front()) {
    Held& one = held_.front();
    Connection* connection = connections_[static_cast<std::size_t>(one.fd)].get();
    if (connection == nullptr || connection->number != one.connection) continue;
    --connection->waiting;
    connection->out += one.answer;
    write_to(*connection);
  }
}

}  // namespace rollwatch::bench
