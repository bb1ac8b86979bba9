// The native dialect: /embed with `texts`, and the state of the server.
#pragma once

#include "api/call.h"
#include "api/json_reader.h"

namespace embedding::api {

// POST /embed with a body that has "texts".
void NativeEmbed(const CallPtr& call, const JsonReader& json);
void NativeHealth(const CallPtr& call);  // GET /health and /readyz: may this server be sent work?
Response HealthOf(const Call& call);     // what that answers
void NativeLive(const CallPtr& call);    // GET /livez: does the process answer?

}  // namespace embedding::api
