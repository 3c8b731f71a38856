// TLS and passwords as libpq's users expect them, at a real server that insists on both: with
// certificates made here, and one user who needs a password and one who does not.
#include <cstdlib>

#include "daemon/postgres/store.h"
#include "test/postgres/nodes_fixture.h"

namespace rollwatch {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kPassword = "open sesame %/@:";
constexpr const char* kPasswordInUrl = "open%20sesame%20%25%2F%40%3A";

void openssl(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "openssl");
  const Finished done = run_program({std::move(arguments), {}, ""});
  ASSERT_EQ(done.exit_code, 0) << done.output;
}

// An authority, and a certificate it signed for one name.
struct Certificates {
  Certificates() {
    for (const std::string authority : {"ours", "other"})
      openssl({"req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
               "/CN=" + authority, "-keyout", file(authority + ".key"), "-out",
               file(authority + ".pem")});
    write_file(folder / "names", "subjectAltName=DNS:db.test\n");
    openssl({"req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=db.test", "-keyout",
             file("server.key"), "-out", file("server.csr")});
    openssl({"x509", "-req", "-in", file("server.csr"), "-CA", file("ours.pem"), "-CAkey",
             file("ours.key"), "-CAcreateserial", "-days", "2", "-extfile", file("names"), "-out",
             file("server.pem")});
  }
  std::string file(const std::string& name) const { return (folder / name).string(); }
  TempDir folder;
};

class PostgresTlsTest : public testing::Test {
 protected:
  static const Certificates& certificates() {
    static const Certificates made;
    return made;
  }
  static RealPostgres& server() {
    static RealPostgres one({{{"server.key", read_file(certificates().file("server.key"))},
                              {"server.pem", read_file(certificates().file("server.pem"))}},
                             {"ssl=on", "ssl_cert_file=server.pem", "ssl_key_file=server.key"},
                             "local all rollwatch trust\nhostssl all rollwatch 127.0.0.1/32 trust\n"
                             "hostssl all secretive 127.0.0.1/32 scram-sha-256\n"});
    return one;
  }
  static void SetUpTestSuite() {
    server().url("rollwatch");
    server().url("secretive");
    const Finished made = run_program(
        {{"psql", "-X", "-q", "-h", server().directory(), "-p", std::to_string(server().port()),
          "-U", "rollwatch", "-d", "secretive", "-c",
          std::string(
              "SET password_encryption = 'scram-sha-256'; CREATE USER secretive PASSWORD '") +
              kPassword + "'; GRANT ALL ON SCHEMA public TO secretive"},
         {},
         ""});
    ASSERT_EQ(made.exit_code, 0) << made.output;
  }

  // What is said when the store is opened; "" if it could be.
  static std::string opened(const std::string& user, const std::string& parameters,
                            const std::string& host = "db.test") {
    net::io_context io;
    PgTarget target;
    target.url = "postgresql://" + user + "@" + host + ":" + std::to_string(server().port()) + "/" +
                 user.substr(0, user.find(':')) + "?" + parameters;
    target.lookup = [&io](const std::string&, const std::function<void(PgAddresses)>& done) {
      net::post(io, [done] { done(std::vector<std::string>{"127.0.0.1"}); });
    };
    PgStore store(io.get_executor(), target);
    std::optional<std::string> end;
    spawn(io.get_executor(), "open", [&]() -> awaitable<void> {
      try {
        co_await store.open();
        end = "";
      } catch (const StoreError& error) {
        end = error.what();
      }
    });
    EXPECT_TRUE(wait_until([&] {
      io.restart();
      io.run_for(Millis{5});
      return end.has_value();
    }));
    return end.value_or("it never ended");
  }
  static std::string verify_full(const char* authority) {
    return std::string("sslmode=verify-full&sslrootcert=") + certificates().file(authority);
  }
};

TEST_F(PostgresTlsTest, TheServerIsWhoItSaysItIs) {
  EXPECT_EQ(opened("rollwatch", verify_full("ours.pem")), "")
      << "the name in the address is held against the certificate, though it was looked up here";
}

TEST_F(PostgresTlsTest, WhatIsSaidOfAServerThatIsNot) {
  struct Row {
    std::string name, parameters, host, why, advice;
  };
  const std::vector<Row> rows = {
      {"signed by another authority", verify_full("other.pem"), "db.test",
       "certificate verify failed",
       "sslrootcert in store.url must name the certificate of the authority"},
      {"made out to another name", verify_full("ours.pem"), "other.test",
       "does not match host name",
       "the host in store.url must be a name that the server's certificate is made out to"},
      {"no such file", verify_full("missing.pem"), "db.test", "missing.pem\" does not exist",
       "Either provide the file"},
      {"it insists on TLS", "sslmode=disable", "db.test", "no pg_hba.conf entry",
       "pg_hba.conf of the server must let this user in"},
  };
  for (const Row& row : rows)
    EXPECT_THAT(opened("rollwatch", row.parameters, row.host),
                AllOf(HasSubstr("the PostgreSQL store could not be opened: "), HasSubstr(row.why),
                      HasSubstr(row.advice)))
        << row.name;
}

TEST_F(PostgresTlsTest, APasswordIsTakenFromWhereverLibpqTakesIt) {
  const TempDir folder;
  const std::string file = (folder / "pgpass").string();
  std::string quoted;
  for (const char c : std::string(kPassword)) quoted += c == ':' ? "\\:" : std::string(1, c);
  write_file(file, "db.test:*:secretive:secretive:" + quoted + "\n");
  std::filesystem::permissions(file, std::filesystem::perms(0600));
  const std::string tls = verify_full("ours.pem");

  EXPECT_THAT(opened("secretive", tls), AllOf(HasSubstr("no password supplied"),
                                              HasSubstr("the file that passfile in store.url or "
                                                        "PGPASSFILE names")));
  EXPECT_EQ(opened("secretive", tls + "&passfile=" + file), "")
      << "its lines are found by the host's name, though its address is what is called";
  setenv("PGPASSFILE", file.c_str(), 1);
  EXPECT_EQ(opened("secretive", tls), "");
  unsetenv("PGPASSFILE");
  setenv("PGPASSWORD", kPassword, 1);
  EXPECT_EQ(opened("secretive", tls), "");
  unsetenv("PGPASSWORD");
  EXPECT_EQ(opened(std::string("secretive:") + kPasswordInUrl, tls), "");
}

TEST_F(PostgresTlsTest, APasswordThatIsRefusedIsNotTold) {
  const TempDir folder;
  const std::string file = (folder / "pgpass").string();
  write_file(file, "*:*:*:*:geheim\n");
  std::filesystem::permissions(file, std::filesystem::perms(0600));
  for (const std::string& refused :
       {opened("secretive:geheim", verify_full("ours.pem")),
        opened("secretive", verify_full("ours.pem") + "&passfile=" + file),
        opened("secretive:geheim", verify_full("other.pem")),
        opened("secretive:geheim", "sslmode=disable")})
    EXPECT_THAT(refused, AllOf(HasSubstr("could not be opened"), Not(HasSubstr("geheim"))));
}

}  // namespace
}  // namespace rollwatch
