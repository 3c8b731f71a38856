#include "daemon/http/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/system/system_error.hpp>

#include "test/http/client_fixture.h"
#include "test/support/fake_server.h"
#include "test/support/process.h"

namespace rollwatch {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string gzip(const std::string& text) {
  const TempDir directory;
  write_file(directory / "text", text);
  return run_program({{"gzip", "-c", (directory / "text").string()}, {}, ""}).output;
}

std::string gzip_answer(const std::string& text) {
  return http_answer(200, "text/plain", gzip(text), "Content-Encoding: gzip\r\n");
}

TEST_F(HttpClientTest, EveryWayAServerCanAnswerOrNot) {
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
  const auto says_and_hangs = [](std::string bytes) {
    return [bytes](FakeConnection& c) { c.send(bytes), c.hang(); };
  };
  const auto says_slowly = [](std::string bytes) {
    return [bytes](FakeConnection& c) {
      for (const char& byte : bytes) {
        if (!c.send({&byte, 1}) || c.closed_within(Millis{20})) return;
      }
      c.hang();
    };
  };
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: ";
  const Row rows[] = {
      {"an answer", says(http_answer(200, "text/plain", "hello")), HttpError::kNone, 200, "",
       "hello"},
      {"an empty one", says(http_answer(204, "text/plain", "")), HttpError::kNone, 204, "", ""},
      {"an error status is an answer", says(http_answer(503, "text/plain", "no")), HttpError::kNone,
       503, "", "no"},
      {"without a length, until it hangs up", says("HTTP/1.1 200 OK\r\n\r\nto the end"),
       HttpError::kNone, 200, "", "to the end"},
      {"chunked",
       says(
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"),
       HttpError::kNone, 200, "", "abcde"},
      {"gzip", says(gzip_answer("packed")), HttpError::kNone, 200, "", "packed"},
      {"continue first",
       says("HTTP/1.1 100 Continue\r\nX: 1\r\n\r\n" + http_answer(200, "text/plain", "then")),
       HttpError::kNone, 200, "", "then"},
      {"a redirect is not followed",
       says(http_answer(302, "text/plain", "", "Location: http://127.0.0.1:1/\r\n")),
       HttpError::kNone, 302, "", ""},
      {"hangs up without a word", [](FakeConnection&) {}, HttpError::kUnreachable, 0,
       "HOST closed the connection without an answer", ""},
      {"hangs up in the headers", says("HTTP/1.1 200 OK\r\nContent-"), HttpError::kUnreachable, 0,
       "HOST", ""},
      {"only continues", says("HTTP/1.1 100 Continue\r\n\r\n"), HttpError::kUnreachable, 0, "HOST",
       ""},
      {"another status mid-head", says("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"),
       HttpError::kUnreachable, 0, "HOST", ""},
      {"hangs up mid-answer", says(head + "100\r\n\r\nabc"), HttpError::kUnreachable, 200,
       "HOST closed the connection before the answer was complete", ""},
      {"resets mid-answer", [&](FakeConnection& c) { c.send(head + "100\r\n\r\nabc"), c.reset(); },
       HttpError::kUnreachable, 200, "HOST", ""},
      {"hangs up mid-chunk", says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc"),
       HttpError::kUnreachable, 200, "HOST", ""},
      {"garbage", says("\x01\x02\x03garbage\r\n\r\n"), HttpError::kUnreachable, 0,
       "HOST did not answer in HTTP", ""},
      {"garbage as a length", says(head + "minus two\r\n\r\n"), HttpError::kUnreachable, 0, "HOST",
       ""},
      {"garbage in chunks", says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc"),
       HttpError::kUnreachable, 200, "HOST", ""},
      {"garbage as gzip",
       says(http_answer(200, "text/plain", "not gzip", "Content-Encoding: gzip\r\n")),
       HttpError::kUnreachable, 200, "the compressed answer of HOST could not be read", ""},
      {"an encoding nobody asked for",
       says(http_answer(200, "text/plain", "?", "Content-Encoding: x-y\r\n")),
       HttpError::kUnreachable, 200, "the compressed answer of HOST could not be read", ""},
      {"hangs", [](FakeConnection& c) { c.hang(); }, HttpError::kTimeout, 0,
       "no answer from HOST within 150ms", "", brief},
      {"hangs mid-answer", says_and_hangs(head + "9\r\n\r\nabc"), HttpError::kTimeout, 200,
       "no complete answer from HOST within 150ms", "", brief},
      {"headers drop by drop",
       says_slowly("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nX: y\r\nZ: z\r\n\r\nx"),
       HttpError::kTimeout, 0, "no answer from HOST within 150ms", "", brief},
      {"a status line drop by drop", says_slowly("HTTP/1.1 200 " + std::string(100, 'x')),
       HttpError::kTimeout, 0, "no answer from HOST within 150ms", "", brief},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    FakeServer server([&](FakeConnection& c) {
      c.read_request();
      row.after_request(c);
    });
    HttpRequest request = get(server.url() + "/secret-path?secret=1");
    request.timeout = row.timeout;
    const HttpResponse response = send(request);
    std::string text = row.text;
    const std::string host = "127.0.0.1:" + std::to_string(server.port());
    if (const auto at = text.find("HOST"); at != std::string::npos) text.replace(at, 4, host);
    EXPECT_EQ(response.error, row.error) << response.error_text;
    EXPECT_EQ(response.status, row.status);
    EXPECT_THAT(response.error_text, HasSubstr(text));
    EXPECT_THAT(response.error_text, Not(HasSubstr("secret")));
    EXPECT_EQ(response.error_text.empty(), row.error == HttpError::kNone);
    EXPECT_EQ(response.body, row.body);
  }
}

TEST_F(HttpClientTest, SendsTheRequestAsGiven) {
  struct Row {
    const char* name;
    std::string method, body;
    std::string first_line;
    bool has_length;
  };
  const Row rows[] = {
      {"get", "GET", "", "GET /p?q=1 HTTP/1.1\r\n", false},
      {"post", "POST", "a=1", "POST /p?q=1 HTTP/1.1\r\n", true},
      {"post of nothing", "POST", "", "POST /p?q=1 HTTP/1.1\r\n", true},
      {"post with a zero byte", "POST", std::string("a\0b", 3), "POST /p?q=1 HTTP/1.1\r\n", true},
      {"post of much", "POST", std::string(3 << 20, 'x'), "POST /p?q=1 HTTP/1.1\r\n", true},
      {"put", "PUT", "{}", "PUT /p?q=1 HTTP/1.1\r\n", true},
      {"patch of nothing", "PATCH", "", "PATCH /p?q=1 HTTP/1.1\r\n", true},
      {"delete", "DELETE", "", "DELETE /p?q=1 HTTP/1.1\r\n", false},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    std::string received;
    FakeServer server([&](FakeConnection& c) {
      received = c.read_request();
      c.send(http_answer(200, "text/plain", "ok", "X-Case: Kept \r\n"));
    });
    HttpRequest request = get(server.url() + "/p?q=1");
    request.method = row.method;
    request.body = row.body;
    request.headers = {{"X-One", Secret("1")}, {"X-Empty", Secret("")}};
    const HttpResponse response = send(request);
    EXPECT_EQ(response.status, 200) << response.error_text;
    EXPECT_EQ(response.header("x-case"), "Kept");
    EXPECT_EQ(response.header("x-other"), std::nullopt);
    EXPECT_THAT(received, StartsWith(row.first_line));
    EXPECT_THAT(received, HasSubstr("X-One: 1\r\n"));
    EXPECT_THAT(received, HasSubstr("X-Empty:\r\n"));
    EXPECT_THAT(received, Not(HasSubstr("Expect:")));
    EXPECT_THAT(received, Not(HasSubstr("Content-Type:")));
    EXPECT_EQ(received.find("Content-Length:") != std::string::npos, row.has_length);
    EXPECT_EQ(received.substr(received.find("\r\n\r\n") + 4), row.body);
  }
}

TEST_F(HttpClientTest, AHeadRequestHasNoBody) {
  FakeServer server([](FakeConnection& c) {
    c.read_request();
    c.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
    c.hang();
  });
  HttpRequest request = get(server.url());
  request.method = "HEAD";
  EXPECT_EQ(send(request).error, HttpError::kNone);
}

TEST_F(HttpClientTest, WhatCannotBeSentIsRefusedWithoutConnecting) {
  struct Row {
    const char* name;
    std::string url, header, value, text;
    Millis timeout{1000};
  };
  const Row rows[] = {
      {"no url", "", "", "", "not a URL"},
      {"no scheme", "localhost:9090/hunter2", "", "", "not a URL"},
      {"another scheme", "ftp://localhost/hunter2", "", "", "must begin with http:// or https://"},
      {"a file", "file:///etc/passwd", "", "", "must begin with http:// or https://"},
      {"a port that is none", "http://localhost:hunter2/", "", "", "not a URL"},
      {"a space in the address", "http://local host/", "", "", "not a URL"},
      {"a line break in a header", "http://127.0.0.1:1/", "X", "a\r\nhunter2: b",
       "a header contains a line break"},
      {"a line break in a name", "http://127.0.0.1:1/", "X\nhunter2", "a",
       "a header contains a line break"},
      {"no time left", "http://127.0.0.1:1/", "", "", "no time was left to ask 127.0.0.1:1",
       Millis{0}},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    HttpRequest request = get(row.url);
    request.timeout = row.timeout;
    if (!row.header.empty()) request.headers.emplace_back(row.header, Secret(row.value));
    const HttpResponse response = send(request);
    EXPECT_EQ(response.error,
              row.timeout == Millis{0} ? HttpError::kTimeout : HttpError::kUnreachable);
    EXPECT_THAT(response.error_text, HasSubstr(row.text));
    EXPECT_THAT(response.error_text, Not(HasSubstr("hunter2")));
  }
}

TEST_F(HttpClientTest, NobodyThereIsSaidWithTheHostAndWithoutSecrets) {
  struct Row {
    const char* name;
    std::string url, text;
  };
  const std::string port = std::to_string(free_port());
  const Row rows[] = {
      {"refused", "http://user:hunter2@127.0.0.1:" + port + "/hunter2?x=hunter2",
       "could not connect to 127.0.0.1:" + port + ": Connection refused"},
      {"no such host", "http://user:hunter2@no-such-host.invalid/hunter2",
       "the host name of no-such-host.invalid:80 could not be resolved"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const HttpResponse response = send(get(row.url));
    EXPECT_EQ(response.error, HttpError::kUnreachable);
    EXPECT_EQ(response.status, 0);
    EXPECT_EQ(response.error_text, row.text);
  }
}

TEST_F(HttpClientTest, AnAnswerIsBoundedAfterUnpacking) {
  struct Row {
    const char* name;
    std::string answer;
    bool truncate;
    HttpError error;
    std::size_t kept;
    int status = 200;
  };
  const std::string big(200'000, 'x');
  const auto endless = "HTTP/1.1 200 OK\r\n\r\n" + big;
  const Row rows[] = {
      {"exactly as much", http_answer(200, "text/plain", std::string(1000, 'x')), false,
       HttpError::kNone, 1000},
      {"one byte more", http_answer(200, "text/plain", std::string(1001, 'x')), false,
       HttpError::kTooLarge, 0},
      {"one byte more, cut", http_answer(200, "text/plain", std::string(1001, 'x')), true,
       HttpError::kNone, 1000},
      {"without a length", endless, false, HttpError::kTooLarge, 0},
      {"without a length, cut", endless, true, HttpError::kNone, 1000},
      {"small when packed", gzip_answer(big), false, HttpError::kTooLarge, 0},
      {"small when packed, cut", gzip_answer(big), true, HttpError::kNone, 1000},
      {"long headers", "HTTP/1.1 200 OK\r\nX: " + std::string(70'000, 'y') + "\r\n\r\n", true,
       HttpError::kTooLarge, 0, 0},
      {"many headers",
       http_answer(200, "text/plain", "",
                   [] {
                     std::string many;
                     for (int i = 0; i < 300; ++i) many += "X-" + std::to_string(i) + ": 1\r\n";
                     return many;
                   }()),
       true, HttpError::kTooLarge, 0, 0},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    FakeServer server([&](FakeConnection& c) {
      c.read_request();
      c.send(row.answer);
      c.hang();
    });
    HttpRequest request = get(server.url());
    request.max_answer = 1000;
    request.truncate = row.truncate;
    const HttpResponse response = send(request);
    EXPECT_EQ(response.error, row.error) << response.error_text;
    EXPECT_EQ(response.status, row.status);
    EXPECT_EQ(response.body.size(), row.kept);
  }
}

TEST_F(HttpClientTest, ConnectionsAreKeptForTheNextRequest) {
  FakeServer server([](FakeConnection& c) {
    while (!c.read_request().empty()) c.send(http_answer(200, "text/plain", "ok"));
  });
  for (int i = 0; i < 20; ++i) EXPECT_EQ(send(get(server.url())).body, "ok");
  EXPECT_EQ(server.accepted(), 1);
}

TEST_F(HttpClientTest, AConnectionThatDiedMeanwhileIsReplaced) {
  FakeServer server([](FakeConnection& c) {
    c.read_request();
    c.send(http_answer(200, "text/plain", "ok"));
  });
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(send(get(server.url())).body, "ok");
    EXPECT_TRUE(wait_until([&] { return server.open() == 0; }));
  }
  EXPECT_EQ(server.accepted(), 5);
}

TEST_F(HttpClientTest, ManyAtOnceDoNotWaitForEachOther) {
  constexpr int kCount = 100;
  std::atomic<int> asked = 0;
  FakeServer server([&](FakeConnection& c) {
    c.read_request();
    ++asked;
    // Nobody is answered before everybody has asked.
    wait_until([&] { return asked == kCount; });
    c.send(http_answer(200, "text/plain", std::string(100'000, 'x')));
  });
  std::vector<std::optional<HttpResponse>> answers(kCount);
  for (auto& answer : answers) begin(get(server.url()), answer);
  run_until(io_, [&] {
    return std::all_of(answers.begin(), answers.end(),
                       [](const auto& answer) { return answer.has_value(); });
  });
  for (const auto& answer : answers) EXPECT_EQ(answer->body.size(), 100'000u) << answer->error_text;
}

TEST_F(HttpClientTest, OneThatHangsDelaysNoOther) {
  FakeServer hanging([](FakeConnection& c) { c.hang(); });
  FakeServer fine([](FakeConnection& c) {
    while (!c.read_request().empty()) c.send(http_answer(200, "text/plain", "ok"));
  });
  std::optional<HttpResponse> stuck;
  begin(get(hanging.url()), stuck);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(send(get(fine.url())).body, "ok");
  EXPECT_FALSE(stuck.has_value());
}

TEST_F(HttpClientTest, StopEndsWhatIsOutAndWhatComesLater) {
  FakeServer server([](FakeConnection& c) { c.hang(); });
  std::optional<HttpResponse> answer;
  begin(get(server.url()), answer);
  run_until(io_, [&] { return server.open() == 1; });
  client_.stop();
  run_until(io_, [&] { return answer.has_value(); });
  EXPECT_EQ(answer->error, HttpError::kCancelled);
  EXPECT_EQ(send(get(server.url())).error, HttpError::kCancelled);
  EXPECT_TRUE(wait_until([&] { return server.open() == 0; })) << "the connection is closed";
}

TEST_F(HttpClientTest, CancellingTheCoroutineAbandonsTheTransfer) {
  FakeServer server([](FakeConnection& c) { c.hang(); });
  net::cancellation_signal cancel;
  bool aborted = false;
  const auto note = [&](std::exception_ptr failure) {
    try {
      if (failure) std::rethrow_exception(failure);
    } catch (const boost::system::system_error& error) {
      aborted = error.code() == net::error::operation_aborted;
    }
  };
  net::co_spawn(
      io_,
      [&]() -> awaitable<void> {
        HttpRequest request = get(server.url());
        co_await client_.send(std::move(request));
      },
      net::bind_cancellation_slot(cancel.slot(), note));
  run_until(io_, [&] { return server.open() == 1; });
  cancel.emit(net::cancellation_type::terminal);
  run_until(io_, [&] { return aborted; });
  EXPECT_TRUE(wait_until([&] { return server.open() == 0; })) << "the connection is closed";
}

TEST_F(HttpClientTest, AClientMayEndBeforeItsTransfers) {
  FakeServer server([](FakeConnection& c) { c.hang(); });
  auto client = std::make_unique<HttpClient>(io_.get_executor());
  std::optional<HttpResponse> answer;
  spawn(io_.get_executor(), "test", [&, raw = client.get()]() -> awaitable<void> {
    HttpRequest request = get(server.url());
    answer = co_await raw->send(std::move(request));
  });
  run_until(io_, [&] { return server.open() == 1; });
  client.reset();
  run_until(io_, [&] { return answer.has_value(); });
  EXPECT_EQ(answer->error, HttpError::kCancelled);
}

TEST_F(HttpClientTest, TheEnvironmentsProxyIsNotUsed) {
  FakeServer server([](FakeConnection& c) {
    c.read_request();
    c.send(http_answer(200, "text/plain", "direct"));
  });
  setenv("http_proxy", "http://127.0.0.1:1", 1);
  EXPECT_EQ(send(get(server.url())).body, "direct");
  unsetenv("http_proxy");
}

}  // namespace
}  // namespace rollwatch
