#include "daemon/http/curl_loop.h"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <new>
#include <utility>

namespace rollwatch {

namespace {

// Connections kept open for later requests, over all servers; the oldest idle one makes room.
constexpr long kIdleConnections = 256;

}  // namespace

struct CurlLoop::Watched {
  Watched(const net::any_io_executor& executor, curl_socket_t fd)
      : descriptor(executor), socket(fd) {}

  net::posix::stream_descriptor descriptor;
  curl_socket_t socket;
  bool want_read = false, want_write = false;
  bool read_pending = false, write_pending = false;
  bool gone = false;
};

CurlLoop::CurlLoop(const net::any_io_executor& executor, Finished finished)
    : executor_(executor),
      finished_(std::move(finished)),
      multi_(curl_multi_init()),
      timer_(executor) {
  if (!multi_) throw std::bad_alloc();
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &CurlLoop::on_socket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &CurlLoop::on_timer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, kIdleConnections);
}

CurlLoop::~CurlLoop() {
  *alive_ = false;
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, nullptr);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, nullptr);
  while (!sockets_.empty()) forget(sockets_.begin()->first);
  curl_multi_cleanup(multi_);
}

bool CurlLoop::add(CURL* easy) { return curl_multi_add_handle(multi_, easy) == CURLM_OK; }

void CurlLoop::remove(CURL* easy) { curl_multi_remove_handle(multi_, easy); }

int CurlLoop::on_socket(CURL*, curl_socket_t socket, int what, void* self, void*) noexcept {
  auto& loop = *static_cast<CurlLoop*>(self);
  if (what == CURL_POLL_REMOVE) {
    loop.forget(socket);
  } else {
    loop.watch(socket, what);
  }
  return 0;
}

int CurlLoop::on_timer(CURLM*, long milliseconds, void* self) noexcept {
  static_cast<CurlLoop*>(self)->set_timer(milliseconds);
  return 0;
}

void CurlLoop::watch(curl_socket_t socket, int what) {
  auto& watched = sockets_[socket];
  if (!watched) {
    watched = std::make_shared<Watched>(executor_, socket);
    boost::system::error_code error;
    watched->descriptor.assign(socket, error);
    // Cannot be waited for (no memory in the kernel): its transfer runs into its time-out.
    if (error) return;
  }
  watched->want_read = (what & CURL_POLL_IN) != 0;
  watched->want_write = (what & CURL_POLL_OUT) != 0;
  wait(watched);
}

void CurlLoop::forget(curl_socket_t socket) {
  const auto found = sockets_.find(socket);
  if (found == sockets_.end()) return;
  found->second->gone = true;
  if (found->second->descriptor.is_open()) found->second->descriptor.release();
  sockets_.erase(found);
}

void CurlLoop::wait(const std::shared_ptr<Watched>& watched) {
  using Descriptor = net::posix::stream_descriptor;
  if (!watched->descriptor.is_open()) return;
  const auto wait_for = [&](Descriptor::wait_type type, bool Watched::*want, bool Watched::*pending,
                            int event) {
    if (!(*watched.*want) || *watched.*pending) return;
    *watched.*pending = true;
    watched->descriptor.async_wait(type, [=, this](const boost::system::error_code& error) {
      *watched.*pending = false;
      if (watched->gone) return;  // `this` may be gone as well
      if (*watched.*want) call_curl(watched->socket, error ? CURL_CSELECT_ERR : event);
      if (!watched->gone) wait(watched);
    });
  };
  wait_for(Descriptor::wait_read, &Watched::want_read, &Watched::read_pending, CURL_CSELECT_IN);
  wait_for(Descriptor::wait_write, &Watched::want_write, &Watched::write_pending, CURL_CSELECT_OUT);
}

void CurlLoop::set_timer(long milliseconds) {
  is_due_ = milliseconds == 0;
  if (milliseconds <= 0) timer_.cancel();
  if (is_due_) return call_soon();
  if (milliseconds < 0) return;
  timer_.expires_after(std::chrono::milliseconds(milliseconds));
  timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
    if (!error && *alive) call_curl(CURL_SOCKET_TIMEOUT, 0);
  });
}

// Every transfer that is added is due at once. A timer would cost each of them a system call to set
// it; like this all that are added in one turn of the loop begin with one call.
void CurlLoop::call_soon() {
  if (std::exchange(is_posted_, true)) return;
  net::post(executor_, [this, alive = alive_] {
    if (!*alive) return;
    is_posted_ = false;
    if (std::exchange(is_due_, false)) call_curl(CURL_SOCKET_TIMEOUT, 0);
  });
}

void CurlLoop::call_curl(curl_socket_t socket, int events) {
  int running = 0;
  curl_multi_socket_action(multi_, socket, events, &running);
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg == CURLMSG_DONE) finished_(message->easy_handle, message->data.result);
  }
}

}  // namespace rollwatch
