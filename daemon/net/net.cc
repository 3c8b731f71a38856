#include "daemon/net/net.h"

#include <spdlog/spdlog.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/system/system_error.hpp>
#include <cstdlib>
#include <exception>

namespace rollwatch {

void spawn(const net::any_io_executor& executor, std::string name,
           std::function<awaitable<void>()> work) {
  auto report = [name = std::move(name)](std::exception_ptr failure) {
    if (!failure) return;
    try {
      std::rethrow_exception(failure);
    } catch (const boost::system::system_error& error) {
      if (error.code() == net::error::operation_aborted) return;
      spdlog::critical("{}: {}", name, error.what());
    } catch (const std::exception& error) {
      spdlog::critical("{}: {}", name, error.what());
    }
    spdlog::default_logger()->flush();
    std::abort();
  };
  net::co_spawn(executor, std::move(work), std::move(report));
}

}  // namespace rollwatch
