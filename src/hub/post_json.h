// One request of JSON to a server of this program's kind.
#pragma once

#include <string>

namespace embedding {

struct PostAnswer {
  int status = 0;  // of HTTP; 0: no answer came
  std::string body;
  std::string problem;     // why no answer came
  long retry_after_s = 0;  // what the server says of it
};

// POST of `body` to `url`, with the key if it is not empty. Waits as long as the server computes.
// Any thread, once PreparePosts has been called in the first.
PostAnswer PostJson(const std::string& url, const std::string& body, const std::string& api_key);
void PreparePosts();

}  // namespace embedding
