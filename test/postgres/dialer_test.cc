// The way to a server: hosts that are looked up, several of them, and every way in which one leads
// nowhere. None of it may keep the event loop from anything else.
#include "daemon/postgres/dialer.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/post.hpp>
#include <cstdlib>
#include <map>

#include "test/postgres/nodes_fixture.h"
#include "test/support/fake_server.h"

namespace rollwatch {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// An environment variable for the time of a test.
class Environment {
 public:
  Environment(std::string name, const std::string& value) : name_(std::move(name)) {
    setenv(name_.c_str(), value.c_str(), 1);
  }
  ~Environment() { unsetenv(name_.c_str()); }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  std::string name_;
};

// Listens, and takes no connection: who comes waits for an answer, as from a machine that is off.
class BlackHole {
 public:
  BlackHole() {
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
    listen(listener_, 0);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    // Its queue is full with these.
    for (int& waiting : waiting_) {
      waiting = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
      static_cast<void>(connect(waiting, reinterpret_cast<sockaddr*>(&address), size));
    }
  }
  ~BlackHole() {
    for (const int waiting : waiting_) ::close(waiting);
    ::close(listener_);
  }
  BlackHole(const BlackHole&) = delete;
  BlackHole& operator=(const BlackHole&) = delete;
  int port() const { return port_; }

 private:
  int listener_ = -1;
  std::array<int, 4> waiting_{};
  int port_ = 0;
};

class DialerTest : public NodesTest {
 protected:
  // "" when connected, or why not.
  std::string dial(const std::string& url, Millis limit = Millis{20'000}) {
    PgTarget target{url};
    target.connect_limit = limit;
    target.lookup = [this](const std::string& host, const std::function<void(PgAddresses)>& done) {
      asked_.push_back(host);
      const auto known = hosts_.find(host);
      if (known == hosts_.end()) return pending_.push_back(done);
      net::post(io_, [done, addresses = known->second] { done(addresses); });
    };
    PgConnection connection(io_.get_executor(), target);
    return answer_of(connection);
  }
  std::string answer_of(PgConnection& connection) {
    std::vector<PgStatement> statements;
    statements.push_back(pg("SELECT 1"));
    try {
      wait(connection.ask(std::move(statements)));
      return "";
    } catch (const PgError& error) {
      return error.what();
    }
  }
  std::string url(const std::string& hosts, const std::string& parameters = "") const {
    return "postgresql://rollwatch@" + hosts + url_.substr(url_.rfind('/')) + parameters;
  }
  std::string port() const { return std::to_string(postgres().port()); }
  static PgAddresses none(const std::string& why) { return Unexpected(why); }
  static PgAddresses some(std::vector<std::string> addresses) { return addresses; }

  // What the look-up of a host gives; that of any other never ends.
  std::map<std::string, PgAddresses> hosts_ = {
      {"db.test", some({"127.0.0.1"})},
      {"two.test", some({"127.0.0.77", "127.0.0.1"})},
      {"none.test", none("no such host")},
      {"empty.test", some({})},
  };
  std::vector<std::string> asked_;
  std::vector<std::function<void(PgAddresses)>> pending_;
};

TEST_F(DialerTest, WhatIsLookedUpAndWhereItLeads) {
  const std::string closed = std::to_string(free_port());
  const TempDir folder;
  write_file(folder / "services", "[ours]\nhost=db.test\nport=" + port() + "\nuser=rollwatch\n");
  const Environment services("PGSERVICEFILE", (folder / "services").string());
  struct Row {
    std::string name, url;
    std::vector<std::string> asked;
    std::string why;  // "": connected
  };
  const std::vector<Row> rows = {
      {"a name", url("db.test:" + port()), {"db.test"}, ""},
      {"the second of its addresses", url("two.test:" + port()), {"two.test"}, ""},
      {"a numeric address", url("127.0.0.1:" + port()), {}, ""},
      {"IPv6", url("[::1]:" + closed), {}, "refused"},
      {"an address beside the name", url("db.test:" + port(), "?hostaddr=127.0.0.1"), {}, ""},
      {"a socket", url("", "?host=" + postgres().directory() + "&port=" + port()), {}, ""},
      {"a service", "postgresql:///postgres?service=ours", {"db.test"}, ""},
      {"a service that is not known", "postgresql:///?service=theirs", {}, "theirs"},
      {"several, of which the third is there",
       url("none.test:1,db.test:" + closed + ",db.test:" + port()),
       {"none.test", "db.test", "db.test"},
       ""},
      {"one port for all", url("none.test,127.0.0.1", "?port=" + port()), {"none.test"}, ""},
      {"a socket and a name",
       url("", "?host=" + postgres().directory() + "x,db.test&port=" + port()),
       {"db.test"},
       ""},
      {"names and addresses that do not fit", url("db.test,x", "?hostaddr=127.0.0.1"), {}, "host"},
      {"a name nobody knows",
       url("none.test"),
       {"none.test"},
       "the host \"none.test\" was not found: no such host"},
      {"a name without an address",
       url("empty.test"),
       {"empty.test"},
       "the host \"empty.test\" has no address"},
  };
  for (const Row& row : rows) {
    asked_.clear();
    const std::string why = dial(row.url);
    EXPECT_EQ(asked_, row.asked) << row.name;
    if (row.why.empty())
      EXPECT_EQ(why, "") << row.name;
    else
      EXPECT_THAT(why, HasSubstr(row.why)) << row.name;
  }
}

TEST_F(DialerTest, TheEnvironmentsHostIsLookedUpToo) {
  const Environment host("PGHOST", "db.test");
  const Environment at("PGPORT", port());
  EXPECT_EQ(dial("postgresql://rollwatch@/postgres"), "");
  EXPECT_THAT(asked_, ElementsAre("db.test"));
}

TEST_F(DialerTest, ALookUpThatHangsEndsWithItsTime) {
  EXPECT_EQ(dial(url("hangs.test:1"), Millis{200}),
            "the host \"hangs.test\" could not be looked up within 200 ms");
  ASSERT_EQ(pending_.size(), 1U);
  pending_[0](some({"127.0.0.1"}));  // nobody waits for it any more
  EXPECT_EQ(dial(url("hangs.test:1,db.test:" + port()), Millis{4'000}), "")
      << "and the next is asked";
}

TEST_F(DialerTest, TheSystemFindsLocalhost) {
  PgConnection connection(io_.get_executor(), {url("localhost:" + port())});
  EXPECT_EQ(answer_of(connection), "");
}

TEST_F(DialerTest, AServerThatIsOffBlocksNothing) {
  const BlackHole off;
  int ticks = 0;
  Timer tick(io_.get_executor());
  const std::function<void()> go_on = [&] {
    tick.expires_after(Millis{10});
    tick.async_wait([&](const boost::system::error_code& error) {
      ++ticks;
      if (!error) go_on();
    });
  };
  go_on();
  EXPECT_EQ(dial(url("db.test:" + std::to_string(off.port())), Millis{500}),
            "no connection within 500 ms to the server at \"db.test\" (127.0.0.1), port " +
                std::to_string(off.port()));
  EXPECT_GE(ticks, 3) << "others had their turn meanwhile";
  tick.cancel();
}

TEST_F(DialerTest, AServerThatIsOffKeepsNobodyFromTheNext) {
  const BlackHole off;
  const FakeServer silent([](FakeConnection& c) { c.hang(); });
  EXPECT_EQ(dial(url("127.0.0.1:" + std::to_string(off.port()) +
                     ",127.0.0.1:" + std::to_string(silent.port()) + ",127.0.0.1:" + port()),
                 Millis{6'000}),
            "");
  // What stands in the address about the time counts for each.
  EXPECT_EQ(dial(url("127.0.0.1:" + std::to_string(off.port()) + ",127.0.0.1:" + port(),
                     "?connect_timeout=1"),
                 Millis{600'000}),
            "");
}

TEST_F(DialerTest, EveryFailureIsTold) {
  const std::string closed = std::to_string(free_port());
  const std::string why = dial(url("none.test,127.0.0.1:" + closed));
  EXPECT_THAT(why, HasSubstr("none.test"));
  EXPECT_THAT(why, HasSubstr("; connection to server at \"127.0.0.1\", port " + closed));
}

TEST_F(DialerTest, WhatIsFoundForOneThatIsGoneIsOfNoInterest) {
  PgTarget target{url("hangs.test:1")};
  target.lookup = [this](const std::string&, const std::function<void(PgAddresses)>& done) {
    pending_.push_back(done);
  };
  auto gone = std::make_unique<PgConnection>(io_.get_executor(), target);
  gone.reset();
  ASSERT_EQ(pending_.size(), 1U);
  pending_[0](some({"127.0.0.1"}));
  EXPECT_EQ(dial(url("db.test:" + port())), "");
}

// A daemon that ends does not wait for a name.
TEST_F(DialerTest, OneThatIsAskedToFinishWhileItLooksUpIsBroken) {
  PgTarget target{url("hangs.test:1")};
  target.lookup = [](const std::string&, const std::function<void(PgAddresses)>&) {};
  PgConnection connection(io_.get_executor(), target);
  bool answered = false;
  std::vector<PgStatement> statements;
  statements.push_back(pg("SELECT 1"));
  connection.run(std::move(statements),
                 [&answered](const PgConnection::Answer&) { answered = true; });
  connection.finish(Millis{600'000});
  EXPECT_TRUE(connection.is_broken());
  EXPECT_TRUE(answered);
}

}  // namespace
}  // namespace rollwatch
