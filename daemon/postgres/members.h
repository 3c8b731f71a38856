// This process as one of the nodes that share a PostgreSQL store: its lease, and which places are
// its own (docs/design/nodes.md). Io thread only.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "analysis/plan.h"
#include "daemon/engine/leases.h"
#include "daemon/engine/nodes.h"
#include "daemon/net/clock.h"
#include "daemon/postgres/connection.h"
#include "daemon/postgres/writer.h"

namespace rollwatch {

struct PgMemberSettings {
  std::string name;     // how people call this node
  std::string program;  // its version
  Millis lease{10'000};
};

// What the rest of the process does with places.
struct PgMemberHooks {
  // They are ours now: load them and watch. `cause` is that of slots nobody asked until now.
  std::function<awaitable<void>(std::vector<Lease>, Cause cause)> gained;
  // They are to go to another node: resumes when nothing is in flight there any more.
  std::function<awaitable<void>(std::vector<Place>)> give_up;
  // They are somebody else's by now: nothing more may be done there.
  std::function<void(std::vector<Place>)> lost;
  // Another node says something; the first word is what.
  std::function<void(const std::string& what, const std::string& rest)> heard;
  // From now on what others say is heard; what they said before may have been missed.
  std::function<void()> listens;
  // How many nodes there are, when that is another number than before.
  std::function<void(std::size_t nodes)> nodes_changed;
  // A member, or no longer one, and why not.
  std::function<void(std::optional<std::string> trouble)> standing;
};

class PgMembers : public Leases {
 public:
  PgMembers(const net::any_io_executor& executor, Clock& clock, PgTarget target, PgWriter& writer,
            PgMemberSettings settings, PgMemberHooks hooks);
  ~PgMembers() override;

  // Becomes a member and takes its share; from then on it renews, and takes and gives by itself.
  // Throws StoreError.
  awaitable<void> join();
  // Gives everything back, so that others take it up at once.
  awaitable<void> leave();
  void close();

  std::optional<Epoch> held(const Place& place) const override;
  awaitable<std::optional<Epoch>> claim(Place place) override;
  bool is_sure() const override;
  void refused(const Place& place) override;

  bool is_member() const { return number_ != 0; }
  std::int64_t number() const { return number_; }
  std::size_t places() const { return held_.size(); }
  std::uint64_t transitions() const { return transitions_; }  // places gained, given back and lost
  std::size_t nodes_seen() const { return nodes_seen_; }
  // Everybody's, as the database has it. Throws StoreError.
  awaitable<std::vector<NodeView>> nodes();

 private:
  struct Counts {
    std::size_t nodes = 0, busy = 0;
    std::vector<Place> mine;  // busy ones of ours
    std::size_t share() const { return nodes == 0 ? busy : (busy + nodes - 1) / nodes; }
  };

  awaitable<std::shared_ptr<void>> turn();
  awaitable<std::vector<PgRows>> ask(std::vector<PgStatement> statements);
  awaitable<bool> may_work();
  awaitable<void> resign(std::string why);
  awaitable<void> become_member();
  awaitable<void> keep_lease();
  awaitable<void> look();  // renew, sweep, take or give
  awaitable<Counts> renew();
  awaitable<void> while_renewing(std::function<awaitable<void>()> work);
  awaitable<void> renew_only();
  void renewed(SteadyTime asked);
  void see_nodes(std::size_t nodes);
  awaitable<void> take_share(const Counts& counts);
  awaitable<void> give_surplus(const Counts& counts);
  awaitable<void> gain(std::vector<Lease> leases);
  awaitable<void> take_over(std::vector<Lease> leases, Cause cause);
  awaitable<void> hand_over(std::vector<Place> places);
  awaitable<void> give_back(std::vector<Place> places);
  awaitable<void> release_strays(Counts& counts);
  awaitable<void> release(std::vector<Place> places);
  void lose_all(const std::string& why);
  void hear(const std::string& payload);
  void watch_lease();

  net::any_io_executor executor_;
  Clock& clock_;
  PgTarget target_;
  PgWriter& writer_;
  PgMemberSettings settings_;
  PgMemberHooks hooks_;

  std::unique_ptr<PgConnection> connection_;
  std::int64_t number_ = 0;  // 0: not a member
  SteadyTime sure_until_{};
  std::map<Place, Epoch> held_;
  std::set<Place> lost_;              // because the store was away, until they are ours again
  std::set<Place> gaining_, giving_;  // being taken over, being handed over
  std::size_t nodes_seen_ = 0;
  std::optional<Millis> next_end_;  // of another node's lease if it is not renewed, from now on
  std::uint64_t transitions_ = 0;

  bool busy_ = false;  // somebody has the turn
  std::deque<std::shared_ptr<Promise<bool>>> waiting_;
  std::unique_ptr<Timer> nap_;
  bool is_woken_ = false;
  bool leaving_ = false;
  Timer lease_end_;
  std::string trouble_;  // of the latest look, "" if it went well
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace rollwatch
