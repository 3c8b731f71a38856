#include "daemon/postgres/writer.h"

#include <algorithm>
#include <utility>

#include "daemon/net/fail_point.h"

namespace rollwatch {
namespace {

constexpr Millis kReconnect{200};
constexpr Millis kCloseLimit{5'000};
// So that no transaction, and no caller in it, gets too large.
constexpr std::size_t kMostCommits = 2'000;
// A transaction that the database chose to end is tried again so often.
constexpr int kTries = 3;

constexpr std::string_view kStale = "RW001";
constexpr std::string_view kOutOfDate = "RW003";

constexpr std::string_view kSession =
    "SELECT session, commits, event_base FROM rollwatch_session($1)";
constexpr std::string_view kFences = "SELECT id, fence FROM deliveries WHERE id = ANY($1::text[])";
constexpr const char* kClosedStore = "the store is closed";
constexpr const char* kNoMember = "this node is not a member of the system at the moment";

enum class Failure : unsigned char { kAway, kMisfit, kStale, kOutOfDate };
struct Refusal {
  Failure failure = Failure::kAway;
  std::string why;
  StoreError::Effect effect = StoreError::Effect::kNone;
};
using Result = Expected<std::vector<Recorded>, Refusal>;

// A conflict with another transaction: nothing is wrong with this one.
bool may_be_tried_again(const PgError& error) { return error.state().starts_with("40"); }

Refusal refusal_of(const PgError& error) {
  if (error.state() == kStale) return {Failure::kStale, error.what()};
  if (error.state() == kOutOfDate) return {Failure::kOutOfDate, error.what()};
  if (error.is_misfit() || error.state() == "RW002")
    return {Failure::kMisfit,
            std::string("the store refused what does not fit its rows: ") + error.what()};
  return {Failure::kAway,
          std::string("the PostgreSQL store could not be written: ") + error.what()};
}

[[noreturn]] void throw_refusal(const Refusal& refusal) {
  if (refusal.failure == Failure::kStale) throw StaleLease(refusal.why, refusal.effect);
  if (refusal.failure == Failure::kOutOfDate) throw OutOfDate(refusal.why, refusal.effect);
  throw StoreError(refusal.why, refusal.effect);
}

std::optional<Refusal> misfit_of(const Batch& batch) {
  for (const Commit& commit : batch)
    if (commit.insert && !commit.state)
      return Refusal{Failure::kMisfit, "the store refused what does not fit its rows: rollout " +
                                           commit.rollout + " is registered without a state"};
  return std::nullopt;
}

}  // namespace

class PgWriter::Impl : public std::enable_shared_from_this<Impl> {
 public:
  struct Pending {
    SharedCommits batch;
    std::shared_ptr<Promise<Result>> answer;
    int tries = 0;
    bool alone = false;  // failed together with others
  };

  Impl(const net::any_io_executor& executor, PgTarget target, PgWriterHooks hooks)
      : executor_(executor),
        target_(std::move(target)),
        hooks_(std::move(hooks)),
        pause_(executor) {}

  void become(std::int64_t node);
  void resign();
  void put(Pending pending);
  void close();

  const net::any_io_executor& executor() const { return executor_; }
  std::int64_t node() const { return node_; }
  std::uint64_t transactions() const { return transactions_; }

 private:
  void pump();
  void open_session();
  void opened(PgConnection::Answer answer);
  void try_later(const std::string& why);
  void begin_group();
  void ended(PgConnection::Answer answer);
  void resolve(std::int64_t event_base);
  void succeed(std::vector<std::vector<Recorded>> recorded);
  void fail_group(const PgError& error);
  void fail_all(std::deque<Pending>& all, const Refusal& refusal);
  void ask(std::vector<PgStatement> statements, void (Impl::*then)(PgConnection::Answer));

  const net::any_io_executor executor_;
  const PgTarget target_;
  const PgWriterHooks hooks_;

  std::int64_t node_ = 0;     // 0: not a member
  std::int64_t session_ = 0;  // 0: none on this connection yet
  std::int64_t commit_ = 0;   // the number of the latest transaction
  std::unique_ptr<PgConnection> connection_;
  std::string trouble_;
  bool opening_ = false;
  bool closed_ = false;

  std::deque<Pending> waiting_;
  std::deque<Pending> out_;  // in the transaction that is out, or whose end is not known
  std::optional<PgGroup> group_;
  bool is_unknown_ = false;  // the connection broke while it was out

  Timer pause_;
  bool pausing_ = false;
  std::uint64_t transactions_ = 0;
};

void PgWriter::Impl::become(std::int64_t node) {
  node_ = node;
  session_ = 0;
  commit_ = 0;
  connection_.reset();
  opening_ = false;
  pump();
}

void PgWriter::Impl::resign() {
  node_ = 0;
  session_ = 0;
  connection_.reset();
  opening_ = false;
  group_.reset();
  is_unknown_ = false;
  // What is out may have arrived; nobody here is in a position to find out any more.
  fail_all(out_, {Failure::kStale, kNoMember, StoreError::Effect::kUnknown});
  fail_all(waiting_, {Failure::kStale, kNoMember});
}

void PgWriter::Impl::put(Pending pending) {
  if (const auto misfit = misfit_of(*pending.batch))
    return pending.answer->set(Unexpected(*misfit));
  waiting_.push_back(std::move(pending));
  pump();
}

void PgWriter::Impl::fail_all(std::deque<Pending>& all, const Refusal& refusal) {
  for (Pending& pending : std::exchange(all, {})) pending.answer->set(Unexpected(refusal));
}

void PgWriter::Impl::ask(std::vector<PgStatement> statements,
                         void (Impl::*then)(PgConnection::Answer)) {
  connection_->run(std::move(statements),
                   [weak = weak_from_this(), then](PgConnection::Answer answer) {
                     if (const auto self = weak.lock()) ((*self).*then)(std::move(answer));
                   });
}

// The one place that decides what is done next.
void PgWriter::Impl::pump() {
  if (waiting_.empty() && !is_unknown_) return;
  if (closed_) return fail_all(waiting_, {Failure::kAway, kClosedStore});
  if (node_ == 0) return fail_all(waiting_, {Failure::kStale, kNoMember});
  if (opening_ || (group_ && !is_unknown_)) return;
  if (session_ == 0 || connection_->is_broken()) return open_session();
  begin_group();
}

void PgWriter::Impl::open_session() {
  if (pausing_) {
    // Nobody waits for a store that was away a moment ago, but for what may have taken effect.
    if (!is_unknown_ && !trouble_.empty()) fail_all(waiting_, {Failure::kAway, trouble_});
    return;
  }
  opening_ = true;
  session_ = 0;
  connection_ = std::make_unique<PgConnection>(executor_, target_);
  std::vector<PgStatement> statements;
  statements.push_back(pg(kSession, node_));
  ask(std::move(statements), &Impl::opened);
}

void PgWriter::Impl::opened(PgConnection::Answer answer) {
  opening_ = false;
  if (!answer) return try_later(refusal_of(answer.error()).why);
  const PgRows& rows = answer->at(0);
  if (rows.empty()) return resign();
  session_ = rows.integer(0, 0);
  const std::int64_t commits = rows.integer(0, 1);
  trouble_.clear();
  if (is_unknown_) {
    if (commits == commit_) return resolve(rows.integer(0, 2));
    // It never took effect, and cannot any more.
    is_unknown_ = false;
    group_.reset();
    waiting_.insert(waiting_.begin(), std::make_move_iterator(out_.begin()),
                    std::make_move_iterator(out_.end()));
    out_.clear();
  }
  commit_ = commits;
  pump();
}

void PgWriter::Impl::try_later(const std::string& why) {
  trouble_ = why;
  if (!is_unknown_) fail_all(waiting_, {Failure::kAway, why});
  if (pausing_) return;
  pausing_ = true;
  pause_.expires_after(kReconnect);
  pause_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (error || !self) return;
    self->pausing_ = false;
    self->pump();
  });
}

void PgWriter::Impl::begin_group() {
  std::vector<const Batch*> batches;
  std::size_t commits = 0;
  while (!waiting_.empty()) {
    const bool alone = waiting_.front().alone;
    if (!out_.empty() && (alone || commits + waiting_.front().batch->size() > kMostCommits)) break;
    commits += waiting_.front().batch->size();
    out_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
    if (alone) break;
  }
  batches.reserve(out_.size());
  for (const Pending& pending : out_) batches.push_back(pending.batch.get());
  group_.emplace(batches, PgWriteAs{node_, session_, ++commit_});
  if (group_->has_new_order()) fail_point("before_order_commit");
  fail_point("before_commit");
  ask(group_->take_statements(), &Impl::ended);
}

void PgWriter::Impl::ended(PgConnection::Answer answer) {
  if (!group_) return;  // resigned
  if (!answer) return fail_group(answer.error());
  ++transactions_;
  if (group_->has_new_order()) fail_point("after_order_commit");
  fail_point("after_commit");
  succeed(group_->recorded(*answer));
}

void PgWriter::Impl::succeed(std::vector<std::vector<Recorded>> recorded) {
  group_.reset();
  is_unknown_ = false;
  std::deque<Pending> done = std::exchange(out_, {});
  for (std::size_t i = 0; i < done.size(); ++i) done[i].answer->set(std::move(recorded[i]));
  pump();
}

void PgWriter::Impl::fail_group(const PgError& error) {
  if (error.is_lost()) {
    is_unknown_ = true;
    trouble_ = refusal_of(error).why;
    return pump();
  }
  group_.reset();
  std::deque<Pending> failed = std::exchange(out_, {});
  const bool together = failed.size() > 1;
  const Refusal refusal = refusal_of(error);
  if (refusal.failure == Failure::kStale && !together && hooks_.fenced) hooks_.fenced();
  // The last one first, so that those which are tried again stand in their order.
  while (!failed.empty()) {
    Pending one = std::move(failed.back());
    failed.pop_back();
    const bool again = may_be_tried_again(error) && ++one.tries < kTries;
    if (again || (together && refusal.failure != Failure::kAway)) {
      one.alone = together;
      waiting_.push_front(std::move(one));
    } else {
      one.answer->set(Unexpected(refusal));
    }
  }
  pump();
}

// It took effect, though nobody was told: what it gave is read back.
void PgWriter::Impl::resolve(std::int64_t event_base) {
  PgArray ids;
  for (const std::string& id : group_->orders()) ids.add(id);
  std::vector<PgStatement> statements;
  statements.push_back(pg(kFences, ids));
  opening_ = true;
  connection_->run(std::move(statements),
                   [weak = weak_from_this(), event_base](PgConnection::Answer answer) {
                     const auto self = weak.lock();
                     if (!self || !self->group_) return;
                     self->opening_ = false;
                     if (!answer) return self->try_later(refusal_of(answer.error()).why);
                     std::map<std::string, std::int64_t> fences;
                     for (int row = 0; row < answer->at(0).size(); ++row)
                       fences[answer->at(0).text(row, 0)] = answer->at(0).integer(row, 1);
                     ++self->transactions_;
                     self->succeed(self->group_->recorded(event_base, fences));
                   });
}

void PgWriter::Impl::close() {
  while (!closed_ && connection_ && connection_->is_busy() && !connection_->is_broken())
    connection_->finish(kCloseLimit);
  closed_ = true;
  pause_.cancel();
  fail_all(out_, {Failure::kAway, kClosedStore, StoreError::Effect::kUnknown});
  fail_all(waiting_, {Failure::kAway, kClosedStore});
  connection_.reset();
}

PgWriter::PgWriter(const net::any_io_executor& executor, PgTarget target, PgWriterHooks hooks)
    : impl_(std::make_shared<Impl>(executor, std::move(target), std::move(hooks))) {}
PgWriter::~PgWriter() { impl_->close(); }

void PgWriter::become(std::int64_t node) { impl_->become(node); }
void PgWriter::resign() { impl_->resign(); }
std::int64_t PgWriter::node() const { return impl_->node(); }
void PgWriter::close() { impl_->close(); }
std::uint64_t PgWriter::transactions() const { return impl_->transactions(); }

awaitable<std::vector<Recorded>> PgWriter::record(SharedCommits batch) {
  auto answer = std::make_shared<Promise<Result>>(impl_->executor());
  impl_->put({std::move(batch), answer});
  Result result = co_await answer->get();
  if (!result) throw_refusal(result.error());
  co_return std::move(*result);
}

}  // namespace rollwatch
