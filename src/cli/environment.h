// The environment's variables: those of options, and those that only look like them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace embedding::cli {

// "--max-queue" -> "EMBEDDING_SERVICE_MAX_QUEUE"
std::string EnvironmentName(std::string_view option);

// Whether Kubernetes gave the variable its value, and nobody who meant this program. A pod gets
// variables for each Service beside it: of one named embedding-service
// EMBEDDING_SERVICE_PORT=tcp://10.96.12.7:8001, of one named embedding EMBEDDING_SERVICE_HOST and
// EMBEDDING_SERVICE_PORT, which look as if they were options'. The latter only where this is a pod,
// and only if they say what EMBEDDING_PORT says: whoever sets another value means it.
bool IsOfKubernetes(const std::string& name, std::string_view value);

// All that this process has, as NAME=VALUE.
std::vector<std::string_view> Variables();

// Logs a warning for each variable of this program's prefix that is none of `known` and not one
// that Kubernetes makes: somebody thinks that it does something. No value is shown.
void WarnOfUnknownVariables(const std::vector<std::string>& known);

}  // namespace embedding::cli
