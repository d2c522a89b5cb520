# Bulkhead: PostgreSQL, a Next.js app and the supervisor in one image.
#
#   docker build --target core -t bulkhead:core .
#   docker build --target scraper -t bulkhead:scraper .
#   docker build --target full -t bulkhead:full .
#   docker build --target core --build-arg APP=path/to/your/next-app -t mine:core .
#
# APP is a folder of this build context with a Next.js app of its own lock file and `output: 'standalone'`.
# The same file builds amd64 and arm64.

ARG NODE_IMAGE=node:24-trixie-slim
ARG DEBIAN_IMAGE=debian:trixie-slim

# ---------------------------------------------------------------------------------------------------------------
# The supervisor: one bundle, and the one native module that cannot be part of it.
FROM ${NODE_IMAGE} AS build
WORKDIR /src
COPY package.json package-lock.json ./
# A Node and a PostgreSQL for machines that have none are optional there and of no use here.
RUN npm pkg delete optionalDependencies && npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json LICENSE ./
COPY scripts scripts
COPY config config
COPY src src
RUN node scripts/build.mjs && rm -rf dist/cache \
 && install -d /opt/bulkhead/node_modules/koffi /opt/bulkhead/node_modules/@koromix \
 && cp -a package.json LICENSE dist /opt/bulkhead/ \
 && cp -a node_modules/koffi/package.json node_modules/koffi/LICENSE* node_modules/koffi/*.js node_modules/koffi/*.cjs /opt/bulkhead/node_modules/koffi/ \
 && cp -a node_modules/@koromix/koffi-linux-* /opt/bulkhead/node_modules/@koromix/

# ---------------------------------------------------------------------------------------------------------------
# The app: whatever `npm run build` leaves in .next/standalone, made complete.
FROM ${NODE_IMAGE} AS app
ARG APP=docker/app
ENV NEXT_TELEMETRY_DISABLED=1
WORKDIR /src
COPY ${APP}/package.json ${APP}/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY ${APP} ./
RUN npm run build
COPY docker/collect-app /usr/local/bin/
RUN collect-app /src /app
# Sample data is an app's own: another app must not find the shipped one's rows in its database.
RUN install -d /sample && if [ -e seed/tools.sql.gz ]; then cp seed/tools.sql.gz /sample/; fi

# ---------------------------------------------------------------------------------------------------------------
# Debian's PostgreSQL without what a container never runs.
FROM ${DEBIAN_IMAGE} AS postgres
WORKDIR /packages
COPY docker/repackage docker/trim-postgres /usr/local/bin/
RUN apt-get update -qq \
 && apt-get download -qq postgresql-17 postgresql-client-17 \
 && trim-postgres *.deb

# ---------------------------------------------------------------------------------------------------------------
# Node alone. Symbols are for debuggers of Node itself.
FROM ${NODE_IMAGE} AS node
RUN apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends binutils >/dev/null \
 && strip -o /node /usr/local/bin/node && /node --version

# ---------------------------------------------------------------------------------------------------------------
# The server of an older major, to move a volume away from it: --build-arg OLD_POSTGRES=16
FROM ${NODE_IMAGE} AS old-postgres
ARG OLD_POSTGRES=
COPY docker/old-postgres /usr/local/bin/
RUN old-postgres ${OLD_POSTGRES}

# ---------------------------------------------------------------------------------------------------------------
FROM ${DEBIAN_IMAGE} AS core

# Before any package can take one: a volume outlives the image, so these numbers never change.
# 999 is the postgres of Docker's official image, 1001 the user of Next.js's own example.
RUN groupadd --gid 999 postgres && useradd --uid 999 --gid 999 --no-create-home --home-dir /data/pg --shell /usr/sbin/nologin postgres \
 && groupadd --gid 1001 app && useradd --uid 1001 --gid 1001 --no-create-home --home-dir /app --shell /usr/sbin/nologin app \
 && groupadd --gid 1002 scraper && useradd --uid 1002 --gid 1002 --no-create-home --home-dir /scraper --shell /usr/sbin/nologin scraper \
 && groupadd --gid 1003 api && useradd --uid 1003 --gid 1003 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin api

# libnss-wrapper names a uid that stands in no passwd, for initdb.
RUN --mount=type=bind,from=postgres,source=/packages,target=/packages \
    printf 'path-exclude %s\n' '/usr/share/doc/*' '/usr/share/man/*' '/usr/share/locale/*' '/usr/share/info/*' '/usr/share/lintian/*' >/etc/dpkg/dpkg.cfg.d/bulkhead \
 && printf 'path-include /usr/share/doc/*/copyright\n' >>/etc/dpkg/dpkg.cfg.d/bulkhead \
 && apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends /packages/trimmed/*.deb libnss-wrapper zstd >/dev/null \
 && apt-mark hold postgresql-17 postgresql-client-17 >/dev/null \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/log/* /var/lib/dpkg/*-old \
 && /usr/lib/postgresql/17/bin/postgres --version

COPY --from=node /node /usr/local/bin/node
COPY --from=app --chown=root:root /app /app
COPY --from=app /sample /usr/share/bulkhead
COPY config /etc/bulkhead
COPY docker/bulkhead docker/healthcheck /usr/local/bin/
COPY --from=build /opt/bulkhead /opt/bulkhead

# /data: no VOLUME, so that a forgotten mount can be seen; open, as is /run, so that any uid can be the one that owns
# what it makes there. Root tightens /data.
RUN install -d -m 1777 /data && chmod 1777 /run

ENV BULKHEAD_TIER=core \
    BULKHEAD_CONFIG=/etc/bulkhead \
    BULKHEAD_DATA=/data \
    BULKHEAD_APP_DIR=/app \
    BULKHEAD_SAMPLE=/usr/share/bulkhead/tools.sql.gz \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/postgresql/17/bin \
    PGHOST=/run/bulkhead/pg \
    NODE_ENV=production \
    LANG=C.UTF-8

COPY --from=old-postgres /usr/lib/postgresql /usr/lib/postgresql

# V8 keeps what it has compiled by uid and flags. One real boot for each uid that people use fills it with just what a
# boot runs, PID 1's and our programs' both.
COPY docker/warm-cache /tmp/warm-cache
RUN install -d -m 1777 /opt/bulkhead/dist/cache && /tmp/warm-cache 0 1000 10001 && chmod 755 /opt/bulkhead/dist/cache && rm /tmp/warm-cache

EXPOSE 3000 9700
STOPSIGNAL SIGTERM
# An import may take hours: failures count only after the first success, which ends the start period.
HEALTHCHECK --interval=5s --timeout=4s --start-period=24h --retries=3 CMD ["healthcheck"]
ENTRYPOINT ["bulkhead", "up"]

ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Bulkhead core" \
      org.opencontainers.image.description="PostgreSQL and a Next.js app in one container, supervised" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.base.name="debian:trixie-slim" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

# ---------------------------------------------------------------------------------------------------------------
# Debian's headless Chromium, trimmed, with all it needs and core has not; of its own, so that a change of ours fetches
# nothing anew. Fonts: the metrics of Arial, Times and Courier, Chinese, Japanese and Korean, the scripts of South Asia
# and the Near East, and emoji. 20 MB; what a screenshot of almost any page needs to have no empty boxes.
FROM ${DEBIAN_IMAGE} AS chromium
WORKDIR /packages
COPY docker/repackage docker/trim-chromium /usr/local/bin/
RUN apt-get update -qq \
 && apt-get download -qq chromium-common libgbm1 \
 && trim-chromium *.deb \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends --download-only \
      -o Dir::Cache::archives=/packages/trimmed ./trimmed/*.deb chromium-headless-shell \
      fonts-liberation fonts-wqy-microhei fonts-noto-ui-core fonts-noto-color-emoji >/dev/null \
 && rm -rf trimmed/lock trimmed/partial

# ---------------------------------------------------------------------------------------------------------------
# The scraper: a program of its own, with its own lock file and the native code of its image library.
FROM ${NODE_IMAGE} AS scraper-program
WORKDIR /src
COPY docker/scraper/package.json docker/scraper/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY docker/scraper ./
COPY docker/collect-scraper /usr/local/bin/
RUN npm run build && collect-scraper /src /scraper

# ---------------------------------------------------------------------------------------------------------------
FROM core AS scraper

RUN --mount=type=bind,from=chromium,source=/packages/trimmed,target=/packages \
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends /packages/*.deb >/dev/null \
 && apt-mark hold chromium-common libgbm1 >/dev/null \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/log/* /var/lib/dpkg/*-old \
 && chromium-headless-shell --version

COPY --from=scraper-program /scraper /scraper

ENV BULKHEAD_TIER=scraper

COPY docker/warm-cache /tmp/warm-cache
RUN chmod 1777 /opt/bulkhead/dist/cache && /tmp/warm-cache 0 1000 10001 && chmod 755 /opt/bulkhead/dist/cache && rm /tmp/warm-cache

EXPOSE 9701

LABEL org.opencontainers.image.title="Bulkhead scraper" \
      org.opencontainers.image.description="PostgreSQL, a Next.js app, Chromium and a queue of jobs in one container, supervised"

# ---------------------------------------------------------------------------------------------------------------
# The same programs; what is more of it is in config/full.yaml, so BULKHEAD_TIER moves a volume as well as the image does.
FROM scraper AS full

ENV BULKHEAD_TIER=full

COPY docker/warm-cache /tmp/warm-cache
RUN chmod 1777 /opt/bulkhead/dist/cache && /tmp/warm-cache 0 1000 10001 && chmod 755 /opt/bulkhead/dist/cache && rm /tmp/warm-cache

LABEL org.opencontainers.image.title="Bulkhead full" \
      org.opencontainers.image.description="PostgreSQL, a Next.js app, Chromium, a queue, backups, metrics and alerts in one container, supervised"

# ---------------------------------------------------------------------------------------------------------------
# What is built where nobody names a target: the smallest, which runs the app and keeps its data. The other two want
# minutes more, 240 MB of a browser, and memory for it, so somebody has to ask for them.
FROM core
