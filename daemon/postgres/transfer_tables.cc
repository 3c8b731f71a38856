#include "daemon/postgres/transfer_tables.h"

namespace rollwatch {
namespace {

constexpr std::string_view kTypes[] = {"bigint",  "integer", "smallint", "double precision",
                                       "boolean", "text",    "bytea",    "bytea"};

// Rollouts that are deleted but for the rows of other tables: those stay behind.
#define ROLLWATCH_KEPT(table) \
  "(SELECT * FROM " table " WHERE rollout NOT IN (SELECT rollout FROM forgotten))"

std::string joined(const TransferTable& table, std::size_t count) {
  std::string list;
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) list += ", ";
    list += table.columns[i].name;
  }
  return list;
}

std::vector<TransferTable> make_tables() {
  using enum TransferKind;
  std::vector<TransferTable> tables;
  const auto add = [&tables](TransferTable table) { tables.push_back(std::move(table)); };
  add({"places",
       "temp.transfer_places",
       {{"key", kBigint},
        {"namespace", kText},
        {"service", kText},
        {"target", kText},
        {"fence", kBigint}},
       1,
       2'000,
       true});
  add({"plans",
       "(SELECT key, version, analysis, sources, NULL AS digest FROM plans)",
       {{"key", kBigint},
        {"version", kInteger},
        {"analysis", kText},
        {"sources", kText},
        {"digest", kPlanDigest}},
       1,
       50,
       true});
  add({"rollouts",
       "(SELECT r.*, p.key AS place FROM rollouts r JOIN temp.transfer_places p ON p.namespace ="
       " r.namespace AND p.service = r.service AND p.target = r.target)",
       {{"key", kBigint},
        {"id", kText},
        {"place", kBigint},
        {"namespace", kText},
        {"service", kText},
        {"target", kText},
        {"candidate", kText},
        {"state", kText},
        {"active", kBoolean},
        {"created_at", kBigint},
        {"ended_at", kBigint},
        {"plan", kBigint},
        {"spec", kText},
        {"thinned", kBigint},
        {"thin_from", kBigint}},
       1,
       500,
       true});
  add({"labels",
       ROLLWATCH_KEPT("labels"),
       {{"rollout", kBigint}, {"name", kText}, {"value", kText}},
       2,
       2'000});
  add({"states",
       ROLLWATCH_KEPT("latest_states"),
       {{"rollout", kBigint}, {"revision", kBigint}, {"updated_at", kBigint}, {"state", kBytes}},
       1,
       500});
  add({"evaluations",
       ROLLWATCH_KEPT("all_evaluations"),
       {{"rollout", kBigint},
        {"number", kBigint},
        {"condition", kText},
        {"slot", kBigint},
        {"last_slot", kBigint},
        {"slots", kBigint},
        {"evaluated_at", kBigint},
        {"outcome", kSmallint},
        {"cause", kSmallint},
        {"value", kReal},
        {"rule_op", kSmallint},
        {"rule_limit", kReal},
        {"evidence", kReal},
        {"min_evidence", kReal},
        {"series", kText},
        {"detail", kText},
        {"step", kInteger},
        {"duration", kBigint}},
       2,
       2'000});
  add({"events",
       ROLLWATCH_KEPT("events"),
       {{"seq", kBigint}, {"rollout", kBigint}, {"at", kBigint}, {"data", kText}},
       1,
       1'000});
  add({"deliveries",
       ROLLWATCH_KEPT("deliveries"),
       {{"key", kBigint},
        {"id", kText},
        {"rollout", kBigint},
        {"class", kText},
        {"kind", kText},
        {"target", kText},
        {"number", kBigint},
        {"weight", kReal},
        {"fence", kBigint},
        {"state", kText},
        {"open", kBoolean},
        {"created_at", kBigint},
        {"expires_at", kBigint},
        {"accepted_until", kBigint},
        {"payload", kText}},
       1,
       500,
       true});
  add({"attempts",
       "(SELECT * FROM attempts WHERE delivery NOT IN (SELECT d.key FROM deliveries d WHERE"
       " d.rollout IN (SELECT rollout FROM forgotten)))",
       {{"delivery", kBigint},
        {"number", kBigint},
        {"at", kBigint},
        {"status", kInteger},
        {"error", kText},
        {"duration", kBigint},
        {"answer", kText}},
       2,
       1'000});
  add({"explains",
       ROLLWATCH_KEPT("explains"),
       {{"key", kBigint},
        {"rollout", kBigint},
        {"decision", kText},
        {"at", kBigint},
        {"bundle", kText}},
       1,
       10,
       true});
  add({"memos",
       ROLLWATCH_KEPT("memos"),
       {{"rollout", kBigint}, {"target", kText}, {"name", kText}, {"value", kText}},
       3,
       500});
  add({"idempotency",
       "idempotency",
       {{"name", kText}, {"body_sha256", kText}, {"rollout", kBigint}, {"at", kBigint}},
       1,
       1'000});
  add({"freezes",
       "freezes",
       {{"namespace", kText},
        {"service", kText},
        {"made_by", kText},
        {"reason", kText},
        {"since", kBigint},
        {"until", kBigint},
        {"lifted_at", kBigint},
        {"lifted_by", kText},
        {"lift_reason", kText},
        {"token", kText},
        {"address", kText},
        {"lifted_token", kText},
        {"lifted_address", kText}},
       2,
       500});
  return tables;
}

}  // namespace

const char* const kTransferPreparation =
    "PRAGMA temp_store = MEMORY;"
    "BEGIN;"  // all is read from one moment
    "CREATE TEMP TABLE transfer_places AS SELECT row_number() OVER (ORDER BY n.namespace,"
    " n.service, n.target) AS key, n.namespace, n.service, n.target, coalesce(t.fence, 0) AS fence"
    " FROM (SELECT namespace, service, target FROM targets UNION"
    " SELECT namespace, service, target FROM rollouts) n LEFT JOIN targets t"
    " ON t.namespace = n.namespace AND t.service = n.service AND t.target = n.target;"
    "CREATE UNIQUE INDEX temp.transfer_places_by_name ON transfer_places"
    " (namespace, service, target);"
    "CREATE UNIQUE INDEX temp.transfer_places_by_key ON transfer_places (key);";

std::string_view type_name(TransferKind kind) { return kTypes[static_cast<std::size_t>(kind)]; }

std::string TransferTable::column_list() const { return joined(*this, columns.size()); }
std::string TransferTable::key_list() const { return joined(*this, keys); }

const std::vector<TransferTable>& transfer_tables() {
  static const std::vector<TransferTable> tables = make_tables();
  return tables;
}

std::string highest_number_of(const TransferTable& table) {
  return "SELECT max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = '" +
         std::string(table.name) + "'), 0), coalesce((SELECT max(" + table.key_list() + ") FROM " +
         std::string(table.from) + "), 0))";
}

}  // namespace rollwatch
