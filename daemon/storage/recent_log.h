// The table `recent`: what every commit appends to, and where from it goes into the tables it
// belongs to.
//
// An evaluation belongs beside the others of its rollout, and the state it led to into the
// rollout's row of `states`: two pages of their own for each row of ten thousand rollouts. So both
// are appended to one log, with the number of the same rollout's row before, and many rows of one
// rollout are folded into those tables together: its evaluations become neighbours on one page, and
// of its states only the newest is written. The log is short: at its beginning, rows that have been
// folded are deleted, and a rollout whose oldest row holds that up is folded. Rows leave in the
// order they came, so what is folded together lies together.
//
// All of it happens in transactions, and a row is in one place for every reader: `states.folded`
// says up to which row of the log a rollout is found in the other tables.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "daemon/engine/records.h"
#include "daemon/storage/known_rollouts.h"
#include "daemon/storage/sqlite.h"

namespace rollwatch {

// Used by the writer thread alone, within transactions that somebody else begins and ends.
class RecentLog {
 public:
  // Reads the database. Throws SqliteError, as everything here.
  RecentLog(Database& db, RecentHeads& heads);

  KnownRollouts& known() { return known_; }

  // The evaluations of a commit, and its state if it has one.
  void append(KnownRollout& rollout, const std::vector<StoredEvaluation>& evaluations,
              const RolloutState* state);

  // Forgets a rollout whose row is gone.
  void forget(std::int64_t rollout);

  // Whether there is something for tidy() to do, and some of it: as much as commits can wait for.
  // In a transaction of its own.
  bool is_due() const;
  void tidy();

  void committed();
  void rolled_back();

 private:
  bool fits(KnownRollout& rollout, const std::vector<StoredEvaluation>& evaluations);
  void insert_apart(KnownRollout& rollout, const std::vector<StoredEvaluation>& evaluations);
  void append_row(KnownRollout& rollout, const StoredEvaluation* evaluation,
                  const RolloutState* state);
  std::int64_t newest_state(const KnownRollout& rollout);
  std::int64_t fold(KnownRollout& rollout);
  void fold_what_waits();
  void advance();
  void trim();
  bool is_too_long() const;
  bool is_trim_due() const;
  std::int64_t most_rows() const;

  Database& db_;
  KnownRollouts known_;
  // Row numbers. They only grow, so that `folded` means the same for ever.
  std::int64_t first_;  // none before it
  std::int64_t tail_;   // all before it are folded
  std::int64_t next_;
  std::int64_t shortened_;            // next_ when it was shortened last
  std::int64_t allowance_ = 0;        // rows that may still be folded in this transaction
  std::deque<std::int64_t> waiting_;  // rollouts to be folded, by their keys

  struct Before {
    std::int64_t first = 1, tail = 1;
    std::vector<std::int64_t> taken;  // from waiting_
  };
  Before before_;  // the transaction under way

  Query evaluation_row_, state_row_;  // statements of every commit
  std::string bytes_;                 // of a state
};

}  // namespace rollwatch
