// All history as JSON lines, made while it is sent: GET /export. Each piece is a few short reads of
// the store, so neither a long history nor a slow reader holds anything but one piece; who does not
// take one for a minute is cut.
//
// Lines are {"type", "rollout", "data"}: one `export`; each rollout, newest first, then its
// evaluations, events, deliveries and decisions; the freezes; one `end`. Where the store goes away,
// the last line is an `error` instead.
#pragma once

#include <deque>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "daemon/api/rollout_service.h"
#include "daemon/api/watched_body.h"
#include "daemon/engine/caller.h"

namespace rollwatch {

struct ExportRequest {
  Caller caller;
  std::string ns;                // "": all that the caller sees
  std::optional<SysTime> since;  // only rollouts registered then or later
  std::string program;           // version, for the first line
  std::shared_ptr<void> seat;    // held as long as it is sent
};

class ExportSource : public WatchedBody {
 public:
  // Service and clock must outlive it.
  ExportSource(RolloutService& service, Clock& clock, ExportRequest request);

 private:
  enum class Part : unsigned char {
    kBegin,
    kRollout,
    kEvaluations,
    kEvents,
    kDeliveries,
    kDecisions,
    kFreezes,
    kNothing,
  };

  awaitable<std::string> make() override;
  awaitable<void> write_more();
  awaitable<void> write_rollout();
  awaitable<void> write_evaluations();
  awaitable<void> write_events();
  awaitable<void> write_deliveries();
  awaitable<void> write_decision();
  awaitable<void> write_freezes();
  void write(const char* type, nlohmann::ordered_json data);

  RolloutService& service_;
  const ExportRequest request_;

  Part part_ = Part::kBegin;
  std::string text_;                      // of the piece that is being made
  std::deque<RolloutView> rollouts_;      // of the page that was read last
  std::optional<std::string> next_page_;  // none: there is no more
  bool first_page_ = true;
  std::optional<RolloutView> rollout_;  // whose history is being written
  std::uint32_t evaluation_ = 0;        // the last one written, and so on
  std::int64_t event_ = 0;
  std::optional<std::string> delivery_page_;
  std::deque<std::string> decisions_;  // that are still to be written
  std::size_t lines_ = 0, rollouts_written_ = 0;
};

}  // namespace rollwatch
