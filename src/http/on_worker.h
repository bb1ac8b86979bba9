// OnWorker: the middleware for what takes longer than the I/O thread has.
#pragma once

#include <functional>

#include "http/handler.h"
#include "http/refusal.h"

namespace embedding::http {

// Runs a task on another thread, soon. The task does not throw.
using Post = std::function<void(std::function<void()>)>;

// Answers on a thread of `post`'s. A request whose client has left before that thread comes to it
// goes no further (499); what the handler throws costs the request alone (500).
Middleware OnWorker(Post post, WordRefusal word);

}  // namespace embedding::http
