// From an HTTP answer to what is recorded of the attempt and what follows from it.
#pragma once

#include <functional>

#include "daemon/engine/target_driver.h"
#include "daemon/http/client.h"
#include "notifiers/classify.h"

namespace rollwatch {

// How requests leave: HttpClient::send in the daemon, a script in tests.
using HttpSend = std::function<awaitable<HttpResponse>(HttpRequest)>;

// Bytes of an answer that are read, and kept with the attempt.
inline constexpr std::size_t kAnswerKept = 2048;

// `rule` is the dialect of the receiver. What broke off before it was whole is no answer. Whoever
// has the address can post to it, and many receivers repeat its path in an answer: that is taken
// out.
SendResult judge_answer(HttpResponse response, const Secret& address, SysTime sent_at, SysTime now,
                        const std::function<Ruling(const Reply&, SysTime)>& rule);

// "HTTP 500", "connection refused": how an attempt ended, for the log and for people.
std::string describe(const Attempt& attempt);

}  // namespace rollwatch
