# The digest is of the index of python:3.13.15-slim-trixie, for amd64 and arm64, as public repositories record it.
# To renew it: docker buildx imagetools inspect python:3.13-slim-trixie
FROM python:3.13.15-slim-trixie@sha256:9d2e5553305c7c7b0097999bb17187c69b921ccd6bc9d40e4bb5ebe652c00285 AS build

# hadolint ignore=DL3008
RUN apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev

WORKDIR /build
COPY requirements.lock ./
RUN python -I -m venv /opt/binance-leaks \
    && /opt/binance-leaks/bin/python -I -m pip install --no-cache-dir --require-hashes -r requirements.lock
COPY . .
RUN /opt/binance-leaks/bin/python -I -m pip install --no-cache-dir --no-index --no-deps --no-build-isolation . \
    && /opt/binance-leaks/bin/python -I -c "import binance_leaks._native" \
    && /opt/binance-leaks/bin/python -I -m pip uninstall --yes setuptools pip

FROM python:3.13.15-slim-trixie@sha256:9d2e5553305c7c7b0097999bb17187c69b921ccd6bc9d40e4bb5ebe652c00285

# hadolint ignore=DL3008
RUN apt-get update && apt-get install --yes --no-install-recommends git && rm -rf /var/lib/apt/lists/*

COPY --from=build /opt/binance-leaks /opt/binance-leaks
COPY --chmod=755 .ci/container-entrypoint /usr/local/bin/container-entrypoint

ENV PATH=/opt/binance-leaks/bin:$PATH PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
WORKDIR /src
ENTRYPOINT ["container-entrypoint"]
CMD ["--help"]
