#include "daemon/http/server_tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/asio/ssl/context.hpp>
#include <string_view>
#include <utility>

namespace rollwatch {
namespace {

namespace ssl = net::ssl;

constexpr Millis kLookEvery{1'000};

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](unsigned char c) {
    return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  });
  return result;
}

std::string text_of(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

// Whom the certificate is for: its DNS and URI names, and its common name.
std::vector<std::string> names_of(X509* certificate) {
  std::vector<std::string> names;
  auto* all = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(all); ++i) {
    int type = 0;
    const void* value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(all, i), &type);
    if (type == GEN_DNS || type == GEN_URI)
      names.push_back(text_of(static_cast<const ASN1_STRING*>(value)));
  }
  GENERAL_NAMES_free(all);
  const X509_NAME* subject = X509_get_subject_name(certificate);
  for (int at = -1; (at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0;)
    names.push_back(text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at))));
  return names;
}

bool is_allowed(ssl::verify_context& chain, const std::vector<std::string>& allowed) {
  X509_STORE_CTX* store = chain.native_handle();
  if (X509_STORE_CTX_get_error_depth(store) != 0) return true;
  const std::vector<std::string> names = names_of(X509_STORE_CTX_get_current_cert(store));
  const bool found = std::ranges::any_of(names, [&](const std::string& name) {
    return std::ranges::any_of(allowed, [&](const std::string& one) {
      return one.find("://") == std::string::npos ? lower(one) == lower(name) : one == name;
    });
  });
  if (!found) X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
  return found;
}

int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* offered, unsigned size, void*) {
  static constexpr std::string_view kHttp = "http/1.1";
  for (unsigned at = 0; at < size; at += offered[at] + 1U) {
    const std::string_view one(reinterpret_cast<const char*>(offered) + at + 1,
                               std::min<std::size_t>(offered[at], size - at - 1));
    if (one != kHttp) continue;
    *out = offered + at + 1;
    *out_size = static_cast<unsigned char>(kHttp.size());
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

void ask_for_certificates(ssl::context& context, const ServerTlsFiles& files) {
  context.load_verify_file(files.client_ca_file);
  SSL_CTX_set_client_CA_list(context.native_handle(),
                             SSL_load_client_CA_file(files.client_ca_file.c_str()));
  context.set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert);
  if (files.client_names.empty()) return;
  context.set_verify_callback(
      [allowed = files.client_names](bool is_signed, ssl::verify_context& chain) {
        return is_signed && is_allowed(chain, allowed);
      });
}

Expected<std::shared_ptr<ssl::context>, std::string> read_files(const ServerTlsFiles& files) {
  static constexpr std::string_view kWho = "rollwatch";
  std::string at = "tls";
  try {
    auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
    SSL_CTX* native = context->native_handle();
    SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
    context->set_options(ssl::context::default_workarounds | ssl::context::no_compression |
                         ssl::context::single_dh_use);
    SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_id_context(native, reinterpret_cast<const unsigned char*>(kWho.data()),
                                   static_cast<unsigned>(kWho.size()));
    SSL_CTX_set_alpn_select_cb(native, choose_protocol, nullptr);
    at = files.cert_file;
    context->use_certificate_chain_file(files.cert_file);
    at = files.key_file;
    context->use_private_key_file(files.key_file, ssl::context::pem);
    if (SSL_CTX_check_private_key(native) != 1) {
      ERR_clear_error();
      return Unexpected(files.key_file + ": is not the key of the certificate in " +
                        files.cert_file);
    }
    at = files.client_ca_file;
    if (!files.client_ca_file.empty()) ask_for_certificates(*context, files);
    return context;
  } catch (const boost::system::system_error& error) {
    ERR_clear_error();
    return Unexpected(at + ": " + error.code().message());
  }
}

}  // namespace

ServerTls::Stamps ServerTls::stamps() const {
  Stamps all;
  const std::array<const std::string*, 3> files{&files_.cert_file, &files_.key_file,
                                                &files_.client_ca_file};
  for (std::size_t i = 0; i < files.size(); ++i) {
    struct stat facts {};
    if (files[i]->empty() || ::stat(files[i]->c_str(), &facts) != 0) continue;
    all[i].facts = {static_cast<long long>(facts.st_mtim.tv_sec),
                    static_cast<long long>(facts.st_mtim.tv_nsec),
                    static_cast<long long>(facts.st_ino), static_cast<long long>(facts.st_size)};
  }
  return all;
}

Expected<std::shared_ptr<ServerTls>, std::string> ServerTls::load(ServerTlsFiles files,
                                                                  const Clock& clock) {
  std::shared_ptr<ServerTls> tls(new ServerTls(std::move(files), clock));
  tls->read_ = tls->stamps();
  tls->looked_at_ = clock.steady();
  auto context = read_files(tls->files_);
  if (!context) return Unexpected("TLS: " + context.error());
  tls->context_ = std::move(*context);
  return tls;
}

std::shared_ptr<ssl::context> ServerTls::context() {
  const SteadyTime now = clock_.steady();
  if (now - looked_at_ < kLookEvery) return context_;
  looked_at_ = now;
  const Stamps found = stamps();
  if (found == read_) return context_;
  read_ = found;
  auto fresh = read_files(files_);
  if (fresh) {
    context_ = std::move(*fresh);
    spdlog::info("TLS: {} was read again", files_.cert_file);
  } else {
    spdlog::warn("TLS: {}; the last good certificate stays in use", fresh.error());
  }
  return context_;
}

}  // namespace rollwatch
