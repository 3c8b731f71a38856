#include "daemon/http/keep_alive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "daemon/net/system_clock.h"
#include "test/http/tls_server.h"
#include "test/support/fake_server.h"
#include "test/support/run.h"

namespace rollwatch {
namespace {

using ::testing::HasSubstr;

const HttpClientLibrary keep_alive_library;

class KeepAliveTest : public ::testing::Test, public TlsServer {
 protected:
  KeepAliveClient& connect(const std::string& url, TlsOptions tls = {}) {
    client_.emplace(io_.get_executor(), clock_, read_base_url(url).value(), std::move(tls));
    return *client_;
  }

  // Answers have a place for each, filled when it is there.
  void send(Millis timeout = Millis{20'000}, std::size_t max_answer = 1 << 20) {
    answers_.emplace_back();
    KeptRequest request;
    request.bytes = "GET /q HTTP/1.1\r\nHost: " + client_->server().header + "\r\n\r\n";
    request.timeout = timeout;
    request.max_answer = max_answer;
    request.done = [this, i = answers_.size() - 1](KeptAnswer answer) {
      ASSERT_FALSE(answers_[i].has_value()) << "answered twice";
      answers_[i] = std::move(answer);
    };
    client_->send(std::move(request));
    EXPECT_FALSE(answers_.back().has_value()) << "never from within send()";
  }

  void wait_for_all() {
    run_until(io_, [this] {
      return std::all_of(answers_.begin(), answers_.end(),
                         [](const auto& answer) { return answer.has_value(); });
    });
  }

  KeptAnswer ask(Millis timeout = Millis{20'000}, std::size_t max_answer = 1 << 20) {
    send(timeout, max_answer);
    wait_for_all();
    return *answers_.back();
  }

  net::io_context io_;
  SystemClock clock_;
  std::optional<KeepAliveClient> client_;
  std::vector<std::optional<KeptAnswer>> answers_;
};

const std::string kOk = http_answer(200, "text/plain", "ok");

void answers_ok(FakeConnection& c) {
  while (!c.read_request().empty()) c.send(kOk);
}

TEST(BaseUrls, AreReadOrRefused) {
  struct Row {
    std::string url;
    std::string read;  // "host port path name header", with "tls " before; "": refused
  };
  const Row rows[] = {
      {"http://prom:9090", "prom 9090  prom:9090 prom:9090"},
      {"HTTP://prom/", "prom 80  prom:80 prom"},
      {"https://prom.example/base/", "tls prom.example 443 /base prom.example:443 prom.example"},
      {"http://[::1]:9090/x", "::1 9090 /x [::1]:9090 [::1]:9090"},
      {"https://[::1]", "tls ::1 443  [::1]:443 [::1]"},
      {"ftp://prom", ""},
      {"prom:9090", ""},
      {"http://", ""},
      {"http://user@prom", ""},
      {"http://prom?x=1", ""},
      {"http://prom#x", ""},
      {"http://prom:0", ""},
      {"http://prom:66000", ""},
      {"http://prom:90x", ""},
      {"http://[::1", ""},
      {"http://[::1]x", ""},
      {"http://a b", ""},
      {"http://a\r\nb", ""},
  };
  for (const Row& row : rows) {
    const auto base = read_base_url(row.url);
    const std::string read = base ? (base->is_tls ? "tls " : "") + base->host + " " + base->port +
                                        " " + base->path + " " + base->name + " " + base->header
                                  : "";
    EXPECT_EQ(read, row.read) << row.url;
  }
}

TEST_F(KeepAliveTest, EveryWayAServerCanAnswerOrNot) {
  struct Row {
    const char* name;
    std::function<void(FakeConnection&)> after_request;
    HttpError error;
    int status;
    std::string text;  // HOST stands for host:port
    std::string body;
    Millis timeout{20'000};
  };
  const Millis brief{150};
  const auto says = [](std::string bytes) { return [bytes](FakeConnection& c) { c.send(bytes); }; };
  // Until nobody listens any more.
  const auto endless = [](std::string begin, const std::string& again) {
    std::string block;
    while (block.size() < 60'000) block += again;
    return [begin, block](FakeConnection& c) {
      for (bool listens = c.send(begin); listens;) listens = c.send(block);
    };
  };
  const auto byte_by_byte = [](std::string bytes) {
    return [bytes](FakeConnection& c) {
      for (const char& byte : bytes) {
        if (!c.send({&byte, 1}) || c.closed_within(Millis{1})) return;
      }
      c.hang();
    };
  };
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: ";
  const Row rows[] = {
      {"an answer", says(http_answer(200, "text/plain", "hello")), HttpError::kNone, 200, "",
       "hello"},
      {"byte by byte", byte_by_byte(http_answer(200, "text/plain", "hello")), HttpError::kNone, 200,
       "", "hello"},
      {"an empty one", says(http_answer(204, "text/plain", "")), HttpError::kNone, 204, "", ""},
      {"an error status is an answer", says(http_answer(503, "text/plain", "no")), HttpError::kNone,
       503, "", "no"},
      {"without a length, until it hangs up", says("HTTP/1.1 200 OK\r\n\r\nto the end"),
       HttpError::kNone, 200, "", "to the end"},
      {"chunked",
       says(
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"),
       HttpError::kNone, 200, "", "abcde"},
      {"continue first",
       says("HTTP/1.1 100 Continue\r\nX: 1\r\n\r\n" + http_answer(200, "text/plain", "then")),
       HttpError::kNone, 200, "", "then"},
      {"a redirect is not followed",
       says(http_answer(302, "text/plain", "", "Location: http://127.0.0.1:1/\r\n")),
       HttpError::kNone, 302, "", ""},
      {"compressed without being asked",
       says(http_answer(200, "text/plain", "?", "Content-Encoding: gzip\r\n")),
       HttpError::kUnreachable, 200, "the answer of HOST is compressed", ""},
      {"hangs up without a word", [](FakeConnection&) {}, HttpError::kUnreachable, 0,
       "HOST closed the connection without an answer", ""},
      {"hangs up in the headers", says("HTTP/1.1 200 OK\r\nContent-"), HttpError::kUnreachable, 0,
       "HOST closed the connection before the answer was complete", ""},
      {"only continues", says("HTTP/1.1 100 Continue\r\n\r\n"), HttpError::kUnreachable, 0,
       "HOST closed the connection", ""},
      {"hangs up mid-answer", says(head + "100\r\n\r\nabc"), HttpError::kUnreachable, 200,
       "HOST closed the connection before the answer was complete", ""},
      {"resets mid-answer", [&](FakeConnection& c) { c.send(head + "100\r\n\r\nabc"), c.reset(); },
       HttpError::kUnreachable, 200, "HOST", ""},
      {"hangs up mid-chunk", says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc"),
       HttpError::kUnreachable, 200, "HOST", ""},
      {"garbage", says("\x01\x02\x03garbage\r\n\r\n"), HttpError::kUnreachable, 0,
       "HOST did not answer in HTTP", ""},
      {"garbage as a length", says(head + "minus two\r\n\r\n"), HttpError::kUnreachable, 0,
       "HOST did not answer in HTTP", ""},
      {"garbage in chunks", says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc"),
       HttpError::kUnreachable, 200, "HOST did not answer in HTTP", ""},
      {"headers without end", says("HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x')),
       HttpError::kTooLarge, 0, "the headers of HOST's answer are larger than 64 KiB", ""},
      {"a chunk's header without end",
       endless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=", "x"),
       HttpError::kTooLarge, 200, "a chunk's header in the answer of HOST is larger than 64 KiB",
       ""},
      {"a trailer without end",
       endless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ", "x"),
       HttpError::kTooLarge, 200, "HOST", ""},
      {"nothing but continues", endless("", "HTTP/1.1 100 Continue\r\n\r\n"), HttpError::kTooLarge,
       100, "the headers of HOST's answer are larger than 64 KiB", ""},
      {"hangs", [](FakeConnection& c) { c.hang(); }, HttpError::kTimeout, 0,
       "no answer from HOST within 150ms", "", brief},
      {"hangs mid-answer", [&](FakeConnection& c) { c.send(head + "9\r\n\r\nabc"), c.hang(); },
       HttpError::kTimeout, 200, "no complete answer from HOST within 150ms", "", brief},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    FakeServer server([&](FakeConnection& c) {
      c.read_request();
      row.after_request(c);
    });
    connect(server.url());
    const KeptAnswer answer = ask(row.timeout);
    std::string text = row.text;
    const std::string host = "127.0.0.1:" + std::to_string(server.port());
    if (const auto at = text.find("HOST"); at != std::string::npos) text.replace(at, 4, host);
    EXPECT_EQ(answer.error, row.error) << answer.error_text;
    EXPECT_EQ(answer.status, row.status);
    EXPECT_THAT(answer.error_text, HasSubstr(text));
    EXPECT_EQ(answer.error_text.empty(), row.error == HttpError::kNone);
    EXPECT_EQ(answer.body, row.body);
    client_.reset();
  }
}

TEST_F(KeepAliveTest, AnAnswerIsBounded) {
  FakeServer server([](FakeConnection& c) {
    while (!c.read_request().empty()) c.send(http_answer(200, "text/plain", "12345"));
  });
  connect(server.url());
  EXPECT_EQ(ask(Millis{20'000}, 5).body, "12345");
  const KeptAnswer answer = ask(Millis{20'000}, 4);
  EXPECT_EQ(answer.error, HttpError::kTooLarge);
  EXPECT_THAT(answer.error_text, HasSubstr("is larger than 4 bytes"));
  EXPECT_EQ(ask().body, "12345") << "over another connection";
}

TEST_F(KeepAliveTest, NobodyThereIsSaidWithTheHost) {
  const std::string port = std::to_string(free_port());
  connect("http://127.0.0.1:" + port);
  EXPECT_EQ(ask().error_text, "could not connect to 127.0.0.1:" + port + ": Connection refused");
  connect("http://no-such-host.invalid:1");
  EXPECT_EQ(ask().error_text, "the host name of no-such-host.invalid:1 could not be resolved");
}

TEST_F(KeepAliveTest, ANameIsResolved) {
  FakeServer server(answers_ok);
  connect("http://localhost:" + std::to_string(server.port()));
  EXPECT_EQ(ask().body, "ok");
}

TEST_F(KeepAliveTest, OneConnectionServesThemOneAfterTheOther) {
  FakeServer server(answers_ok);
  connect(server.url());
  for (int i = 0; i < 20; ++i) EXPECT_EQ(ask().body, "ok");
  EXPECT_EQ(server.accepted(), 1);
}

TEST_F(KeepAliveTest, OneThatWasClosedMeanwhileIsReplaced) {
  FakeServer server([](FakeConnection& c) {
    c.read_request();
    c.send(kOk);
  });
  connect(server.url());
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(ask().body, "ok");
    EXPECT_TRUE(wait_until([&] { return server.open() == 0; }));
  }
  EXPECT_EQ(server.accepted(), 5);
}

// The server closes it just when a request goes out on it: that one goes out once more. On a new
// connection it does not, or a server that hangs up on everybody would be asked for ever.
TEST_F(KeepAliveTest, WhatGoesOutOnAClosedConnectionIsSentOnceMore) {
  std::atomic<int> requests = 0;
  FakeServer server([&](FakeConnection& c) {
    c.read_request();
    ++requests;
    c.send(kOk);
    c.read_request();
    ++requests;
  });
  connect(server.url());
  EXPECT_EQ(ask().body, "ok");
  EXPECT_EQ(ask().body, "ok");
  EXPECT_EQ(requests, 3);

  FakeServer hangs_up([&](FakeConnection& c) { c.read_request(); });
  connect(hangs_up.url());
  EXPECT_EQ(ask().error, HttpError::kUnreachable);
  EXPECT_EQ(hangs_up.accepted(), 1);
}

// HTTP/1.0, "Connection: close", and bytes that nobody asked for.
TEST_F(KeepAliveTest, AConnectionThatIsNotToBeUsedAgainIsNot) {
  for (const std::string& says :
       {std::string("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"),
        http_answer(200, "text/plain", "ok", "Connection: close\r\n"), kOk + "more"}) {
    FakeServer server([&](FakeConnection& c) {
      while (!c.read_request().empty()) c.send(says);
    });
    connect(server.url());
    EXPECT_EQ(ask().body, "ok");
    EXPECT_EQ(ask().body, "ok");
    EXPECT_EQ(server.accepted(), 2) << says;
    client_.reset();
  }
}

TEST_F(KeepAliveTest, ManyAtOnceDoNotWaitForEachOther) {
  constexpr int kCount = 100;
  std::atomic<int> asked = 0;
  FakeServer server([&](FakeConnection& c) {
    while (!c.read_request().empty()) {
      ++asked;
      // Nobody is answered before everybody has asked.
      wait_until([&] { return asked >= kCount; });
      c.send(http_answer(200, "text/plain", std::string(100'000, 'x')));
    }
  });
  connect(server.url());
  for (int i = 0; i < kCount; ++i) send();
  wait_for_all();
  for (const auto& answer : answers_)
    EXPECT_EQ(answer->body.size(), 100'000U) << answer->error_text;
  for (int i = 0; i < kCount; ++i) send();
  wait_for_all();
  EXPECT_EQ(server.accepted(), kCount) << "they are used again";
}

TEST_F(KeepAliveTest, TimeOutsEndEachAtItsOwnTime) {
  FakeServer server([](FakeConnection& c) { c.hang(); });
  connect(server.url());
  send(Millis{20'000});
  send(Millis{300});
  send(Millis{50});
  run_until(io_, [this] { return answers_[1].has_value(); });
  EXPECT_TRUE(answers_[2].has_value());
  EXPECT_FALSE(answers_[0].has_value());
  for (const std::size_t i : {1U, 2U}) EXPECT_EQ(answers_[i]->error, HttpError::kTimeout);
}

TEST_F(KeepAliveTest, ALargeRequestIsSentWhole) {
  const std::string body(4'000'000, 'b');
  std::atomic<std::size_t> received = 0;
  FakeServer server([&](FakeConnection& c) {
    const std::string request = c.read_request();
    received = request.size() - request.find("\r\n\r\n") - 4;
    c.send(kOk);
  });
  connect(server.url());
  std::optional<KeptAnswer> answer;
  KeptRequest request;
  request.bytes = "POST /q HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) +
                  "\r\n\r\n" + body;
  request.done = [&](KeptAnswer given) { answer = std::move(given); };
  client_->send(std::move(request));
  run_until(io_, [&] { return answer.has_value(); });
  EXPECT_EQ(answer->body, "ok") << answer->error_text;
  EXPECT_EQ(received, body.size());
}

TEST_F(KeepAliveTest, MayEndWhileRequestsAreOut) {
  FakeServer server([](FakeConnection& c) { c.hang(); });
  connect(server.url());
  send();
  run_until(io_, [&] { return server.open() == 1; });
  client_.reset();
  EXPECT_TRUE(wait_until([&] { return server.open() == 0; })) << "the connection is closed";
  io_.poll();
  EXPECT_FALSE(answers_[0].has_value());
}

TEST_F(KeepAliveTest, OnlyWhoIsTrustedIsAsked) {
  make_certificate("server", "IP:127.0.0.1");
  make_certificate("elsewhere", "DNS:elsewhere.example");
  struct Row {
    const char* name;
    std::string certificate;
    TlsOptions tls;
    std::string text;  // "": answered
  };
  const Row rows[] = {
      {"unknown authority", "server", {}, "certificate is not trusted"},
      {"its own authority", "server", {file("server.crt"), "", "", false}, ""},
      {"another's name",
       "elsewhere",
       {file("elsewhere.crt"), "", "", false},
       "certificate is not trusted"},
      {"not verified on request", "elsewhere", {"", "", "", true}, ""},
      {"an authority that is no file", "server", {file("none.crt"), "", "", false}, "none.crt"},
      {"a client certificate that is no file",
       "server",
       {file("server.crt"), file("no.crt"), file("no.key"), false},
       "no.crt"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    connect(start(row.certificate, {}), row.tls);
    const KeptAnswer answer = ask();
    EXPECT_EQ(answer.error, row.text.empty() ? HttpError::kNone : HttpError::kUnreachable)
        << answer.error_text;
    EXPECT_THAT(answer.error_text, HasSubstr(row.text));
    client_.reset();
  }
}

TEST_F(KeepAliveTest, AClientCertificateIsShown) {
  make_certificate("server", "IP:127.0.0.1");
  make_certificate("client", "DNS:client");
  const std::string url =
      start("server", {"-Verify", "1", "-verify_return_error", "-CAfile", file("client.crt")});
  TlsOptions tls;
  tls.ca_file = file("server.crt");
  connect(url, tls);
  EXPECT_EQ(ask().error, HttpError::kUnreachable);
  tls.cert_file = file("client.crt");
  tls.key_file = file("client.key");
  connect(url, tls);
  const KeptAnswer answer = ask();
  EXPECT_EQ(answer.status, 200) << answer.error_text;
}

}  // namespace
}  // namespace rollwatch
