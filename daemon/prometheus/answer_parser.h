// From what an HTTP server sent back to what the engine judges. Whatever it is, it becomes an
// Answer: the kinds of failure keep apart a query that is wrong, a server that is unwell and an
// answer that is none.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "analysis/answer.h"

namespace rollwatch {

// `datasource` is named in messages. `body` is kept as Answer::raw. Does not throw.
Answer parse_answer(std::string_view datasource, int http_status, std::string_view content_type,
                    std::shared_ptr<const std::string> body) noexcept;

}  // namespace rollwatch
