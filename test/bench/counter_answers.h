// What a metrics server answers about the requests that a service's pods have counted: two series
// for each pod of a version, of those that went well and of those that did not. They grow with the
// time that is asked for, so whoever subtracts finds requests, and both versions do equally well.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace rollwatch::bench {

class CounterAnswers {
 public:
  CounterAnswers() = default;  // of no pods
  // The counters began to grow at `began`, in seconds since the Unix epoch.
  CounterAnswers(std::size_t candidates, std::size_t stables, double began);

  // The samples of an instant query, and the rows of a range query. Which of them is told by the
  // version and by "5..", in whatever encoding the query came.
  std::string samples(std::string_view query, std::string_view time) const;
  std::string rows(std::string_view query, double first, double last, double step) const;

 private:
  struct Counter {
    std::string labels;
    double each_second = 0;
    bool is_candidate = false, is_bad = false;
  };
  double counted(const Counter& counter, double time) const;

  std::vector<Counter> counters_;
  double began_ = 0;
};

}  // namespace rollwatch::bench
