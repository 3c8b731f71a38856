// How long an event takes from its commit to each of many clients that follow the event stream.
// Store, feed and HTTP server are the real ones, in this process, so that the moment of the commit
// is known; the clients are sockets in another thread.
//
//   rollwatch_bench_stream [--clients N] [--rate N] [--seconds N] [--json FILE]
//
// Prints how many events were lost, and what share of a core the thread of the server took.
#include <fmt/format.h>
#include <sys/resource.h>

#include <boost/asio/executor_work_guard.hpp>
#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "daemon/api/views.h"
#include "daemon/feed/event_feed.h"
#include "daemon/http/server.h"
#include "daemon/net/system_clock.h"
#include "daemon/storage/sqlite_store.h"
#include "test/bench/findings.h"
#include "test/bench/options.h"
#include "test/bench/report.h"
#include "test/bench/stream_clients.h"
#include "test/support/process.h"

namespace rollwatch::bench {
namespace {

struct Options {
  std::size_t clients = 500;
  std::size_t rate = 100;  // events a second
  std::size_t seconds = 10;
  std::string json;
  std::size_t events() const { return rate * seconds; }
};

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

double cpu_seconds_of_this_thread() {
  rusage usage{};
  ::getrusage(RUSAGE_THREAD, &usage);
  return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

// As the daemon is wired, on a thread of its own.
class Server {
 public:
  explicit Server(CommitTimes& commits)
      : commits_(commits),
        store_(io_.get_executor(), (folder_ / "bench.db").string()),
        feed_(io_.get_executor(), clock_, store_, event_line),
        http_(
            io_.get_executor(), clock_, [this](ServerRequest request) { return answer(request); },
            [](std::string_view, std::string_view, int, std::chrono::nanoseconds) {}),
        address(http_.listen("127.0.0.1:0").value()),
        thread_([this] { io_.run(); }) {}

  ~Server() {
    net::post(io_, [this] {
      feed_.stop();
      io_.stop();
    });
    thread_.join();
  }

  // Records the events, one every so often, beginning now; resumes with the share of a core that
  // its thread took until the last one was on disk.
  double record(std::size_t events, std::chrono::nanoseconds every) {
    std::promise<double> done;
    spawn(io_.get_executor(), "events", [&, events, every]() -> awaitable<void> {
      co_await record_one(0);
      const double cpu = cpu_seconds_of_this_thread();
      const auto begun = std::chrono::steady_clock::now();
      Timer timer(io_.get_executor());
      for (std::size_t i = 1; i <= events; ++i) {
        timer.expires_at(begun + i * every);
        co_await timer.async_wait();
        // As several callers would: none waits for another's commit.
        spawn(io_.get_executor(), "event", [this, i] { return record_one(i); });
      }
      while (on_disk_ < events) {
        timer.expires_after(std::chrono::milliseconds(1));
        co_await timer.async_wait();
      }
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
      done.set_value((cpu_seconds_of_this_thread() - cpu) / took.count());
    });
    return done.get_future().get();
  }

 private:
  // The first registers the rollout whose events they are, and is none.
  awaitable<void> record_one(std::size_t number) {
    Commit commit;
    commit.rollout = "ro_bench";
    if (number == 0) {
      commit.insert.emplace();
      commit.insert->spec.id = commit.rollout;
      commit.insert->spec.service = "checkout";
      commit.state.emplace();
    } else {
      Event event;
      event.type = EventType::kVerdict;
      event.at = clock_.wall();
      event.summary = "error-rate 0.083 > 0.05, 3 of the last 3: the verdict is failing";
      event.by = "engine";
      event.condition = "error-rate";
      event.value = 0.083;
      event.rule = "> 0.05";
      commit.events.push_back(std::move(event));
    }
    std::vector<Commit> commits;
    commits.push_back(std::move(commit));
    const auto recorded = co_await store_.record(std::move(commits));
    if (number == 0) co_return;
    commits_.note(recorded.at(0).event_seqs.at(0));
    feed_.wake();
    ++on_disk_;
  }

  awaitable<ServerResponse> answer(const ServerRequest& request) {
    FeedFilter filter;
    std::string who = request.peer;
    auto opened = co_await feed_.open(std::move(filter), std::nullopt, std::move(who));
    ServerResponse response;
    if (!opened) {
      response.status = 503;
      co_return response;
    }
    response.headers.emplace_back("Content-Type", "text/event-stream");
    response.stream = std::move(*opened);
    co_return response;
  }

  CommitTimes& commits_;
  TempDir folder_;
  net::io_context io_{1};
  net::executor_work_guard<net::io_context::executor_type> guard_{io_.get_executor()};
  SystemClock clock_;
  SqliteStore store_;
  EventFeed feed_;
  HttpServer http_;
  std::size_t on_disk_ = 0;

 public:
  const std::string address;

 private:
  std::thread thread_;
};

void measure_streams(int argc, char** argv) {
  Options options;
  read_options(argc, argv,
               {{"--clients", &options.clients},
                {"--rate", &options.rate},
                {"--seconds", &options.seconds},
                {"--json", &options.json}});
  CommitTimes commits(options.events());
  Server server(commits);
  StreamClients clients(server.address, options.clients);
  auto reading = std::async(std::launch::async, [&] {
    return clients.read(commits, std::chrono::seconds(options.seconds + 30));
  });
  const double core = server.record(
      options.events(), std::chrono::nanoseconds(std::chrono::seconds(1)) / options.rate);
  const StreamReport report = reading.get();
  if (report.milliseconds.empty()) throw std::runtime_error("no client was given any event");
  const auto count = [](std::size_t value) { return static_cast<double>(value); };
  Findings findings;
  findings.add(
      fmt::format("{} clients of the event stream, {} events a second for {} s", options.clients,
                  options.rate, options.seconds),
      {{"events given to clients", count(report.received), ""},
       {"events lost", count(report.lost), "", 0},
       {"events out of order", count(report.out_of_order), "", 0},
       {"from the commit to a client, p50", percentile(report.milliseconds, 50), "ms"},
       {"from the commit to a client, p99", percentile(report.milliseconds, 99), "ms", 100},
       {"from the commit to a client, most", percentile(report.milliseconds, 100), "ms"},
       {"of a core, the thread of the server", core, ""}});
  findings.write(options.json);
}

}  // namespace
}  // namespace rollwatch::bench

int main(int argc, char** argv) {
  return rollwatch::bench::run_benchmark("rollwatch_bench_stream",
                                         rollwatch::bench::measure_streams, argc, argv);
}
