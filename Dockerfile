# One image for all parts of the platform; the command says which (charts/tributary):
#   node /app/services/config-center/dist/main.js
#   node /app/services/env-manager/dist/main.js
#   node /app/services/env-manager/dist/gateway/main.js
#   node /app/services/config-center/dist/bootstrap/main.js
# docker build -t registry.example.com/tributary:0.1.0 .
ARG NODE_IMAGE=docker.io/library/node:20-bookworm-slim
ARG HELM_IMAGE=docker.io/alpine/helm:4.1.4

FROM ${NODE_IMAGE} AS build
WORKDIR /src
COPY . .
RUN npm ci --no-audit --no-fund && node tools/assemble-app.mjs /app

FROM ${HELM_IMAGE} AS helm

FROM ${NODE_IMAGE}
# The env-manager runs git and helm; ssh is for repositories that are reached by it.
RUN apt-get update \
  && apt-get install -y --no-install-recommends ca-certificates git openssh-client \
  && rm -rf /var/lib/apt/lists/* /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /opt/yarn-*
COPY --from=helm /usr/bin/helm /usr/local/bin/helm
COPY --from=build /app /app
ENV NODE_ENV=production
WORKDIR /app
# A number, so that Kubernetes can tell that it is not root. Nothing is written but below /data and /tmp.
USER 10001:10001
CMD ["node", "/app/cli/bin/tributary.mjs", "--help"]
