#include "api/static_files.h"

#include <string>

namespace embedding::api {

void OpenApi(const CallPtr& call) { call->Answer({.body = std::string(kOpenApiJson)}); }

void Docs(const CallPtr& call) {
  call->Answer({.body = std::string(kDocsHtml), .content_type = "text/html; charset=utf-8"});
}

}  // namespace embedding::api
