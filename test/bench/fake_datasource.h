// A metrics server that knows nothing: whatever is asked at …/api/v1/query gets the same answer,
// by GET or POST, on kept connections, pipelined or not. One epoll loop and no library, so that it
// costs whoever is measured little, and everybody the same. It has a process of its own
// (datasource_main.cc) and notes every query in a ledger, unless it is evaluated for time 0, as
// those that only check a query's syntax are.
//
// How it is told what to do, and asked what it saw: POST to
//
//   /bench/behave?answer=one&delay_ms=0&series=1    from now on; see Behaviour
//   /bench/behave?answer=counters&candidates=2&stables=20
//   /bench/forget                                   the ledger is empty again
//   /bench/window/begin, /bench/window/end
//   /bench/report?interval_ms=1000&holding=text     lines of "name value", of the queries with it
//   /bench/takeover?asker=3&since_us=123            what became of the queries of /n3/api/v1/query
//
// Anything else, such as an alert that is told, gets an empty 200.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "test/bench/counter_answers.h"
#include "test/bench/query_ledger.h"

namespace rollwatch::bench {

struct Behaviour {
  enum class Answer : std::uint8_t {
    kOne,          // one sample, 0.01
    kEmpty,        // no sample
    kMany,         // `series` of them, told apart by the label service="s0", "s1", …
    kCounters,     // of `candidates` and `stables` pods (counter_answers.h); also to range queries
    kUnavailable,  // 503
    kNever,        // taken and not answered; all that wait are answered when this ends
  };
  Answer answer = Answer::kOne;
  Micros delay = 0;
  std::size_t series = 1;
};

class FakeDatasource {
 public:
  explicit FakeDatasource(int port);  // of 127.0.0.1
  [[noreturn]] void serve();

 private:
  struct Connection {
    int fd = -1;
    std::uint64_t number = 0;  // descriptors are used again
    std::string in, out;
    std::size_t waiting = 0;              // requests not answered yet
    bool has_asked = false;               // a query
    bool is_last = false;                 // nothing is asked after this answer
    bool is_watched_for_writing = false;  // what it does not take yet is in `out`
  };
  // An answer that is not due yet.
  struct Held {
    Micros due;
    int fd;
    std::uint64_t connection;
    std::string answer;
  };

  void accept_all();
  void read_from(Connection& connection);
  void write_to(Connection& connection);
  void drop(Connection& connection);
  void take(Connection& connection, std::string_view method, std::string_view target,
            std::string_view body);
  std::string answer_to(std::string_view parameters) const;
  std::string control(std::string_view path, std::string_view parameters);
  void behave(std::string_view parameters);
  void send_due(Micros now);

  int listener_ = -1, epoll_ = -1;
  std::vector<std::unique_ptr<Connection>> connections_;  // by descriptor
  std::size_t open_ = 0, peak_ = 0;                       // of those that have asked
  std::uint64_t accepted_ = 0;
  Behaviour behaviour_;
  std::string many_;  // the samples of kMany
  CounterAnswers counters_;
  std::deque<Held> held_;   // by due time
  std::deque<Held> never_;  // due when kNever ends
  QueryLedger ledger_;
};

}  // namespace rollwatch::bench
