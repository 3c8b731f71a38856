// The event feed over a log in memory, in virtual time and without a socket: clients are what is
// read from their bodies.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daemon/feed/event_feed.h"
#include "test/delivery/memory_store.h"
#include "test/support/manual_clock.h"

namespace rollwatch {

// The log as a store has it: numbers without gaps, rollouts that are forgotten, and a moment
// between the question and the answer in which a test can do something.
class LogStore : public MemoryStore {
 public:
  std::vector<StreamedEvent> log;  // those that are there
  std::int64_t newest = 0, deleted = 0;
  int reads = 0;
  bool is_away = false;
  std::function<void()> while_reading;  // once, after the answer is made and before it is given

  void add(const std::string& rollout, EventType type = EventType::kNote,
           const std::string& service = "checkout");
  void forget_all_of(const std::string& rollout);

  awaitable<EventStretch> event_stretch(std::int64_t after, std::size_t limit) override;
};

// Who reads a body as fast as the server asks, or not at all.
class Reader {
 public:
  Reader(net::io_context& io, std::shared_ptr<BodySource> body, bool reading);

  void stop_reading();  // what was asked for last is not taken
  void go_on_reading();
  void hang_up();  // and lets go of the body

  // The numbers of the events it was given, in order.
  std::vector<std::int64_t> seqs() const;
  std::string text() const;  // all of it
  bool ended() const;        // by the feed
  bool was_cut() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

class FeedTest : public testing::Test {
 protected:
  FeedTest();
  ~FeedTest() override;

  void start(FeedLimits limits = {});
  // An event of that rollout, of which the feed is told unless it is to find out by itself.
  void event(const std::string& rollout = "ro_a", EventType type = EventType::kNote);
  void events(int count, const std::string& rollout = "ro_a");

  Reader& follow(std::optional<std::int64_t> after = std::nullopt, FeedFilter filter = {});
  Reader& follow_without_reading(std::int64_t after);  // but for the first piece
  // "full", "deleted 3 of 9", "unknown 3 of 9", or "" if it is served.
  std::string refusal(std::optional<std::int64_t> after = std::nullopt);
  void settle() { clock.settle(); }

  net::io_context io;
  ManualClock clock{io};
  LogStore store;
  std::vector<std::string> cuts;  // reasons
  std::unique_ptr<EventFeed> feed;
  std::vector<std::unique_ptr<Reader>> readers;

 private:
  FeedOpened open(std::optional<std::int64_t> after, FeedFilter filter);
  Reader& read(std::optional<std::int64_t> after, FeedFilter filter, bool reading);
};

std::vector<std::int64_t> from_to(std::int64_t first, std::int64_t last);

}  // namespace rollwatch
