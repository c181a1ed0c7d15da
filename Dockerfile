# The daemon as an image: docs/en/deployment.md says how to run it.
# Another major version of Node: docker build --build-arg NODE=24 .
ARG NODE=20

FROM node:${NODE}-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
# No package's own scripts are run: the native parts come built.
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY scripts/build.mjs scripts/
COPY src src
COPY workers workers
RUN npm run build
# What only the build needed goes. npm keeps TypeScript, which valibot can work with, and does not need.
RUN npm prune --omit=dev --ignore-scripts \
  && rm -r node_modules/typescript node_modules/@typescript

FROM node:${NODE}-bookworm-slim
LABEL org.opencontainers.image.title="execgo" org.opencontainers.image.licenses="MIT"
# tini, as process 1, takes in what commands leave behind.
RUN apt-get update \
  && apt-get install -y --no-install-recommends tini \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY --from=build /build/package.json ./
COPY --from=build /build/node_modules node_modules
COPY --from=build /build/dist dist
COPY proto proto
COPY LICENSE deploy/docker/healthcheck.mjs ./
RUN ln -s /app/dist/src/cli.js /usr/local/bin/execgo \
  && install -d -o node -g node -m 0700 /data \
  && install -d -o node -g node /work
# The image's user node, as numbers: Kubernetes cannot tell from a name that it is not root.
USER 1000:1000
# Where commands run and relative paths begin. The data directory is not for them.
WORKDIR /work
VOLUME /data
# These are open to whoever reaches the container. Give it tokens: EXECGO_AUTH_FILE.
ENV EXECGO_ADDR=:8080 EXECGO_GRPC_ADDR=:50051 EXECGO_DATA_DIR=/data
EXPOSE 8080 50051
HEALTHCHECK --interval=15s --timeout=10s --start-period=60s CMD ["node", "/app/healthcheck.mjs"]
ENTRYPOINT ["tini", "--", "execgo"]
