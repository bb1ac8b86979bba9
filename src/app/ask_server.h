// Asking a server for vectors, in place of a model in this process.
#pragma once

#include <string>

#include "app/embed_lines.h"

namespace embedding::app {

// `url` is the server's, `key` one of its keys or empty. Where it is loading or has too much to do
// it is asked again after the time that it says. Errors: kInvalidArgument for what it refuses of
// the request, kMalformed for a text that is not UTF-8, kUnavailable for the rest.
AskTexts AskServer(const std::string& url, const std::string& key, const EmbedRequest& like);

}  // namespace embedding::app
