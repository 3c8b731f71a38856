#include "daemon/cli/pace.h"

#include <algorithm>
#include <csignal>
#include <thread>

namespace rollwatch {
namespace {

volatile std::sig_atomic_t interrupt_seen = 0;

void note_interrupt(int) { interrupt_seen = 1; }

}  // namespace

Pace::Steady ProcessPace::steady() const { return std::chrono::steady_clock::now(); }

SysTime ProcessPace::wall() const {
  return std::chrono::time_point_cast<Millis>(std::chrono::system_clock::now());
}

bool ProcessPace::sleep(Millis span) {
  constexpr Millis kSlice{100};
  const Steady end = steady() + span;
  while (tick()) {
    const auto left = end - steady();
    if (left <= Steady::duration::zero()) return true;
    std::this_thread::sleep_for(std::min<Steady::duration>(left, kSlice));
  }
  return false;
}

bool ProcessPace::interrupted() const { return interrupt_seen != 0; }

void ProcessPace::catch_interrupts() {
  struct sigaction action {};
  action.sa_handler = note_interrupt;
  sigemptyset(&action.sa_mask);
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
}

}  // namespace rollwatch
