#include "daemon/app/backend.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "daemon/postgres/calls.h"
#include "daemon/postgres/members.h"
#include "daemon/postgres/store.h"
#include "daemon/storage/sqlite_store.h"

namespace rollwatch {
namespace {

// How long the owner of a place is waited for: longer than most calls take it to answer.
constexpr Millis kAnswerLimit{20'000};
constexpr Millis kLookForCalls{1'000};

class SoleBackend : public Backend {
 public:
  SoleBackend(net::any_io_executor executor, Clock& clock, const std::string& path,
              std::string node, BackendHooks hooks)
      : store_(std::move(executor), path), hooks_(std::move(hooks)) {
    me_.name = std::move(node);
    me_.program = ROLLWATCH_VERSION;
    me_.joined_at = me_.seen_at = clock.wall();
    me_.is_me = true;
  }

  Store& store() override { return store_; }
  FleetStore& fleet() override { return store_; }
  Leases& leases() override { return leases_; }
  awaitable<void> open() override { co_return; }
  awaitable<void> join() override { co_await hooks_.gained(std::nullopt, Cause::kMissedDowntime); }
  awaitable<void> leave() override { co_return; }
  awaitable<std::optional<std::string>> ask_owner(Place, std::string) override {
    co_return std::nullopt;
  }
  awaitable<std::vector<std::string>> ask_others(std::string) override {
    co_return std::vector<std::string>();
  }
  awaitable<std::vector<NodeView>> nodes() override {
    std::vector<NodeView> all;
    all.push_back(me_);
    co_return all;
  }

 private:
  SqliteStore store_;
  SoleNode leases_;
  BackendHooks hooks_;
  NodeView me_;
};

class SharedBackend : public Backend {
 public:
  SharedBackend(const net::any_io_executor& executor, Clock& clock, const StoreSettings& settings,
                const std::string& node, BackendHooks hooks)
      : executor_(executor),
        clock_(clock),
        hooks_(std::move(hooks)),
        store_(executor, settings.postgres.reveal(), {[this] { ++fenced_; }}),
        members_(executor, clock, {settings.postgres.reveal()}, store_.writer(),
                 {node, ROLLWATCH_VERSION, settings.lease}, member_hooks()),
        calls_(executor, clock, store_.pool(), members_,
               [this](std::string request) { return hooks_.answer(std::move(request)); }) {}
  ~SharedBackend() override { members_.close(); }

  Store& store() override { return store_; }
  FleetStore& fleet() override { return store_; }
  Leases& leases() override { return members_; }

  awaitable<void> open() override {
    is_open_ = false;
    co_await store_.open();
    is_open_ = true;
  }
  // What fails when it could be opened a moment ago is a connection.
  bool may_be_tried_again() const override { return is_open_ || store_.may_come_back(); }

  awaitable<void> join() override {
    // Nothing is ours yet; from now on calls are answered all the same.
    co_await hooks_.gained(std::vector<Lease>(), Cause::kMissedDowntime);
    co_await members_.join();
    spawn(executor_, "calls", [this] { return look_for_calls(); });
  }
  awaitable<void> leave() override {
    left_ = true;
    return members_.leave();
  }

  awaitable<std::optional<std::string>> ask_owner(Place place, std::string request) override {
    return calls_.ask(std::move(place), std::move(request), kAnswerLimit);
  }
  awaitable<std::vector<std::string>> ask_others(std::string request) override {
    return calls_.ask_others(std::move(request), kAnswerLimit);
  }
  awaitable<std::vector<NodeView>> nodes() override { return members_.nodes(); }
  std::optional<std::string> trouble() const override { return trouble_; }
  NodesReading reading() const override {
    return {members_.nodes_seen(), members_.places(), members_.transitions(), fenced_};
  }

 private:
  PgMemberHooks member_hooks() {
    PgMemberHooks hooks;
    hooks.gained = [this](std::vector<Lease> leases, Cause cause) {
      return hooks_.gained(std::move(leases), cause);
    };
    hooks.give_up = [this](std::vector<Place> places) { return hooks_.give_up(std::move(places)); };
    hooks.lost = [this](const std::vector<Place>& places) { hooks_.lost(places); };
    hooks.heard = [this](const std::string& what, const std::string& rest) { heard(what, rest); };
    hooks.listens = [this] { hooks_.freezes_changed(); };
    hooks.nodes_changed = [this](std::size_t nodes) { hooks_.nodes_changed(nodes); };
    hooks.standing = [this](std::optional<std::string> trouble) {
      if (trouble)
        spdlog::error("this node is no member of the system any more and does nothing: {}",
                      *trouble);
      else
        spdlog::info("this node is a member of the system, number {}", members_.number());
      trouble_ = std::move(trouble);
    };
    return hooks;
  }

  void heard(const std::string& what, const std::string& rest) {
    if (what == "freezes") return hooks_.freezes_changed();
    if (what != "moved") return calls_.heard(what, rest);
    for (std::size_t at = 0; at < rest.size();) {
      const std::size_t end = std::min(rest.find(' ', at), rest.size());
      hooks_.moved(rest.substr(at, end - at));
      at = end + 1;
    }
  }

  // A notification that was lost costs a second.
  awaitable<void> look_for_calls() {
    while (!left_) {
      calls_.look();
      co_await clock_.sleep(kLookForCalls);
    }
  }

  net::any_io_executor executor_;
  Clock& clock_;
  BackendHooks hooks_;
  std::uint64_t fenced_ = 0;
  std::optional<std::string> trouble_ = "it has not joined the system yet";
  bool left_ = false;
  bool is_open_ = false;
  PgStore store_;
  PgMembers members_;
  PgCalls calls_;
};

}  // namespace

std::unique_ptr<Backend> make_backend(net::any_io_executor executor, Clock& clock,
                                      const StoreSettings& settings, const std::string& node,
                                      BackendHooks hooks) {
  if (settings.postgres.empty())
    return std::make_unique<SoleBackend>(std::move(executor), clock, settings.path, node,
                                         std::move(hooks));
  return std::make_unique<SharedBackend>(executor, clock, settings, node, std::move(hooks));
}

}  // namespace rollwatch
