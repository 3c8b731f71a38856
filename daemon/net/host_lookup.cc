#include "daemon/net/host_lookup.h"

#include <netdb.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <map>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>

namespace rollwatch {
namespace {

// Of one event loop, and ends with it. What its threads share outlives it for as long as one of
// them is still looking up.
class HostLookups : public net::execution_context::service {
 public:
  using key_type = HostLookups;
  static inline net::execution_context::id id;

  using Find = HostAddresses (*)(const std::string& host);
  using Done = std::function<void(HostAddresses)>;

  explicit HostLookups(net::execution_context& context) : service(context) {}

  void look_up(const net::any_io_executor& executor, const std::string& host, Done done,
               Find find) {
    const std::lock_guard lock(shared_->mutex);
    std::vector<Waiter>& waiters = shared_->out[host];
    // The event loop does not run dry while somebody waits.
    waiters.push_back(
        {net::prefer(executor, net::execution::outstanding_work_t::tracked), std::move(done)});
    if (waiters.size() > 1) return;
    try {
      std::thread([shared = shared_, host, find] { shared->end(host, find(host)); }).detach();
    } catch (const std::system_error& error) {
      shared_->tell(host, Unexpected(std::string("no thread for it: ") + error.what()));
    }
  }

 private:
  struct Waiter {
    net::any_io_executor executor;
    Done done;
  };

  struct Shared {
    std::mutex mutex;
    std::map<std::string, std::vector<Waiter>> out;  // by host; guarded by mutex

    void end(const std::string& host, const HostAddresses& found) {
      const std::lock_guard lock(mutex);
      tell(host, found);
    }
    // Whoever calls has the mutex, which keeps the event loop there until nothing here knows it any
    // more. Once that has ended nobody waits.
    void tell(const std::string& host, const HostAddresses& found) {
      const auto waiting = out.extract(host);
      if (waiting.empty()) return;
      for (Waiter& waiter : waiting.mapped())
        net::post(waiter.executor, [done = std::move(waiter.done), found] { done(found); });
    }
  };

  void shutdown() noexcept override {
    std::map<std::string, std::vector<Waiter>> nobody;
    const std::lock_guard lock(shared_->mutex);
    shared_->out.swap(nobody);
  }

  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

}  // namespace

HostAddresses find_host(const std::string& host) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (const int error = getaddrinfo(host.c_str(), nullptr, &wanted, &list); error != 0)
    return Unexpected(error == EAI_SYSTEM ? std::generic_category().message(errno)
                                          : std::string(gai_strerror(error)));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(list, freeaddrinfo);
  std::vector<std::string> addresses;
  for (const addrinfo* one = list; one != nullptr; one = one->ai_next) {
    std::array<char, NI_MAXHOST> text{};
    if (getnameinfo(one->ai_addr, one->ai_addrlen, text.data(), text.size(), nullptr, 0,
                    NI_NUMERICHOST) == 0)
      addresses.emplace_back(text.data());
  }
  return addresses;
}

void look_up_host(const net::any_io_executor& executor, const std::string& host,
                  std::function<void(HostAddresses)> done,
                  HostAddresses (*find)(const std::string& host)) {
  net::execution_context& context = net::query(executor, net::execution::context);
  net::use_service<HostLookups>(context).look_up(executor, host, std::move(done), find);
}

}  // namespace rollwatch
