# keyturn, and the examples of docker-compose.yml, which are the same image with other entrypoints.
# Node 24 is a supported LTS; keyturn screens the certificates that crash its TLS library before Node touches them.
ARG NODE_IMAGE=node:24.21.0-trixie-slim

# 1. Compile, with the development packages.
# Not `npm ci`: the lock file is written where packages for other platforms are not available, and `npm ci` refuses it.
# `npm install --no-save` takes the locked versions all the same, and fills in what this platform needs.
FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm install --no-save --include=dev --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY scripts/build.mjs scripts/
COPY src src
RUN npm run build

# 2. The production packages alone.
FROM ${NODE_IMAGE} AS packages
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm install --no-save --omit=dev --ignore-scripts --no-audit --no-fund

# 3. What runs. The code belongs to root: the user that runs it cannot change it.
FROM ${NODE_IMAGE} AS runtime
LABEL org.opencontainers.image.title=keyturn \
  org.opencontainers.image.description="Turns the TLS certificates of an inference node as one" \
  org.opencontainers.image.licenses=MIT
ENV NODE_ENV=production
WORKDIR /app
COPY package.json ./
COPY --from=packages /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY examples examples
# flock(1) locks the output folder, getent(1) looks up owners: Debian slim has both, and an image without them must not
# come to be. A new named volume at /var/lib/keyturn takes over owner and mode of the folder here.
RUN flock --version && getent passwd node \
  && ln -s /app/dist/cli.js /usr/local/bin/keyturn \
  && install -d -o node -g node -m 0700 /var/lib/keyturn

# `node` of the official image, by number: Kubernetes' runAsNonRoot cannot check a name.
USER 1000:1000

# Only /var/lib/keyturn is written, so `--read-only` fits. No tini: keyturn handles SIGTERM and waits for its own
# children. Where hook commands leave processes behind, `docker run --init` (Compose: `init: true`) collects those.
STOPSIGNAL SIGTERM
# The default admin.listen; does not depend on etcd. With another port, override it.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:9464/healthz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["keyturn"]
CMD ["run"]
