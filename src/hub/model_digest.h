// What tells one state of a model from another, for clients that ask whether it is still the same.
#pragma once

#include <string>

namespace embedding {

// 64 hexadecimal digits: the SHA-256 over the names, sizes and contents of the JSON files, of a
// vocabulary that no tokenizer.json is in the place of, and of the weights in a model's directory
// and in the folders of its modules. Of a file beyond 32 MB only blocks that are spread over it are
// read: one that was trained anew has others, though a change of single weights need not show. The
// same wherever the directory is copied.
std::string ModelDigest(const std::string& directory);

}  // namespace embedding
