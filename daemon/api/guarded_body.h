// A stream that ends when whoever asked for it may have it no longer: what a token was taken away
// for is not told to who still listens.
#pragma once

#include <functional>
#include <memory>

#include "daemon/http/body_source.h"

namespace rollwatch {

// Asks `may_go_on` before each piece is handed out, so at the latest with the next event or sign of
// life.
std::shared_ptr<BodySource> guarded(std::shared_ptr<BodySource> body,
                                    std::function<bool()> may_go_on);

}  // namespace rollwatch
