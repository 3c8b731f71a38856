// What a connection to PostgreSQL is made from.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "analysis/expected.h"
#include "analysis/time.h"

namespace rollwatch {

// Numeric addresses of a host, or in a few words why there are none.
using PgAddresses = Expected<std::vector<std::string>, std::string>;
// Looks a host's name up and calls back, once, on the io thread; not before it returns.
using PgLookup = std::function<void(const std::string& host, std::function<void(PgAddresses)>)>;

struct PgTarget {
  std::string
      url;  // postgresql://…, as libpq reads it; passwords come from it or where libpq looks
  std::string name = "rollwatchd";  // application_name
  Millis connect_limit{5'000};      // for all of its hosts together
  Millis answer_limit{10'000};      // for one pipeline
  PgLookup lookup = nullptr;        // none: the system's
};

}  // namespace rollwatch
