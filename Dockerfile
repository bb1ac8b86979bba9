# syntax=docker/dockerfile:1
#   docker build -t embedding-service .
#   docker run --read-only --tmpfs /tmp -p 127.0.0.1:8001:8001 -v models:/models embedding-service

FROM debian:bookworm AS build
WORKDIR /source
COPY scripts/install_dependencies.sh scripts/
# By these CPack tells which libraries the package needs.
RUN scripts/install_dependencies.sh && apt-get install -y --no-install-recommends dpkg-dev file
COPY . .
RUN cmake --preset release -DCMAKE_INSTALL_PREFIX=/usr && cmake --build --preset release
RUN cpack --config build/release/CPackConfig.cmake -B /package

FROM debian:bookworm-slim
# The package names what the program needs; curl is for the health check.
RUN --mount=type=bind,from=build,source=/package,target=/package \
    apt-get update && \
    apt-get install -y --no-install-recommends ca-certificates curl /package/*.deb && \
    rm -rf /var/lib/apt/lists/* && \
    install -d -o 10001 -g 10001 /models
USER 10001:10001
VOLUME /models
ENV HF_HOME=/models EMBEDDING_SERVICE_HOST=0.0.0.0
EXPOSE 8001
# A model is downloaded on the first start. With TLS, or a port that is no variable: -e HEALTH_URL=...
HEALTHCHECK --interval=15s --timeout=5s --start-period=30m \
  CMD curl -fsSk "${HEALTH_URL:-http://127.0.0.1:${EMBEDDING_SERVICE_PORT:-8001}/health}" || exit 1
ENTRYPOINT ["embedding-service"]
CMD ["serve"]
