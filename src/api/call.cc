#include "api/call.h"

#include <exception>
#include <utility>

#include "api/errors.h"

namespace embedding::api {

void Call::Answer(Response response) { std::exchange(respond, nullptr)(std::move(response)); }

void Call::Fail(const Error& error) { Answer(ErrorResponse(error, request.request_id)); }

void Continue(const CallPtr& call, std::function<void()> step) {
  call->post([call, step = std::move(step)] {
    try {
      step();
    } catch (const std::exception& e) {
      if (call->respond) call->Fail({ErrorCode::kInternal, e.what(), ""});
    }
  });
}

}  // namespace embedding::api
