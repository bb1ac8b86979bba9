// What the system may refuse a process at its start, said in one line and an exit code instead of
// an abort.
#pragma once

#include "base/result.h"

namespace embedding::app {

// Whether `count` threads can be started beside those that run. They are, for a moment: whether the
// limits of the user, of the container and of address space leave room shows nowhere else, and not
// every library that starts threads reports that it could not. Errors: kInternal.
Status CheckThreads(int count);

// From here on large blocks of memory, bodies and answers, go back to the system when they are
// freed, instead of being kept for more of their kind.
void GiveMemoryBack();

}  // namespace embedding::app
