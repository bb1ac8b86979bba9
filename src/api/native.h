// The native dialect: /embed with `texts`, and the state of the server.
#pragma once

#include "api/call.h"

namespace embedding::api {

void NativeEmbed(const CallPtr& call);   // POST /embed
void NativeHealth(const CallPtr& call);  // GET /health and /readyz: may this server be sent work?
void NativeLive(const CallPtr& call);    // GET /livez: does the process answer?

}  // namespace embedding::api
