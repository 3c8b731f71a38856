#include "daemon/storage/sqlite_store.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <thread>
#include <utility>
#include <variant>

#include "daemon/storage/commit_writer.h"
#include "daemon/storage/cursor.h"
#include "daemon/storage/documents.h"
#include "daemon/storage/group_commit.h"
#include "daemon/storage/open_store.h"
#include "daemon/storage/reader.h"
#include "daemon/storage/retention.h"
#include "daemon/storage/work_queue.h"

namespace rollwatch {
namespace {

// A caller that waits. Made and destroyed on the io thread: a worker always passes its share back
// through `io`, so it does not matter whether the coroutine is still there by then.
template <class T>
using Pending = Promise<Expected<T, std::string>>;

template <class T>
T value_or_throw(Expected<T, std::string> result) {
  if (!result) throw StoreError(result.error());
  return std::move(*result);
}

}  // namespace

// What is constant after construction comes first; then what guards itself; then the two threads.
class SqliteStore::Threads {
 public:
  struct Write {
    SharedCommits batch;
    std::shared_ptr<Promise<BatchResult>> answer;
  };
  struct Work {
    Chore chore;
    std::shared_ptr<Pending<std::size_t>> answer;
  };
  using Task = std::variant<Write, Work>;
  using Read = std::function<void(StoreReader&)>;

  Threads(net::any_io_executor io, std::filesystem::path path)
      : io_(std::move(io)),
        path_(std::move(path)),
        lock_(lock_store(path_)),
        write_db_(open_for_writing(path_)),
        read_db_(open_for_reading(path_)),
        group_(open_or_explain(path_,
                               [this] { return GroupCommit(write_db_, path_.string(), recent_); })),
        reader_(read_db_, recent_),
        write_thread_([this] { write_all(); }),
        read_thread_([this] { read_all(); }) {}

  // Reads first: the last connection to close empties the log, and that should be the writing one.
  ~Threads() {
    reads_.close();
    read_thread_.join();
    writes_.close();
    write_thread_.join();
  }

  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

  bool write(Task task) { return writes_.push(std::move(task)); }
  bool read(Read work) { return reads_.push(std::move(work)); }
  std::uint64_t transactions() const { return group_.transactions(); }

  // Runs the question and passes its answer back to the io thread. On the reading thread.
  template <class T>
  void answer(std::shared_ptr<Pending<T>> answer, const std::function<T(StoreReader&)>& question,
              StoreReader& reader) {
    auto result = ask(question, reader);
    net::post(io_, [answer = std::move(answer), result = std::move(result)]() mutable {
      answer->set(std::move(result));
    });
  }

 private:
  template <class T>
  Expected<T, std::string> ask(const std::function<T(StoreReader&)>& question,
                               StoreReader& reader) {
    std::string why;
    try {
      return question(reader);
    } catch (const SqliteError& error) {
      why = error.what();
    } catch (const DocumentError& error) {
      why = error.what();
    }
    return Unexpected("the store " + path_.string() + " could not be read: " + why);
  }

  void read_all() {
    for (auto work = reads_.take_all(); !work.empty(); work = reads_.take_all()) {
      for (Read& read : work) read(reader_);
    }
  }

  void write_all() {
    tidy();
    for (auto tasks = writes_.take_all(); !tasks.empty(); tasks = writes_.take_all()) {
      commit_all(tasks);
      for (Task& task : tasks) {
        if (auto* work = std::get_if<Work>(&task)) run(*work);
      }
      tidy();
      group_.checkpoint();
    }
  }

  // Once whenever somebody waits, so that it keeps up, and on for as long as nobody does.
  void tidy() {
    while (group_.tidy() && writes_.is_empty()) {
    }
  }

  void commit_all(std::vector<Task>& tasks) {
    std::vector<const Batch*> batches;
    std::vector<std::shared_ptr<Promise<BatchResult>>> answers;
    for (Task& task : tasks) {
      if (auto* write = std::get_if<Write>(&task)) {
        batches.push_back(write->batch.get());
        answers.push_back(std::move(write->answer));
      }
    }
    if (batches.empty()) return;
    auto results = group_.commit(batches);
    // Whose answer is there has the commits for itself again.
    for (Task& task : tasks)
      if (auto* write = std::get_if<Write>(&task)) write->batch.reset();
    net::post(io_, [answers = std::move(answers), results = std::move(results)]() mutable {
      for (std::size_t i = 0; i < answers.size(); ++i) answers[i]->set(std::move(results[i]));
    });
  }

  void run(Work& work) {
    net::post(io_, [answer = std::move(work.answer), result = group_.run(work.chore)]() mutable {
      answer->set(std::move(result));
    });
  }

  const net::any_io_executor io_;
  const std::filesystem::path path_;
  const LockFile lock_;

  RecentHeads recent_;
  WorkQueue<Task> writes_;
  WorkQueue<Read> reads_;

  Database write_db_;   // of write_thread_
  Database read_db_;    // of read_thread_
  GroupCommit group_;   // of write_thread_
  StoreReader reader_;  // of read_thread_
  std::thread write_thread_;
  std::thread read_thread_;
};

SqliteStore::SqliteStore(net::any_io_executor io, std::filesystem::path path)
    : io_(io), threads_(std::make_unique<Threads>(std::move(io), std::move(path))) {}

SqliteStore::~SqliteStore() { close(); }

void SqliteStore::close() { threads_.reset(); }

std::uint64_t SqliteStore::transactions() const { return threads_->transactions(); }

awaitable<std::vector<Recorded>> SqliteStore::record(SharedCommits commits) {
  auto answer = std::make_shared<Promise<BatchResult>>(io_);
  Threads::Write work{std::move(commits), answer};
  if (!threads_ || !threads_->write(std::move(work))) throw StoreError("the store is closed");
  BatchResult result = co_await answer->get();
  if (!result && result.error().is_out_of_date) throw OutOfDate(result.error().why);
  if (!result) throw StoreError(result.error().why);
  co_return std::move(result).value();
}

awaitable<std::size_t> SqliteStore::work(std::function<std::size_t(Database&, RecentLog&)> chore) {
  auto answer = std::make_shared<Pending<std::size_t>>(io_);
  Threads::Work work{std::move(chore), answer};
  if (!threads_ || !threads_->write(std::move(work))) throw StoreError("the store is closed");
  auto result = co_await answer->get();
  co_return value_or_throw(std::move(result));
}

template <class T>
awaitable<T> SqliteStore::read(std::function<T(StoreReader&)> question) {
  auto answer = std::make_shared<Pending<T>>(io_);
  Threads::Read work = [threads = threads_.get(), answer, question](StoreReader& reader) mutable {
    threads->answer(std::move(answer), question, reader);
  };
  if (!threads_ || !threads_->read(std::move(work))) throw StoreError("the store is closed");
  auto result = co_await answer->get();
  co_return value_or_throw(std::move(result));
}

awaitable<std::vector<StoredRollout>> SqliteStore::active(
    std::optional<std::vector<Place>> places) {
  return read<std::vector<StoredRollout>>([places = std::move(places)](StoreReader& reader) {
    return places ? reader.active_in(*places) : reader.active();
  });
}

awaitable<std::vector<Delivery>> SqliteStore::open_deliveries(
    std::optional<std::vector<Place>> places) {
  return read<std::vector<Delivery>>([places = std::move(places)](StoreReader& reader) {
    return places ? reader.open_deliveries_in(*places) : reader.open_deliveries();
  });
}

awaitable<std::optional<StoredRollout>> SqliteStore::rollout(std::string id) {
  return read<std::optional<StoredRollout>>(
      [id = std::move(id)](StoreReader& reader) { return reader.rollout(id); });
}

awaitable<Page<StoredRollout>> SqliteStore::list(ListFilter filter, std::size_t limit,
                                                 std::optional<std::string> cursor) {
  std::optional<std::string> before;
  if (cursor) before = rollout_in_list_cursor(*cursor);
  return read<Page<StoredRollout>>(
      [filter = std::move(filter), limit, before](StoreReader& reader) {
        return reader.list(filter, limit, before);
      });
}

awaitable<std::size_t> SqliteStore::count(ListFilter filter) {
  return read<std::size_t>(
      [filter = std::move(filter)](StoreReader& reader) { return reader.count(filter); });
}

awaitable<std::optional<StoredRollout>> SqliteStore::latest(std::string ns, std::string service,
                                                            std::string target,
                                                            std::string candidate) {
  return read<std::optional<StoredRollout>>(
      [ns = std::move(ns), service = std::move(service), target = std::move(target),
       candidate = std::move(candidate)](StoreReader& reader) {
        return reader.latest(ns, service, target, candidate);
      });
}

awaitable<Page<StoredEvaluation>> SqliteStore::evaluations(std::string rollout, std::uint32_t after,
                                                           std::size_t limit) {
  return read<Page<StoredEvaluation>>(
      [rollout = std::move(rollout), after, limit](StoreReader& reader) {
        return reader.evaluations(rollout, after, limit);
      });
}

awaitable<std::vector<StoredEvent>> SqliteStore::events(std::optional<std::string> rollout,
                                                        std::int64_t after, std::size_t limit) {
  return read<std::vector<StoredEvent>>(
      [rollout = std::move(rollout), after, limit](StoreReader& reader) {
        return reader.events(rollout, after, limit);
      });
}

awaitable<EventStretch> SqliteStore::event_stretch(std::int64_t after, std::size_t limit) {
  return read<EventStretch>(
      [after, limit](StoreReader& reader) { return reader.event_stretch(after, limit); });
}

awaitable<Page<Delivery>> SqliteStore::deliveries(std::string rollout, std::size_t limit,
                                                  std::optional<std::string> cursor) {
  const std::int64_t after = cursor ? key_in_delivery_cursor(*cursor) : 0;
  return read<Page<Delivery>>([rollout = std::move(rollout), limit, after](StoreReader& reader) {
    return reader.deliveries(rollout, limit, after);
  });
}

awaitable<std::optional<Delivery>> SqliteStore::delivery(std::string id) {
  return read<std::optional<Delivery>>(
      [id = std::move(id)](StoreReader& reader) { return reader.delivery(id); });
}

awaitable<Page<std::string>> SqliteStore::search(RolloutSearch search, std::size_t limit,
                                                 std::optional<std::string> cursor) {
  std::optional<std::string> before;
  if (cursor) before = rollout_in_list_cursor(*cursor);
  return read<Page<std::string>>([search = std::move(search), limit, before](StoreReader& reader) {
    return reader.search(search, limit, before);
  });
}

awaitable<std::size_t> SqliteStore::count_found(RolloutSearch search) {
  return read<std::size_t>(
      [search = std::move(search)](StoreReader& reader) { return reader.count_found(search); });
}

awaitable<Page<ListedDelivery>> SqliteStore::all_deliveries(DeliveryFilter filter,
                                                            std::size_t limit,
                                                            std::optional<std::string> cursor) {
  std::optional<std::int64_t> before;
  if (cursor) before = key_in_delivery_cursor(*cursor);
  return read<Page<ListedDelivery>>(
      [filter = std::move(filter), limit, before](StoreReader& reader) {
        return reader.all_deliveries(filter, limit, before);
      });
}

awaitable<std::size_t> SqliteStore::count_deliveries(DeliveryFilter filter) {
  return read<std::size_t>([filter = std::move(filter)](StoreReader& reader) {
    return reader.count_deliveries(filter);
  });
}

awaitable<std::optional<ExplainRecord>> SqliteStore::explain(std::string rollout,
                                                             std::optional<std::string> decision) {
  return read<std::optional<ExplainRecord>>(
      [rollout = std::move(rollout), decision = std::move(decision)](StoreReader& reader) {
        return reader.explain(rollout, decision);
      });
}

awaitable<std::optional<std::string>> SqliteStore::memo(std::string rollout, std::string target,
                                                        std::string key) {
  return read<std::optional<std::string>>(
      [rollout = std::move(rollout), target = std::move(target),
       key = std::move(key)](StoreReader& reader) { return reader.memo(rollout, target, key); });
}

awaitable<std::optional<Store::Idempotent>> SqliteStore::idempotent(std::string key, SysTime now) {
  return read<std::optional<Idempotent>>(
      [key = std::move(key), now](StoreReader& reader) { return reader.idempotent(key, now); });
}

awaitable<std::vector<StoredRollout>> SqliteStore::latest_per_target(std::string ns,
                                                                     std::string service,
                                                                     std::size_t limit) {
  return read<std::vector<StoredRollout>>(
      [ns = std::move(ns), service = std::move(service), limit](StoreReader& reader) {
        return reader.latest_per_target(ns, service, limit);
      });
}

awaitable<void> SqliteStore::put_freeze(FreezeRecord freeze) {
  const Chore put = [freeze = std::move(freeze)](Database& db, RecentLog&) -> std::size_t {
    write_freeze(db, freeze);
    return 1;
  };
  co_await work(put);
}

awaitable<std::vector<FreezeRecord>> SqliteStore::freezes() {
  return read<std::vector<FreezeRecord>>([](StoreReader& reader) { return reader.freezes(); });
}

awaitable<Store::Thinned> SqliteStore::thin(SysTime before) {
  const auto thinned = std::make_shared<Thinned>();  // the writer's until it has answered
  const Chore chore = [before, thinned](Database& db, RecentLog& recent) {
    *thinned = rollwatch::thin(db, recent, before);
    return thinned->deleted;
  };
  co_await work(chore);
  co_return *thinned;
}

// Each piece queues up behind the commits that arrived during the one before.
awaitable<std::size_t> SqliteStore::forget(SysTime ended_before, std::size_t limit) {
  constexpr std::size_t kHiddenAtOnce = 50;
  constexpr int kShrinkSteps = 20;
  const Chore tidied = [](Database&, RecentLog& recent) -> std::size_t {
    recent.tidy();
    return 0;
  };
  const Chore swept = [](Database& db, RecentLog&) { return sweep(db); };
  const Chore shrunk = [](Database& db, RecentLog&) { return shrink(db); };
  co_await work(tidied);  // what keeps it from being done between commits is told here
  std::size_t forgotten = 0;
  for (std::size_t hidden = 0;; forgotten += hidden) {
    while (co_await work(swept) > 0) {
    }
    const std::size_t most = std::min(limit - forgotten, kHiddenAtOnce);
    const Chore hide = [ended_before, most](Database& db, RecentLog& recent) {
      const std::vector<std::int64_t> keys = hide_ended(db, ended_before, most);
      for (const std::int64_t key : keys) recent.forget(key);
      return keys.size();
    };
    hidden = co_await work(hide);
    if (hidden == 0) break;
  }
  for (int i = 0; i < kShrinkSteps; ++i) {
    const std::size_t given_back = co_await work(shrunk);
    if (given_back == 0) break;
  }
  co_return forgotten;
}

}  // namespace rollwatch
