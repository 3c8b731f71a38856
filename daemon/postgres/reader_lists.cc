// Lists of what is asked for: rollouts by any of their parts, deliveries of all rollouts whatever
// became of them.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "daemon/postgres/reader.h"
#include "daemon/storage/cursor.h"

namespace rollwatch {
namespace {

constexpr std::string_view kFrom = " FROM deliveries d JOIN rollouts r ON r.key = d.rollout ";

// " AND left IN ($1, $2)"; the values go to the statement.
std::string is_one_of(const char* left, const std::vector<std::string>& any_of,
                      PgStatement& statement) {
  std::string sql;
  for (const std::string& one : any_of) {
    statement.add(one);
    sql += (sql.empty() ? " AND " + std::string(left) + " IN ($" : ", $") +
           std::to_string(statement.values.size());
  }
  return sql + ")";
}

// "WHERE …" of deliveries d of rollouts r.
std::string pg_chosen_by(const DeliveryFilter& filter, PgStatement& statement) {
  std::string where = "WHERE true";
  if (!filter.states.empty()) {
    std::vector<std::string> names;
    for (const DeliveryState state : filter.states) names.emplace_back(name_of(state));
    where += is_one_of("d.state", names, statement);
    // Says the same once more, in the words of the index that holds these few.
    if (std::ranges::all_of(filter.states, is_failed))
      where += " AND d.state IN ('dead', 'refused')";
    if (std::ranges::all_of(filter.states, is_open)) where += " AND d.open";
  }
  if (filter.cls)
    where += is_one_of("d.class", {*filter.cls == DeliveryClass::kOrder ? "order" : "notification"},
                       statement);
  if (!filter.receiver.empty()) where += is_one_of("d.target", {filter.receiver}, statement);
  if (!filter.ns.empty()) where += is_one_of("r.namespace", {filter.ns}, statement);
  if (!filter.service.empty()) where += is_one_of("r.service", {filter.service}, statement);
  if (!filter.visible.empty()) where += is_one_of("r.namespace", filter.visible, statement);
  return where;
}

std::string search_of(const RolloutSearch& search, const std::optional<std::string>& before,
                      PgStatement& statement) {
  std::string where = pg_where_of(search.filter, before, statement);
  if (search.text.empty()) return where;
  statement.add(like_pattern(search.text));
  const std::string like = " ILIKE $" + std::to_string(statement.values.size());
  return where + (where.empty() ? "WHERE" : " AND") + " (r.service" + like + " OR r.namespace" +
         like + " OR r.target" + like + " OR r.candidate" + like + ")";
}

}  // namespace

std::string pg_where_of(const ListFilter& filter, const std::optional<std::string>& before,
                        PgStatement& statement) {
  std::string where;
  const auto value = [&statement](const std::string& text) {
    statement.add(text);
    return "$" + std::to_string(statement.values.size());
  };
  const auto add = [&where](const std::string& condition) {
    where += (where.empty() ? "WHERE " : " AND ") + condition;
  };
  if (!filter.ns.empty()) add("r.namespace = " + value(filter.ns));
  if (!filter.service.empty()) add("r.service = " + value(filter.service));
  if (!filter.target.empty()) add("r.target = " + value(filter.target));
  if (before) add("r.id < " + value(*before));
  if (!filter.visible.empty()) {
    std::string names;
    for (const std::string& ns : filter.visible) names += (names.empty() ? "" : ", ") + value(ns);
    add("r.namespace IN (" + names + ")");
  }
  if (!filter.states.empty()) {
    std::string names;
    for (const State state : filter.states)
      names += (names.empty() ? "" : ", ") + value(std::string(name_of(state)));
    add("r.state IN (" + names + ")");
    // Says the same once more, in the words of the index that holds the few active ones.
    if (std::none_of(filter.states.begin(), filter.states.end(), is_final)) add("r.active");
  }
  for (const auto& [name, text] : filter.labels) {
    const std::string of_name = value(name);
    add("EXISTS (SELECT 1 FROM labels l WHERE l.rollout = r.key AND l.name = " + of_name +
        " AND l.value = " + value(text) + ")");
  }
  return where;
}

awaitable<Page<std::string>> PgReader::search(RolloutSearch search, std::size_t limit,
                                              std::optional<std::string> before) {
  PgStatement statement;
  const std::string where = search_of(search, before, statement);
  statement.once = "SELECT r.id FROM rollouts r " + where + " ORDER BY r.id DESC LIMIT " +
                   std::to_string(std::min<std::size_t>(limit, 1'000'000) + 1);
  const PgRows rows = co_await pool_.ask(std::move(statement));
  Page<std::string> page;
  for (int row = 0; row < rows.size(); ++row) {
    if (page.items.size() == limit) {
      if (limit > 0) page.next_cursor = list_cursor(page.items.back());
      break;
    }
    page.items.push_back(rows.text(row, 0));
  }
  co_return page;
}

awaitable<std::size_t> PgReader::count_found(RolloutSearch search) {
  PgStatement statement;
  const std::string where = search_of(search, std::nullopt, statement);
  statement.once = "SELECT count(*) FROM rollouts r " + where;
  const PgRows rows = co_await pool_.ask(std::move(statement));
  co_return static_cast<std::size_t>(rows.integer(0, 0));
}

awaitable<Page<ListedDelivery>> PgReader::all_deliveries(DeliveryFilter filter, std::size_t limit,
                                                         std::optional<std::int64_t> before) {
  // Those of deliveries_in() first, and then whose each is.
  constexpr int kWhose = 14;
  PgStatement statement;
  std::string where = pg_chosen_by(filter, statement);
  if (before) where += " AND d.key < " + std::to_string(*before);
  statement.once =
      "SELECT d.key, d.id, d.class, d.kind, r.id, d.target, d.number, d.weight, d.fence, d.state, "
      "d.created_at, d.expires_at, d.accepted_until, d.payload, "
      "r.namespace, r.service, r.target, r.candidate" +
      std::string(kFrom) + where + " ORDER BY d.key DESC LIMIT " +
      std::to_string(std::min<std::size_t>(limit, 1'000'000) + 1);
  const PgRows rows = co_await pool_.ask(std::move(statement));
  std::vector<Delivery> deliveries = co_await deliveries_in(rows);
  Page<ListedDelivery> page;
  for (int row = 0; row < rows.size(); ++row) {
    if (page.items.size() == limit) {
      if (limit > 0) page.next_cursor = delivery_cursor(rows.integer(row - 1, 0));
      break;
    }
    page.items.push_back({std::move(deliveries[static_cast<std::size_t>(row)]),
                          rows.text(row, kWhose), rows.text(row, kWhose + 1),
                          rows.text(row, kWhose + 2), rows.text(row, kWhose + 3)});
  }
  co_return page;
}

awaitable<std::size_t> PgReader::count_deliveries(DeliveryFilter filter) {
  PgStatement statement;
  const std::string where = pg_chosen_by(filter, statement);
  statement.once = "SELECT count(*)" + std::string(kFrom) + where;
  const PgRows rows = co_await pool_.ask(std::move(statement));
  co_return static_cast<std::size_t>(rows.integer(0, 0));
}

}  // namespace rollwatch
