// Memory or threads that run out, said in one line and an exit code instead of an abort.
#pragma once

namespace embedding::cli {

// From here on an std::bad_alloc or std::system_error that nothing catches, on any thread, ends the
// process with one line and kExitFailed. Any other is a defect and aborts as before.
void ReportExhaustion();

}  // namespace embedding::cli
