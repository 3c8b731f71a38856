#include "test/api/api_fixture.h"

#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <nlohmann/json.hpp>

namespace rollwatch {

ServerResponse ApiTest::ask(const std::string& method, const std::string& target,
                            const std::string& body, Headers headers) {
  ServerRequest request;
  request.method = method;
  EXPECT_TRUE(read_target(target, request));
  request.headers = std::move(headers);
  request.body = body;
  request.peer = "192.0.2.7";
  request.wanted = wanted;
  std::optional<ServerResponse> answer;
  std::exception_ptr failure;
  net::co_spawn(
      io_, [&]() -> awaitable<void> { answer = co_await api.answer(std::move(request)); },
      [&](std::exception_ptr thrown) { failure = thrown; });
  io_.restart();
  io_.run();
  if (failure) std::rethrow_exception(failure);
  return answer.value();
}

nlohmann::json ApiTest::get(const std::string& target, int status) {
  const ServerResponse response = ask("GET", target);
  EXPECT_EQ(response.status, status) << response.body;
  return nlohmann::json::parse(response.body);
}

std::string ApiTest::header(const ServerResponse& response, const std::string& name) {
  for (const auto& [key, value] : response.headers)
    if (key == name) return value;
  return "";
}

std::string ApiTest::problem_of(const ServerResponse& response) {
  EXPECT_EQ(header(response, "Content-Type"), "application/problem+json") << response.body;
  const auto body = nlohmann::json::parse(response.body);
  EXPECT_EQ(body.at("status"), response.status);
  std::string text = std::to_string(response.status);
  for (const auto& error : body.value("errors", nlohmann::json::array()))
    text += (text.size() == 3 ? " " : " | ") + error.at("pointer").get<std::string>() + ": " +
            error.at("detail").get<std::string>();
  if (!body.contains("errors")) text += " " + body.at("detail").get<std::string>();
  return text;
}

}  // namespace rollwatch
