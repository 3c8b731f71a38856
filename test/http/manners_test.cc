#include "daemon/http/manners.h"

#include <gmock/gmock.h>
#include <zlib.h>

#include "test/http/server_fixture.h"

namespace rollwatch {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

std::string unpacked(const std::string& packed) {
  std::string text(1 << 20, '\0');
  std::string copy = packed;
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 16 + MAX_WBITS), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(copy.data());
  stream.avail_in = static_cast<uInt>(copy.size());
  stream.next_out = reinterpret_cast<Bytef*>(text.data());
  stream.avail_out = static_cast<uInt>(text.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  text.resize(stream.total_out);
  inflateEnd(&stream);
  return text;
}

std::string of(const ServerResponse& response, const std::string& name) {
  for (const auto& [key, value] : response.headers)
    if (key == name) return value;
  return "";
}

ServerRequest asked_with(Headers headers) {
  ServerRequest request;
  request.headers = std::move(headers);
  return request;
}

ServerResponse answered_with(const std::string& type, std::string body) {
  ServerResponse response;
  response.headers = {{"Content-Type", type}, {"ETag", "\"r5\""}};
  response.body = std::move(body);
  return response;
}

TEST(RequestIds, OneThatIsSaneIsKeptAndOthersAreReplaced) {
  const struct Row {
    const char* given;
    bool kept;
  } rows[] = {
      {"abc-123", true},
      {"Root=1-67891233-abcdef012345678912345678", true},
      {"", false},
      {"two words", false},
      {"line\nbreak", false},
      {"h\xc3\xa4", false},
      {R"({"a":1})", false},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.given);
    ServerRequest request = asked_with({{"x-request-id", row.given}, {"x-request-id", "other"}});
    const Manners manners(request);
    EXPECT_EQ(manners.request_id() == row.given, row.kept);
    EXPECT_EQ(request.header("x-request-id"), manners.request_id()) << "for logs and other nodes";
    EXPECT_EQ(request.headers.size(), 1);
    ServerResponse response;
    manners.finish(response);
    EXPECT_EQ(of(response, "X-Request-Id"), manners.request_id());
  }
  ServerRequest longest = asked_with({{"x-request-id", std::string(128, 'a')}});
  EXPECT_EQ(Manners(longest).request_id(), std::string(128, 'a'));
  ServerRequest longer = asked_with({{"x-request-id", std::string(129, 'a')}});
  EXPECT_THAT(Manners(longer).request_id(), MatchesRegex("[0-9a-f]{16}-[0-9a-f]+"));
  EXPECT_NE(new_request_id(), new_request_id());
}

TEST(Gzip, IsForThoseWhoAcceptIt) {
  const struct Row {
    const char* header;
    bool accepted;
  } rows[] = {
      {"", false},
      {"gzip", true},
      {"GZIP", true},
      {"br, gzip;q=0.5", true},
      {"deflate, br", false},
      {"gzip;q=0", false},
      {"gzip;q=0.000, *", false},
      {"gzip ; q=0.1", true},
      {"*", true},
      {"*;q=0", false},
      {"identity, *;q=0.2", true},
      {"x-gzip", true},
      {"gzippy", false},
  };
  for (const Row& row : rows) EXPECT_EQ(accepts_gzip(row.header), row.accepted) << row.header;
}

TEST(Gzip, CompressesLongTextAndNothingElse) {
  const std::string text(2000, 'a');
  const auto finished = [](ServerResponse response, bool accepts) {
    ServerRequest request = asked_with(accepts ? Headers{{"accept-encoding", "gzip"}} : Headers{});
    Manners(request).finish(response);
    return response;
  };
  const ServerResponse packed = finished(answered_with("application/json", text), true);
  EXPECT_EQ(of(packed, "Content-Encoding"), "gzip");
  EXPECT_EQ(of(packed, "Vary"), "Accept-Encoding");
  EXPECT_EQ(of(packed, "ETag"), "W/\"r5\"") << "a strong one names other bytes";
  EXPECT_LT(packed.body.size(), 100);
  EXPECT_EQ(unpacked(packed.body), text);

  const ServerResponse plain = finished(answered_with("application/json", text), false);
  EXPECT_EQ(of(plain, "Content-Encoding"), "");
  EXPECT_EQ(of(plain, "Vary"), "Accept-Encoding") << "a cache must tell them apart";
  EXPECT_EQ(of(plain, "ETag"), "\"r5\"");
  EXPECT_EQ(plain.body, text);

  EXPECT_EQ(
      of(finished(answered_with("text/plain; version=0.0.4", text), true), "Content-Encoding"),
      "gzip");
  EXPECT_EQ(of(finished(answered_with("image/png", text), true), "Content-Encoding"), "");
  ServerResponse already = answered_with("text/css", text);
  already.headers.emplace_back("Content-Encoding", "gzip");
  EXPECT_EQ(finished(already, true).body, text) << "what is compressed is not once more";
  EXPECT_EQ(of(finished(already, true), "ETag"), "\"r5\"");
  const ServerResponse small = finished(answered_with("application/json", "{}"), true);
  EXPECT_EQ(of(small, "Content-Encoding"), "");
  EXPECT_EQ(small.body, "{}");
}

TEST(Gzip, GoesOutWithTheLengthOfWhatIsSent) {
  RunningServer server([](ServerRequest) -> awaitable<ServerResponse> {
    co_return answered_with("application/json", std::string(2000, 'a'));
  });
  RawClient client(server.address);
  client.send(
      "GET / HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\nX-Request-Id: mine\r\n"
      "Connection: close\r\n\r\n");
  const std::string all = client.read_all();
  const std::size_t end = all.find("\r\n\r\n") + 4;
  const std::string head = all.substr(0, end), body = all.substr(end);
  EXPECT_THAT(head, HasSubstr("Content-Length: " + std::to_string(body.size()) + "\r\n"));
  EXPECT_THAT(head, HasSubstr("X-Request-Id: mine\r\n"));
  EXPECT_EQ(unpacked(body), std::string(2000, 'a'));
}

TEST(RequestIds, AreInAnswersTheServerMakesItself) {
  RunningServer server([](ServerRequest) -> awaitable<ServerResponse> {
    throw std::runtime_error("words of our own");
    co_return ServerResponse();
  });
  RawClient broken(server.address);
  broken.send("GET / HTTP/1.1\r\nHost: x\r\nX-Request-Id: mine\r\nConnection: close\r\n\r\n");
  const std::string failed = broken.read_all();
  EXPECT_THAT(failed, HasSubstr("HTTP/1.1 500"));
  EXPECT_THAT(failed, HasSubstr("X-Request-Id: mine\r\n"));
  EXPECT_THAT(failed, Not(HasSubstr("words of our own")));
  RawClient nonsense(server.address);
  nonsense.send("GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(nonsense.read_all(), HasSubstr("X-Request-Id: "));
}

}  // namespace
}  // namespace rollwatch
