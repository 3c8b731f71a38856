#include "daemon/storage/recent_log.h"

#include <algorithm>

#include "analysis/state_codec.h"
#include "daemon/storage/evaluation_row.h"

namespace rollwatch {
namespace {

// A rollout with so many rows in the log is folded; a page of `evaluations` holds about as many.
constexpr std::uint32_t kMostOfOne = 64;
// How long the log gets before the rollouts with the oldest rows are folded: so many rows for each
// of them, within limits.
constexpr std::int64_t kRowsPerRollout = 24;
constexpr std::int64_t kFewRows = 1'024;
constexpr std::int64_t kManyRows = 500'000;
// Work is done in pieces of about so many rows: enough to share the pages that every transaction
// touches, and done within a few milliseconds.
constexpr std::int64_t kPiece = 1'024;
constexpr std::int64_t kMostTrimmed = 4'096;

}  // namespace

RecentLog::RecentLog(Database& db, RecentHeads& heads)
    : db_(db),
      known_(db, heads),
      first_(db.integer("SELECT id FROM recent_trimmed") + 1),
      tail_(first_),
      next_(std::max(first_, db.integer("SELECT max(id) FROM recent") + 1)),
      shortened_(next_),
      before_{first_, tail_, {}},
      evaluation_row_(db, "INSERT INTO recent (id, rollout, previous, " ROLLWATCH_EVALUATION
                          ", revision, updated_at, state) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8,"
                          " ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22,"
                          " ?23)"),
      state_row_(db,
                 "INSERT INTO recent (id, rollout, previous, revision, updated_at, state)"
                 " VALUES (?1, ?2, ?3, ?4, ?5, ?6)") {
  for (const std::int64_t rollout : known_.to_fold(kMostOfOne)) waiting_.push_back(rollout);
}

void RecentLog::append(KnownRollout& rollout, const std::vector<StoredEvaluation>& evaluations,
                       const RolloutState* state) {
  known_.changes(rollout);
  const std::uint32_t before = rollout.rows;
  if (!fits(rollout, evaluations)) {
    insert_apart(rollout, evaluations);
    if (state != nullptr) append_row(rollout, nullptr, state);
  } else {
    for (const StoredEvaluation& evaluation : evaluations)
      append_row(rollout, &evaluation, &evaluation == &evaluations.back() ? state : nullptr);
    if (evaluations.empty() && state != nullptr) append_row(rollout, nullptr, state);
  }
  const bool has_many = before < kMostOfOne && rollout.rows >= kMostOfOne;
  if (has_many || !rollout.active) waiting_.push_back(rollout.key);
}

// The log keeps no number from being given twice: only what follows on the numbers before goes
// there, and not what would be folded at once.
bool RecentLog::fits(KnownRollout& rollout, const std::vector<StoredEvaluation>& evaluations) {
  if (evaluations.empty()) return true;
  if (evaluations.size() > kMostOfOne) return false;
  if (rollout.last_number == KnownRollout::kNotLooked) {
    Query last(db_, "SELECT max(number) FROM evaluations WHERE rollout = ?1");
    last.bind(rollout.key);
    last.next();
    rollout.last_number = static_cast<std::uint32_t>(last.integer(0));
  }
  std::uint32_t number = rollout.last_number;
  for (const StoredEvaluation& evaluation : evaluations) {
    if (evaluation.number <= number) return false;
    number = evaluation.number;
  }
  return true;
}

void RecentLog::insert_apart(KnownRollout& rollout,
                             const std::vector<StoredEvaluation>& evaluations) {
  fold(rollout);
  Query insert(db_, "INSERT INTO evaluations (rollout, " ROLLWATCH_EVALUATION
                    ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15,"
                    " ?16, ?17, ?18)");
  for (const StoredEvaluation& evaluation : evaluations) {
    insert.again().bind(rollout.key);
    add_evaluation(insert, evaluation);
    insert.run();
  }
  rollout.last_number = KnownRollout::kNotLooked;
}

void RecentLog::append_row(KnownRollout& rollout, const StoredEvaluation* evaluation,
                           const RolloutState* state) {
  Query& row = evaluation != nullptr ? evaluation_row_ : state_row_;
  row.again().bind(next_, rollout.key, rollout.newest);
  if (evaluation != nullptr) {
    add_evaluation(row, *evaluation);
    rollout.last_number = evaluation->number;
  }
  if (state != nullptr) {
    encode_state(*state, bytes_);
    row.add(state->revision);
    row.add(state->updated_at);
    row.add(Query::Bytes{bytes_});
  } else {
    for (int i = 0; i < 3; ++i) row.add(std::optional<std::int64_t>());
  }
  row.run();
  rollout.newest = next_++;
  ++rollout.rows;
}

// The newest row that has a state; 0 if there is none that is not folded. Most of the time it is
// the newest of all.
std::int64_t RecentLog::newest_state(const KnownRollout& rollout) {
  Query row(db_, "SELECT state IS NULL, previous FROM recent WHERE id = ?1");
  for (std::int64_t id = rollout.newest; id > rollout.folded; id = row.integer(1)) {
    if (!row.again().bind(id).next()) break;
    if (row.integer(0) == 0) return id;
  }
  return 0;
}

// How many rows it had.
std::int64_t RecentLog::fold(KnownRollout& rollout) {
  if (!rollout.has_rows()) return 0;
  known_.changes(rollout);
  // One statement for all: its beginning and its end cost as much as a row.
  Query(db_,
        "WITH RECURSIVE chain (id) AS (SELECT ?1 UNION ALL SELECT p.previous"
        " FROM chain JOIN recent p ON p.id = chain.id WHERE p.previous > ?2)"
        " INSERT INTO evaluations (rollout, " ROLLWATCH_EVALUATION
        ") SELECT rollout, " ROLLWATCH_EVALUATION
        " FROM chain CROSS JOIN recent ON recent.id = chain.id WHERE number IS NOT NULL")
      .bind(rollout.newest, rollout.folded)
      .run();
  if (const std::int64_t id = newest_state(rollout); id != 0) {
    Query(db_,
          "UPDATE states SET folded = ?2, (revision, updated_at, state) ="
          " (SELECT revision, updated_at, state FROM recent WHERE id = ?3) WHERE rollout = ?1")
        .bind(rollout.key, rollout.newest, id)
        .run();
  } else {
    Query(db_, "UPDATE states SET folded = ?2 WHERE rollout = ?1")
        .bind(rollout.key, rollout.newest)
        .run();
  }
  rollout.folded = rollout.newest;
  rollout.newest = RecentHead::kNone;
  return std::exchange(rollout.rows, 0);
}

void RecentLog::forget(std::int64_t rollout) {
  KnownRollout* known = known_.with_key(rollout);
  if (known == nullptr) return;
  known_.changes(*known);
  known->gone = true;
}

std::int64_t RecentLog::most_rows() const {
  return std::clamp(static_cast<std::int64_t>(known_.with_rows()) * kRowsPerRollout, kFewRows,
                    kManyRows);
}

bool RecentLog::is_trim_due() const {
  return tail_ - first_ >= kPiece || (known_.with_rows() == 0 && first_ < next_);
}

// A long log is shortened by as much as it grew and a little more, a piece at a time: whatever has
// piled up, such as the first rows of ten thousand rollouts that were registered together, is
// folded in the time in which it came, and those rollouts never again all at once.
bool RecentLog::is_too_long() const {
  return next_ - tail_ > most_rows() && next_ - shortened_ >= kPiece;
}

bool RecentLog::is_due() const { return !waiting_.empty() || is_too_long() || is_trim_due(); }

void RecentLog::tidy() {
  allowance_ = kPiece;
  fold_what_waits();
  allowance_ = 0;
  if (is_too_long()) {
    allowance_ = (next_ - shortened_) * 5 / 4;
    shortened_ = next_;
  }
  advance();
  trim();
}

void RecentLog::fold_what_waits() {
  while (!waiting_.empty() && allowance_ > 0) {
    const std::int64_t key = waiting_.front();
    waiting_.pop_front();
    before_.taken.push_back(key);
    KnownRollout* rollout = known_.with_key(key);
    if (rollout != nullptr && !rollout->gone) allowance_ -= fold(*rollout);
  }
}

// Moves the tail over what is folded, and folds what it meets if the log is too long.
void RecentLog::advance() {
  Query row(db_, "SELECT id, rollout FROM recent WHERE id >= ?1 ORDER BY id LIMIT ?2");
  row.bind(tail_, kMostTrimmed);
  std::int64_t looked_at = 0;
  for (; row.next(); ++looked_at) {
    const std::int64_t id = row.integer(0);
    KnownRollout* rollout = known_.with_key(row.integer(1));
    if (rollout != nullptr && !rollout->gone && rollout->has_rows() && id > rollout->folded) {
      if (next_ - id <= most_rows() || allowance_ <= 0) {
        tail_ = id;
        return;
      }
      allowance_ -= fold(*rollout);
    }
    tail_ = id + 1;
  }
  if (looked_at < kMostTrimmed) tail_ = next_;
}

void RecentLog::trim() {
  if (tail_ - first_ < kPiece && tail_ < next_) return;
  const std::int64_t upto = std::min(tail_, first_ + kMostTrimmed) - 1;
  if (upto < first_) return;
  Query(db_, "DELETE FROM recent WHERE id <= ?1").bind(upto).run();
  Query(db_, "UPDATE recent_trimmed SET id = ?1").bind(upto).run();
  first_ = upto + 1;
}

void RecentLog::committed() {
  known_.committed();
  before_ = {first_, tail_, {}};
}

void RecentLog::rolled_back() {
  known_.rolled_back();
  waiting_.insert(waiting_.end(), before_.taken.begin(), before_.taken.end());
  first_ = before_.first;
  tail_ = before_.tail;
  before_.taken.clear();
}

}  // namespace rollwatch
