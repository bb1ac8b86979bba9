// What a signal does to a server that one has told to end already.
#pragma once

namespace embedding::http {

// From now on SIGINT and SIGTERM do nothing for a second, and end the process at once after it. A
// terminal's Ctrl-C reaches the server, and once more each npx and launcher above it that passes it
// on: together they are one. That holds until the process has ended, and not only while a server
// runs: what is cleared away then takes longer than the signals take to come.
void TakeRepeatedSignals();

}  // namespace embedding::http
