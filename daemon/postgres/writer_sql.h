// What a group of commits becomes: the statements of one transaction, in their order, and what
// their answers mean. Nothing here waits or knows of connections.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "daemon/engine/records.h"
#include "daemon/postgres/values.h"

namespace rollwatch {

using Batch = std::vector<Commit>;

// By which equal documents are one row of plans.
std::string plan_digest(const PlanDocument& plan);

// Whose transaction it is.
struct PgWriteAs {
  std::int64_t node = 0;
  std::int64_t session = 0;
  std::int64_t commit = 0;
};

class PgGroup {
 public:
  PgGroup(const std::vector<const Batch*>& batches, PgWriteAs as);

  std::vector<PgStatement> take_statements() { return std::move(statements_); }
  bool has_new_order() const { return has_new_order_; }

  // What was recorded, for each batch.
  std::vector<std::vector<Recorded>> recorded(const std::vector<PgRows>& answers) const;

  // The same, if the answers were lost: from the number before the first event, and the fences by
  // id of delivery.
  std::vector<std::vector<Recorded>> recorded(
      std::int64_t event_base, const std::map<std::string, std::int64_t>& fences) const;
  std::vector<std::string> orders() const;

 private:
  struct Given {  // what one commit waits for
    std::size_t events = 0;
    // Of each delivery: the statement that gives its fence, and its id; none for notifications.
    std::vector<std::pair<std::size_t, std::string>> deliveries;
  };

  void add_commit(const Commit& commit);
  void add_insert(const Commit& commit);
  void add_state(const Commit& commit);
  void add_evaluation(const std::string& rollout, const StoredEvaluation& evaluation);
  void add_delivery(const std::string& rollout, const Delivery& delivery, Given& given);
  void add_attempt(const std::string& delivery, const Attempt& attempt);
  void add_update(const DeliveryUpdate& update);
  void add_memo(const std::string& rollout, const Memo& memo);
  void add_idempotency(const std::string& rollout, const IdempotencyRecord& record);
  void add_tables();
  void add_begin(PgWriteAs as);
  void add_events(PgWriteAs as);
  void add_notification();

  template <class... Values>
  void add(std::string_view sql, const Values&... values) {
    statements_.push_back(pg(sql, values...));
  }

  std::vector<PgStatement> statements_;
  std::vector<std::vector<Given>> given_;  // by batch, by commit
  bool has_new_order_ = false;

  // Whose places are written to.
  std::map<std::string, Epoch> epochs_;  // of rollouts that are there
  std::map<Place, Epoch> new_places_;
  std::unordered_map<std::string, bool> is_new_;

  // Columns of what is written for many rollouts at once.
  std::map<std::string, const Commit*> states_;  // the last one of each rollout
  std::vector<PgArray> evaluations_;
  std::vector<PgArray> events_;
  std::size_t event_count_ = 0;
  std::size_t event_statement_ = 0;
  std::vector<std::string> moved_;  // whose waiters are woken
};

}  // namespace rollwatch
