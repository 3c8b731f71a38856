// The event stream of this process, for any number of clients: every event of every rollout, in
// order, each once, whichever node recorded it.
//
//   EventFeed feed(executor, clock, store, write_json);
//   hooks.event = [&](…) { feed.wake(); };                   // and for what other nodes say
//   const auto opened = co_await feed.open(filter, after, who);  // the body of an answer, or why
//   not
//
// One reader serves all: woken, it reads the store once, writes each event down once, and keeps the
// newest ones in memory. A client is a position in that. One that comes back with the number it has
// seen last is given what it missed from the store, page by page, until what is in memory joins on;
// numbers have no gaps, so nothing is left out or given twice at the seam. Without clients nothing
// is read.
//
// Clients are bounded in everything: their number, how far they may fall behind, how long they may
// take for what they are given. Who is cut can come back and goes on where it was. Io thread only.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/expected.h"
#include "daemon/engine/store.h"
#include "daemon/http/body_source.h"
#include "daemon/net/clock.h"

namespace rollwatch {

// Which events a client is given; what is empty fits all.
struct FeedFilter {
  std::vector<std::string> visible = {};  // namespaces the caller may see
  std::string ns = {}, service = {}, rollout = {};
  std::vector<EventType> types = {};
};

struct FeedLimits {
  // Of the newest events, kept for all clients together: who is further behind is cut.
  std::size_t buffer_bytes = 4 * 1024 * 1024;
  std::size_t clients = 768;
  std::size_t page = 500;         // events the reader takes at once
  std::size_t client_page = 100;  // of what one client missed
  std::size_t piece_bytes = 256 * 1024;
  Millis look_again{3'000};  // in case nobody told us
  Millis heartbeat{15'000};
  Millis stuck{60'000};  // a piece that was not taken by then
  // Events are gathered for so long, for each client: many clients get them in fewer pieces.
  std::chrono::microseconds gather{50};
};

struct FeedHooks {
  // A client was cut: "slow", or "gap" if what it was to be given next is no longer there.
  std::function<void(std::string_view reason)> cut;
};

// Why a client is not served.
struct FeedRefusal {
  enum class Why : unsigned char {
    kFull,     // too many clients, or the process is stopping
    kDeleted,  // some of what comes after that number has been deleted
    kUnknown,  // no such number was given yet: it is of another store
  };
  Why why = Why::kFull;
  std::int64_t deleted = 0;  // as in EventStretch
  std::int64_t newest = 0;
};
using FeedOpened = Expected<std::shared_ptr<BodySource>, FeedRefusal>;

class FeedCore;

class EventFeed {
 public:
  // Of one event, the line that clients are given as its data.
  using Write = std::function<std::string(const StreamedEvent&)>;

  EventFeed(net::any_io_executor executor, Clock& clock, Store& store, Write write,
            FeedHooks hooks = {}, FeedLimits limits = {});
  ~EventFeed();
  EventFeed(const EventFeed&) = delete;
  EventFeed& operator=(const EventFeed&) = delete;

  // A client that has seen everything up to `after`, or begins now. It counts until the body is
  // destroyed. `who` stands in the log. Throws StoreError.
  awaitable<FeedOpened> open(FeedFilter filter, std::optional<std::int64_t> after, std::string who);

  // There may be new events.
  void wake();

  // Ends every stream and reads nothing more.
  void stop();

  std::size_t clients() const;
  // More are refused; those that are there stay.
  void limit_clients(std::size_t most);

 private:
  std::shared_ptr<FeedCore> core_;  // shared with bodies that outlive it
};

}  // namespace rollwatch
