# The manual page and the completions, which the program writes itself:
#   cmake -DBINARY=<embedding-service> -DFOLDER=<where to> -P Documents.cmake
function(embedding_document name)
  execute_process(COMMAND ${BINARY} help ${ARGN} OUTPUT_FILE ${FOLDER}/${name}
    COMMAND_ERROR_IS_FATAL ANY)
endfunction()
file(MAKE_DIRECTORY ${FOLDER})
embedding_document(embedding-service.1 --man)
embedding_document(embedding-service.bash --completion bash)
embedding_document(_embedding-service --completion zsh)
embedding_document(embedding-service.fish --completion fish)
