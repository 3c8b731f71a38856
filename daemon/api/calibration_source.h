// A calibration as JSON lines, made while it is sent: POST /calibrate. A window is asked for,
// played and written before the next one is; a pod at a time, and between two slots whatever else
// is due has its turn.
//
// Lines are objects with a "type": one `calibration`, which says what is played; a `window` each;
// one `end` with the sums and what they mean. Where it cannot go on, the last line is an `error`
// instead.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "analysis/compare/calibrate_total.h"
#include "daemon/api/watched_body.h"
#include "daemon/engine/stable_past.h"

namespace rollwatch {

struct CalibrationRequest {
  std::shared_ptr<const RolloutSpec> spec;
  std::shared_ptr<const Plan> plan;
  Calibration calibration;
  SysTime from{}, to{};
  PastWindows windows;
  std::vector<std::string> warnings;
  std::string who;             // asks, for the log
  std::shared_ptr<void> seat;  // held as long as it goes on
};

class CalibrationSource : public WatchedBody {
 public:
  // The clock must outlive it, and so must whatever `read` reaches.
  CalibrationSource(ReadPast read, Clock& clock, CalibrationRequest request);

 private:
  enum class Part : unsigned char { kBegin, kWindows, kNothing };

  awaitable<std::string> make() override;
  awaitable<std::string> play_window();
  awaitable<Expected<PastPods, std::string>> read_window(SysTime begins);
  std::string begin_line() const;
  std::string end_line() const;
  std::string error_line(const std::string& detail);

  const ReadPast read_;
  const CalibrationRequest request_;
  Part part_ = Part::kBegin;
  std::size_t window_ = 0;  // the next one
  std::size_t most_pods_ = 0;
  CalibrationTotal total_;
};

}  // namespace rollwatch
