#include "daemon/storage/evaluation_row.h"

#include "daemon/storage/evaluation_codes.h"

namespace rollwatch {

void add_evaluation(Query& query, const StoredEvaluation& evaluation) {
  const Judgement& judgement = evaluation.judgement;
  std::optional<int> rule_op;
  std::optional<double> rule_limit;
  if (judgement.rule) {
    rule_op = static_cast<int>(judgement.rule->op);
    rule_limit = judgement.rule->limit;
  }
  query.add(evaluation.number);
  query.add(evaluation.condition);
  query.add(evaluation.slot);
  query.add(evaluation.last_slot);
  query.add(evaluation.slots);
  query.add(evaluation.evaluated_at);
  query.add(static_cast<int>(judgement.outcome));
  query.add(static_cast<int>(judgement.cause));
  query.add(judgement.value);
  query.add(rule_op);
  query.add(rule_limit);
  query.add(judgement.evidence);
  query.add(judgement.min_evidence);
  query.add(judgement.series);
  query.add(judgement.detail.text());
  query.add(evaluation.step);
  query.add(evaluation.duration);
}

StoredEvaluation evaluation_in(const Query& row) {
  StoredEvaluation evaluation;
  evaluation.number = static_cast<std::uint32_t>(row.integer(0));
  evaluation.condition = row.text(1);
  evaluation.slot = row.time(2);
  evaluation.last_slot = row.time(3);
  evaluation.slots = static_cast<std::uint32_t>(row.integer(4));
  evaluation.evaluated_at = row.time(5);
  Judgement& judgement = evaluation.judgement;
  judgement.outcome = read_outcome(row.integer(6));
  judgement.cause = read_cause(row.integer(7));
  judgement.value = row.optional_real(8);
  if (!row.is_null(9)) {
    judgement.rule = Comparison{read_comparison(row.integer(9)), row.real(10)};
  }
  judgement.evidence = row.optional_real(11);
  judgement.min_evidence = row.real(12);
  judgement.series = row.text(13);
  judgement.detail = row.text(14);
  evaluation.step = static_cast<int>(row.integer(15));
  evaluation.duration = Millis(row.integer(16));
  return evaluation;
}

}  // namespace rollwatch
