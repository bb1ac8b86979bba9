// The console: a page that shows what the server does and lets a person try it.
#pragma once

#include "api/call.h"

namespace embedding::api {

// GET /: the console for a browser, and for everybody else what /health says.
void Home(const CallPtr& call);

}  // namespace embedding::api
