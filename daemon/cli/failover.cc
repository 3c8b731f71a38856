#include "daemon/cli/failover.h"

#include <memory>

namespace rollwatch {
namespace {

constexpr int kBadGateway = 502;
constexpr int kNothingDone = 503;  // as the server says itself
constexpr int kGatewayTimeout = 504;

bool is_for_another(const Request& request, const Expected<Response, TransportError>& answer) {
  if (!answer) return !answer.error().sent || (request.repeatable && !request.take);
  if (answer->status == kNothingDone) return true;
  return request.repeatable && (answer->status == kBadGateway || answer->status == kGatewayTimeout);
}

}  // namespace

std::vector<std::string> split_list(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    std::string part = text.substr(begin, end - begin);
    part.erase(0, part.find_first_not_of(' '));
    part.erase(part.find_last_not_of(' ') + 1);
    if (!part.empty()) parts.push_back(std::move(part));
    begin = end + 1;
  }
  return parts;
}

Transport in_turn(std::vector<Transport> servers, Pace& pace) {
  const auto current = std::make_shared<std::size_t>(0);
  return [servers = std::move(servers), current, &pace](const Request& request) {
    auto answer = servers[*current](request);
    for (std::size_t tried = 1; tried < servers.size(); ++tried) {
      if (pace.interrupted() || !is_for_another(request, answer)) break;
      *current = (*current + 1) % servers.size();
      answer = servers[*current](request);
    }
    const bool broke_off = !answer && request.take;
    if (broke_off) *current = (*current + 1) % servers.size();
    return answer;
  };
}

}  // namespace rollwatch
