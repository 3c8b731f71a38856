// What the writer remembers of every rollout that is active or has rows in `recent`, so that a
// commit looks nothing up. It follows the transaction: what a transaction changed is what the next
// one finds if it was committed, and is as before if it was not.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "analysis/state.h"
#include "daemon/storage/recent_heads.h"
#include "daemon/storage/sqlite.h"

namespace rollwatch {

struct KnownRollout {
  std::int64_t key = 0;  // rollouts.key
  // Its row there.
  State state = State::kWaiting;
  bool active = true;
  bool gone = false;     // forgotten
  bool changed = false;  // in the transaction under way
  MaybeTime ended_at;
  // Its rows in `recent`: a chain, of which those up to `folded` are in the other tables by now.
  std::int64_t newest = RecentHead::kNone;
  std::int64_t folded = 0;
  std::uint32_t rows = 0;
  static constexpr std::uint32_t kNotLooked = 0xffff'ffff;
  std::uint32_t last_number = kNotLooked;  // the largest of its evaluations

  bool has_rows() const { return newest != RecentHead::kNone; }
};

// Used by the writer thread alone. References stay valid until the transaction ends.
class KnownRollouts {
 public:
  // Reads the database. Throws SqliteError.
  KnownRollouts(Database& db, RecentHeads& heads);

  // nullptr if there is no such rollout.
  KnownRollout* find(const std::string& id);
  KnownRollout* with_key(std::int64_t key);  // nullptr also if it is not remembered
  KnownRollout& add(const std::string& id, const KnownRollout& rollout);  // registered just now

  // To be called before one is changed.
  void changes(KnownRollout& rollout);

  // The end of the transaction.
  void committed();
  void rolled_back();

  // Those with rows in `recent` that have ended or have at least so many, by their keys.
  std::vector<std::int64_t> to_fold(std::uint32_t rows) const;
  std::size_t with_rows() const { return with_rows_; }

 private:
  using Node = std::pair<const std::string, KnownRollout>;
  struct ByKey {
    std::int64_t key;
    Node* node;
  };
  struct Change {
    KnownRollout* rollout = nullptr;
    KnownRollout before;
    bool is_new = false;
  };

  void load();
  KnownRollout* load_with_key(std::int64_t key);
  KnownRollout* insert(const std::string& id, const KnownRollout& rollout);
  void erase(std::int64_t key);
  std::vector<ByKey>::iterator place_of(std::int64_t key);

  Database& db_;
  RecentHeads& heads_;
  std::unordered_map<std::string, KnownRollout> by_id_;
  std::vector<ByKey> by_key_;  // in that order
  std::size_t with_rows_ = 0;
  std::vector<Change> changes_;
  std::vector<RecentHead> told_;  // kept for its memory
};

}  // namespace rollwatch
