// Deliveries of all rollouts, whatever became of them.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "daemon/storage/cursor.h"
#include "daemon/storage/reader.h"
#include "daemon/storage/reader_parts.h"

namespace rollwatch {
namespace {

// The deliveries first, also where few rollouts are asked for: their order is the list's.
constexpr const char* kFrom = " FROM deliveries d CROSS JOIN rollouts r ON r.key = d.rollout ";

// The WHERE of such a list, and what stands for its parameters: values never become SQL.
struct Chosen {
  std::string sql = "WHERE 1";
  std::vector<std::string> values;

  void add(const std::string& left, const std::vector<std::string>& any_of) {
    sql += " AND " + left + " IN (";
    for (std::size_t i = 0; i < any_of.size(); ++i) sql += i == 0 ? "?" : ", ?";
    sql += ")";
    values.insert(values.end(), any_of.begin(), any_of.end());
  }
};

Chosen chosen_by(const DeliveryFilter& filter) {
  Chosen chosen;
  if (!filter.states.empty()) {
    std::vector<std::string> names;
    for (const DeliveryState state : filter.states) names.emplace_back(name_of(state));
    chosen.add("d.state", names);
    // Says the same once more, in the words of the index that holds these few.
    if (std::ranges::all_of(filter.states, is_failed))
      chosen.sql += " AND d.state IN ('dead', 'refused')";
    if (std::ranges::all_of(filter.states, is_open)) chosen.sql += " AND d.open = 1";
  }
  if (filter.cls)
    chosen.add("d.class", {*filter.cls == DeliveryClass::kOrder ? "order" : "notification"});
  if (!filter.receiver.empty()) chosen.add("d.target", {filter.receiver});
  if (!filter.ns.empty()) chosen.add("r.namespace", {filter.ns});
  if (!filter.service.empty()) chosen.add("r.service", {filter.service});
  if (!filter.visible.empty()) chosen.add("r.namespace", filter.visible);
  return chosen;
}

}  // namespace

Page<ListedDelivery> StoreReader::all_deliveries(const DeliveryFilter& filter, std::size_t limit,
                                                 std::optional<std::int64_t> before) {
  const Moment moment(db_);
  const Chosen chosen = chosen_by(filter);
  Query query(
      db_,
      std::string(ROLLWATCH_DELIVERY_COLUMNS ", r.namespace, r.service, r.target, r.candidate") +
          kFrom + chosen.sql + (before ? " AND d.key < ?" : "") + " ORDER BY d.key DESC LIMIT ?",
      Query::Reuse::kOnce);
  query.bind();
  for (const std::string& value : chosen.values) query.add(value);
  if (before) query.add(*before);
  query.add(one_more(limit));
  Page<ListedDelivery> page;
  std::int64_t last_key = 0;
  while (query.next()) {
    if (page.items.size() == limit) {
      if (limit > 0) page.next_cursor = delivery_cursor(last_key);
      break;
    }
    last_key = query.integer(0);
    page.items.push_back(
        {delivery_in(query), query.text(14), query.text(15), query.text(16), query.text(17)});
  }
  return page;
}

std::size_t StoreReader::count_deliveries(const DeliveryFilter& filter) {
  const Chosen chosen = chosen_by(filter);
  Query query(db_, std::string("SELECT count(*)") + kFrom + chosen.sql, Query::Reuse::kOnce);
  query.bind();
  for (const std::string& value : chosen.values) query.add(value);
  query.next();
  return static_cast<std::size_t>(query.integer(0));
}

}  // namespace rollwatch
