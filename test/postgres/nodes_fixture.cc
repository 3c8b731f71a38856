#include "test/postgres/nodes_fixture.h"

#include <boost/asio/co_spawn.hpp>

namespace rollwatch {

RealPostgres& postgres() {
  static RealPostgres one;
  return one;
}

std::string new_database() {
  static int count = 0;
  return postgres().url("nodes" + std::to_string(++count));
}

Node::Node(net::io_context& io, const std::string& url, const std::string& name, Millis lease)
    : store(io.get_executor(), url, {[this] { ++fenced; }}),
      members(io.get_executor(), clock, {url, name}, store.writer(), {name, "1.0", lease},
              {[this](std::vector<Lease> leases, Cause cause) -> awaitable<void> {
                 told.push_back("gained " + std::to_string(leases.size()));
                 while (is_slow) co_await clock.sleep(Millis{5});
                 if (!takes_over) throw StoreError("it cannot be read");
                 for (const Lease& lease : leases) {
                   has[lease.place] = lease.epoch;
                   why[lease.place] = cause;
                 }
                 co_return;
               },
               [this](std::vector<Place> places) -> awaitable<void> {
                 told.push_back("give up " + std::to_string(places.size()));
                 while (is_slow) co_await clock.sleep(Millis{5});
                 for (const Place& place : places) has.erase(place);
                 co_return;
               },
               [this](std::vector<Place> places) {
                 told.push_back("lost " + std::to_string(places.size()));
                 for (const Place& place : places) has.erase(place);
               },
               [this](const std::string& what, const std::string& rest) {
                 heard.push_back(what + (rest.empty() ? "" : " " + rest));
               },
               [this] { ++listens; }, [this](std::size_t nodes) { counted.push_back(nodes); },
               [this](const std::optional<std::string>& trouble) {
                 told.push_back(trouble ? "no member: " + *trouble : "member");
               }}) {}

Node::~Node() {
  members.close();
  store.close();
}

std::vector<Place> Node::sorted_places() const {
  std::vector<Place> places;
  for (const auto& [place, epoch] : has) places.push_back(place);
  return places;
}

NodesTest::~NodesTest() {
  nodes_.clear();
  io_.stop();
}

void NodesTest::wait(awaitable<void> work) {
  const auto with_value = [](awaitable<void> inner) -> awaitable<int> {
    co_await std::move(inner);
    co_return 0;
  };
  wait<int>(with_value(std::move(work)));
}

bool NodesTest::until(const std::function<bool()>& condition, Millis limit) {
  const bool met = wait_until(
      [&] {
        io_.restart();
        io_.run_for(Millis{5});
        return condition();
      },
      limit);
  return met;
}

Node& NodesTest::node(const std::string& name, Millis lease) {
  nodes_.push_back(std::make_unique<Node>(io_, url_, name, lease));
  Node& fresh = *nodes_.back();
  wait(fresh.store.open());
  wait(fresh.members.join());
  return fresh;
}

void NodesTest::stop(Node& node) {
  std::erase_if(nodes_, [&node](const auto& one) { return one.get() == &node; });
}

void NodesTest::register_at(Node& node, const std::string& id, const std::string& target) {
  Commit commit = registration(id, target);
  const Place place = place_of(commit.insert->spec);
  const auto epoch = wait(node.members.claim(place));
  ASSERT_TRUE(epoch) << target;
  commit.epoch = *epoch;
  std::vector<Commit> commits;
  commits.push_back(std::move(commit));
  wait(node.store.record(std::move(commits)));
}

std::string NodesTest::refusal(Node& node, Commit commit) {
  std::vector<Commit> commits;
  commits.push_back(std::move(commit));
  try {
    wait(node.store.record(std::move(commits)));
    return "";
  } catch (const StaleLease& error) {
    return std::string("stale: ") + error.what();
  } catch (const StoreError& error) {
    return error.what();
  }
}

std::int64_t NodesTest::number(const std::string& sql) {
  PgConnection connection(io_.get_executor(), {url_});
  PgStatement statement;
  statement.once = sql;
  std::vector<PgStatement> statements;
  statements.push_back(std::move(statement));
  return wait(connection.ask(std::move(statements))).at(0).integer(0, 0);
}

}  // namespace rollwatch
