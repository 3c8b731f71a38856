// The inside of the event feed: the reader and what it keeps (event_feed.cc), and one client's
// position in it (feed_client.cc).
#pragma once

#include <deque>
#include <set>

#include "daemon/feed/event_feed.h"

namespace rollwatch {

// An event as clients are given it, and what filters look at.
struct FeedLine {
  std::int64_t seq = 0;
  EventType type{};
  std::string rollout, ns, service;
  std::shared_ptr<const std::string> text;

  std::size_t bytes() const;
};

bool fits(const FeedFilter& filter, const FeedLine& line);

class FeedClient;

class FeedCore : public std::enable_shared_from_this<FeedCore> {
 public:
  FeedCore(net::any_io_executor executor, Clock& clock, Store& store, EventFeed::Write write,
           FeedHooks hooks, FeedLimits limits);

  void begin();  // what goes on in the background
  awaitable<FeedOpened> open(FeedFilter filter, std::optional<std::int64_t> after, std::string who);
  void wake();
  void stop();

  // For clients.
  void leave(FeedClient* client);
  awaitable<EventStretch> page_after(std::int64_t after);
  FeedLine line_of(const StreamedEvent& event) const;
  // Whether the reader has begun, and everything after that number is in memory.
  bool is_reading() const { return position_.has_value(); }
  bool joins_on(std::int64_t after) const { return is_reading() && after >= begin_; }
  // Those after that number, the oldest first.
  std::deque<FeedLine>::const_iterator lines_after(std::int64_t after) const;

  const net::any_io_executor executor_;
  Clock& clock_;
  Store& store_;
  const EventFeed::Write write_;
  const FeedHooks hooks_;
  FeedLimits limits_;
  std::set<FeedClient*> clients_;
  // Every event there is after begin_ and up to position_.
  std::deque<FeedLine> lines_;
  std::int64_t begin_ = 0;
  std::optional<std::int64_t> position_;  // nothing: nobody is reading

 private:
  awaitable<void> run();
  awaitable<void> tick();
  awaitable<void> read_all();
  awaitable<void> take_position();
  awaitable<void> let_clients_take();
  void take(const EventStretch& stretch);
  void drop_lines(std::int64_t up_to);
  void forget_all();
  void beat();
  Millis pause() const;

  std::size_t bytes_ = 0;  // of lines_
  bool is_woken_ = false;
  std::shared_ptr<Promise<bool>> sleep_;  // of the reader
  bool failing_ = false;                  // the store, when it was read last
  bool stopped_ = false;
};

// One client: its position, and what it is to be given next.
class FeedClient : public BodySource {
 public:
  FeedClient(std::shared_ptr<FeedCore> feed, FeedFilter filter, std::string who);
  ~FeedClient() override;

  // Where it begins, and what the store had after that, if it was asked.
  void begin_at(std::int64_t after);
  void begin_with(const EventStretch& stretch, std::int64_t after);

  awaitable<BodyPiece> next() override;
  void stop() override;

  // From the feed.
  void wake();
  void beat();
  // It was woken, and will look for what is new as soon as the loop comes to it.
  bool is_about_to_take() const;
  // What it needs next is not in memory any more, or not there at all.
  bool is_behind() const;
  void end_as(std::string_view reason, std::string_view words);

 private:
  BodyPiece take();
  awaitable<void> read_page();
  void set_page(const EventStretch& stretch);
  void add_greeting(BodyPiece& piece);
  void add_heartbeat(BodyPiece& piece);

  const std::shared_ptr<FeedCore> feed_;
  const FeedFilter filter_;
  const std::string who_;
  std::int64_t position_ = 0;     // all up to this number was given, or does not fit
  std::int64_t told_ = -1;        // the last number the client was told
  std::vector<FeedLine> page_;    // those it missed, not given yet
  std::int64_t page_up_to_ = -1;  // what has been looked at by that; -1: there is no page
  bool live_ = false;             // it is given what is in memory
  bool beat_due_ = false;
  bool ended_ = false;
  std::optional<SteadyTime> given_at_;  // while a piece is being sent
  std::shared_ptr<Promise<bool>> waiter_;
};

}  // namespace rollwatch
