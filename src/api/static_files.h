// Files that the binary carries: the description of its interface and the page that shows it.
#pragma once

#include <string_view>

#include "api/call.h"

namespace embedding::api {

// Generated when the project is built, from src/api/openapi.json, web/docs.html and
// web/console.html, which console/ builds.
extern const std::string_view kOpenApiJson;
extern const std::string_view kDocsHtml;
extern const std::string_view kConsoleHtml;
extern const std::string_view kConsoleHtmlGzip;

void OpenApi(const CallPtr& call);  // GET /openapi.json
void Docs(const CallPtr& call);     // GET /docs

}  // namespace embedding::api
