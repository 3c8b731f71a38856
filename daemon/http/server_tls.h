// The certificate that our server shows, and those it asks of clients. Files that change are read
// again without a restart; one that cannot be used leaves the last good one in place, and is told
// once.
//
//   auto tls = ServerTls::load({.cert_file = "…", .key_file = "…"}, clock);    // or why not
//   auto context = (*tls)->context();                                          // for each
//   connection
#pragma once

#include <array>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include "analysis/expected.h"
#include "daemon/net/clock.h"

namespace boost::asio::ssl {
class context;
}

namespace rollwatch {

struct ServerTlsFiles {
  std::string cert_file, key_file;        // PEM; the chain from the server's certificate on
  std::string client_ca_file;             // "": no client certificate is asked for
  std::vector<std::string> client_names;  // DNS or URI names, or common names; empty: any signed
};

class ServerTls {
 public:
  static Expected<std::shared_ptr<ServerTls>, std::string> load(ServerTlsFiles files,
                                                                const Clock& clock);

  // Looks at the files, at most once a second.
  std::shared_ptr<net::ssl::context> context();

 private:
  // What tells one state of a file from another.
  struct Stamp {
    std::array<long long, 4> facts{};
    bool operator==(const Stamp&) const = default;
  };
  using Stamps = std::array<Stamp, 3>;

  ServerTls(ServerTlsFiles files, const Clock& clock) : files_(std::move(files)), clock_(clock) {}
  Stamps stamps() const;

  const ServerTlsFiles files_;
  const Clock& clock_;
  std::shared_ptr<net::ssl::context> context_;
  Stamps read_{};  // as the files were when they were read last, whatever came of it
  SteadyTime looked_at_{};
};

}  // namespace rollwatch
