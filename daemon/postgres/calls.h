// Calls that another node is to answer, carried through the database: the asker writes down what is
// asked, the owner of the place takes it and writes the answer beside it. Notifications wake both;
// if one is lost they look by themselves. Io thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/engine/records.h"
#include "daemon/net/clock.h"
#include "daemon/postgres/members.h"
#include "daemon/postgres/pool.h"

namespace rollwatch {

class PgCalls {
 public:
  // Answers what another node was asked; it must not throw.
  using Answerer = std::function<awaitable<std::string>(std::string request)>;

  PgCalls(net::any_io_executor executor, Clock& clock, PgPool& pool, PgMembers& members,
          Answerer answerer);
  ~PgCalls();

  // What the owner of that place answers. Nothing if nobody else has it, or nobody took the call
  // within `limit`: then it is not carried out. Throws NoAnswer if it may have been, and
  // StoreError.
  awaitable<std::optional<std::string>> ask(Place place, std::string request, Millis limit);

  // What all other nodes answer, in any order. Throws StoreError if one does not in time.
  awaitable<std::vector<std::string>> ask_others(std::string request, Millis limit);

  // A notification: "call NODE" or "answer NODE CALL".
  void heard(const std::string& what, const std::string& rest);
  // Looks for calls whose notification was lost, and puts away those nobody waits for any more.
  void look();

 private:
  awaitable<std::optional<std::string>> answer_to(std::int64_t number, SteadyTime end);
  awaitable<void> take();
  awaitable<void> answer_one(std::int64_t number, std::int64_t asker, std::string request);

  net::any_io_executor executor_;
  Clock& clock_;
  PgPool& pool_;
  PgMembers& members_;
  Answerer answerer_;
  std::map<std::int64_t, std::shared_ptr<Promise<bool>>> waiting_;  // for the answer to a call
  bool taking_ = false;
  bool take_again_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace rollwatch
