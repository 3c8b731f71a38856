// The real store, which also says whether it owes an answer, and fails when the script says so.
#pragma once

#include <algorithm>
#include <filesystem>
#include <map>

#include "daemon/storage/sqlite_store.h"
#include "test/scenarios/gate.h"
#include "test/scenarios/script.h"

namespace rollwatch {

class WatchedStore : public Store {
 public:
  WatchedStore(Script& script, net::any_io_executor io, const std::filesystem::path& path)
      : script_(script), store_(std::move(io), path) {}
  bool owes() const { return out_ > 0; }

  using Store::record;
  awaitable<std::vector<Recorded>> record(SharedCommits commits) override {
    ++script_.batches;
    for (const Commit& commit : *commits)
      script_.most_evaluations = std::max(script_.most_evaluations, commit.evaluations.size());
    if (script_.store_hangs) co_await held_.wait();
    if (script_.store_fails) throw StoreError("the disk is full");
    for (const Commit& commit : *commits)
      if (commit.rollout == script_.refused_rollout) throw StoreError("a constraint failed");
    const Out out(out_);
    if (script_.is_shared) co_await check_leases(*commits);
    co_return co_await store_.record(std::move(commits));
  }
  awaitable<std::vector<StoredRollout>> active(std::optional<std::vector<Place>> places) override {
    const Out out(out_);
    co_return co_await store_.active(std::move(places));
  }
  awaitable<std::vector<Delivery>> open_deliveries(
      std::optional<std::vector<Place>> places) override {
    const Out out(out_);
    co_return co_await store_.open_deliveries(std::move(places));
  }
  awaitable<std::optional<StoredRollout>> rollout(std::string id) override {
    const Out out(out_);
    co_return co_await store_.rollout(std::move(id));
  }
  awaitable<Page<StoredRollout>> list(ListFilter filter, std::size_t limit,
                                      std::optional<std::string> cursor) override {
    const Out out(out_);
    co_return co_await store_.list(std::move(filter), limit, std::move(cursor));
  }
  awaitable<std::size_t> count(ListFilter filter) override {
    const Out out(out_);
    co_return co_await store_.count(std::move(filter));
  }
  awaitable<std::optional<StoredRollout>> latest(std::string ns, std::string service,
                                                 std::string target,
                                                 std::string candidate) override {
    const Out out(out_);
    co_return co_await store_.latest(std::move(ns), std::move(service), std::move(target),
                                     std::move(candidate));
  }
  awaitable<Page<StoredEvaluation>> evaluations(std::string id, std::uint32_t after,
                                                std::size_t limit) override {
    const Out out(out_);
    co_return co_await store_.evaluations(std::move(id), after, limit);
  }
  awaitable<std::vector<StoredEvent>> events(std::optional<std::string> id, std::int64_t after,
                                             std::size_t limit) override {
    const Out out(out_);
    co_return co_await store_.events(std::move(id), after, limit);
  }
  awaitable<EventStretch> event_stretch(std::int64_t after, std::size_t limit) override {
    const Out out(out_);
    co_return co_await store_.event_stretch(after, limit);
  }
  awaitable<Page<Delivery>> deliveries(std::string id, std::size_t limit,
                                       std::optional<std::string> cursor) override {
    const Out out(out_);
    co_return co_await store_.deliveries(std::move(id), limit, std::move(cursor));
  }
  awaitable<std::optional<Delivery>> delivery(std::string id) override {
    const Out out(out_);
    co_return co_await store_.delivery(std::move(id));
  }
  awaitable<std::optional<ExplainRecord>> explain(std::string id,
                                                  std::optional<std::string> decision) override {
    const Out out(out_);
    co_return co_await store_.explain(std::move(id), std::move(decision));
  }
  awaitable<std::optional<std::string>> memo(std::string id, std::string target,
                                             std::string key) override {
    const Out out(out_);
    co_return co_await store_.memo(std::move(id), std::move(target), std::move(key));
  }
  awaitable<std::optional<Idempotent>> idempotent(std::string key, SysTime now) override {
    const Out out(out_);
    co_return co_await store_.idempotent(std::move(key), now);
  }
  awaitable<std::vector<StoredRollout>> latest_per_target(std::string ns, std::string service,
                                                          std::size_t limit) override {
    const Out out(out_);
    co_return co_await store_.latest_per_target(std::move(ns), std::move(service), limit);
  }
  awaitable<void> put_freeze(FreezeRecord freeze) override {
    if (script_.store_fails) throw StoreError("the disk is full");
    const Out out(out_);
    co_await store_.put_freeze(std::move(freeze));
  }
  awaitable<std::vector<FreezeRecord>> freezes() override {
    const Out out(out_);
    co_return co_await store_.freezes();
  }
  awaitable<std::size_t> forget(SysTime ended_before, std::size_t limit) override {
    const Out out(out_);
    co_return co_await store_.forget(ended_before, limit);
  }
  awaitable<Thinned> thin(SysTime before) override {
    const Out out(out_);
    co_return co_await store_.thin(before);
  }
  void close() override { store_.close(); }
  void let_go() { held_.let_go(); }

 private:
  // As a shared database does it.
  awaitable<void> check_leases(const std::vector<Commit>& commits) {
    for (const Commit& commit : commits) {
      if (commit.insert) place_of_[commit.rollout] = place_of(commit.insert->spec);
      if (!place_of_.contains(commit.rollout)) {
        const auto stored = co_await store_.rollout(commit.rollout);
        if (stored) place_of_[commit.rollout] = place_of(stored->spec);
      }
    }
    for (const Commit& commit : commits)
      if (script_.places.is_stale(place_of_[commit.rollout], commit.epoch))
        throw StaleLease("the place of " + commit.rollout + " is another node's");
  }

  struct Out {
    explicit Out(int& count) : count(count) { ++count; }
    ~Out() { --count; }
    int& count;
  };

  Script& script_;
  SqliteStore store_;
  Gate held_;
  int out_ = 0;
  std::map<std::string, Place> place_of_;  // by rollout
};

}  // namespace rollwatch
