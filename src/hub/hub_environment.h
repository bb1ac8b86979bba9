// Where Hugging Face's tools keep what they fetched: the environment variables of huggingface_hub
// and sentence-transformers, in their order.
//
// In all of these paths "~/", "~user/" and $VARIABLES are expanded as by Python's os.path, and an
// empty variable is as good as none.
// Thread-safety: any thread, while none changes the environment.
#pragma once

#include <string>

namespace embedding {

// The variable's value, empty if it is not set.
std::string ReadVariable(const char* name);

// `path` with a leading "~" or "~user" replaced by the home directory; that of a user whom the
// system does not know is left as it stands.
std::string ExpandHome(const std::string& path);

// `path` with that and with $NAME and ${NAME} replaced by what these variables hold; one that is
// not set is left as it stands.
std::string ExpandPath(const std::string& path);

// $HF_HOME, else $XDG_CACHE_HOME/huggingface, else ~/.cache/huggingface.
std::string HuggingFaceHome();

// The cache's folder: $SENTENCE_TRANSFORMERS_HOME, else $HF_HUB_CACHE, else $HUGGINGFACE_HUB_CACHE
// (its old name), else HuggingFaceHome()/hub.
std::string HubCacheDirectory();

}  // namespace embedding
