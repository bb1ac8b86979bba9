#include "api/console.h"

#include <openssl/evp.h>

#include <string>
#include <string_view>
#include <utility>

#include "api/accept.h"
#include "api/native.h"
#include "api/static_files.h"
#include "base/sha256.h"

namespace embedding::api {
namespace {

// 'sha256-...', by which a policy lets the page's own element run, and no other.
std::string SourceOf(std::string_view page, std::string_view open, std::string_view close) {
  const size_t at = page.find(open);
  if (at == std::string_view::npos) return "'none'";
  page.remove_prefix(at + open.size());
  Sha256 sha256;
  sha256.Update(page.substr(0, page.find(close)));
  const Sha256::Digest digest = sha256.Finish();
  unsigned char base64[(digest.size() + 2) / 3 * 4 + 1];
  EVP_EncodeBlock(base64, reinterpret_cast<const unsigned char*>(digest.data()),
                  static_cast<int>(digest.size()));
  return "'sha256-" + std::string(reinterpret_cast<const char*>(base64)) + '\'';
}

// The page may talk to this server, and to nobody else.
std::string PolicyOf(std::string_view page) {
  return "default-src 'none'; connect-src 'self'; img-src data:; script-src " +
         SourceOf(page, "<script type=\"module\">", "</script>") + "; style-src " +
         SourceOf(page, "<style>", "</style>") +
         "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
}

std::string TagOf(std::string_view content) {
  Sha256 sha256;
  sha256.Update(content);
  return '"' + sha256.Hex().substr(0, 32) + '"';
}

// One of the forms in which the page is sent.
struct Form {
  explicit Form(std::string_view sent) : body(sent), tag(TagOf(sent)) {}

  std::string_view body;
  std::string tag;
};

// Whether If-None-Match names the tag. Proxies that compress or unpack make it a weak one, which
// still stands for the same page (RFC 9110, 13.1.2).
bool Names(std::string_view if_none_match, std::string_view tag) {
  return if_none_match == "*" || if_none_match.find(tag) != std::string_view::npos;
}

}  // namespace

void Home(const CallPtr& call) {
  if (call->options.no_console) return NativeHealth(call);
  if (!PrefersHtml(call->request.accept)) {
    Response health = HealthOf(*call);
    health.headers.push_back({"Vary", "Accept"});  // or a cache would give it to a browser
    return call->Answer(std::move(health));
  }
  static const std::string policy = PolicyOf(kConsoleHtml);
  static const Form plain(kConsoleHtml);
  static const Form compressed(kConsoleHtmlGzip);
  const bool gzip = TakesGzip(call->request.accept_encoding);
  const Form& form = gzip ? compressed : plain;
  Response response{.headers = {{"Content-Security-Policy", policy},
                                {"Cache-Control", "no-cache"},
                                {"Cross-Origin-Opener-Policy", "same-origin"},
                                {"Cross-Origin-Resource-Policy", "same-origin"},
                                {"ETag", form.tag},
                                {"Referrer-Policy", "no-referrer"},
                                {"Vary", "Accept, Accept-Encoding"},
                                {"X-Content-Type-Options", "nosniff"}},
                    .content_type = "text/html; charset=utf-8"};
  if (Names(call->request.if_none_match, form.tag)) {
    response.status = 304;
    return call->Answer(std::move(response));
  }
  if (gzip) response.headers.push_back({"Content-Encoding", "gzip"});
  response.body = form.body;
  call->Answer(std::move(response));
}

}  // namespace embedding::api
