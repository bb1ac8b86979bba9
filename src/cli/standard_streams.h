// What standard input, output and error may be without harm: closed, full, or a pipe whose reader
// has gone.
#pragma once

#include "base/result.h"

namespace embedding::cli {

// Called first, before anything is opened and while there is one thread.
//
// A write to a pipe or a socket without a reader fails from here on, instead of ending the process
// by SIGPIPE: the server outlives `| head -n 1`. It holds for libcurl and OpenSSL too, which leave
// the signal as it is. Of the three descriptors those that are closed lead to /dev/null: a
// connection would get their numbers otherwise, and then what is logged.
//
// SIGHUP stays as it was found; app/hangup.h says what the server makes of it.
//
// Errors: kInternal: /dev/null cannot be opened.
Status PrepareStandardStreams();

// Whether what has been printed has left: for commands that do nothing else. Errors: kInternal.
Status FlushStandardOutput();

}  // namespace embedding::cli
