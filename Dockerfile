# Tapir in an image: docker build -t tapir .
# BASE is any Debian or Ubuntu with Python 3.11 or newer and its venv module.
ARG BASE=python:3.12-slim
FROM ${BASE} AS build
# For /version: --build-arg GIT_COMMIT=$(git rev-parse HEAD) --build-arg GIT_TREE_STATE=clean
ARG GIT_COMMIT=
ARG GIT_TREE_STATE=
COPY . /src
# The native front where there is a wheel for it, as `make install` does; no pip in what is kept.
RUN export TAPIR_GIT_COMMIT="$GIT_COMMIT" TAPIR_GIT_TREE_STATE="$GIT_TREE_STATE" \
 && python3 -m venv /opt/tapir \
 && pip="/opt/tapir/bin/pip install --quiet --no-cache-dir --disable-pip-version-check --constraint /src/requirements.lock" \
 && { $pip --only-binary pygrpc-native,h2corn "/src[native]" || $pip /src; } \
 && /opt/tapir/bin/pip uninstall --quiet --yes pip setuptools
# Kubernetes' schemas of other versions than ours are 100 MB.
RUN cd /opt/tapir/lib/python3*/site-packages/kubernetes_validate/kubernetes-json-schema \
 && ours=$(/opt/tapir/bin/python -c 'from control_plane.api.schema import VERSION; print(VERSION)')-local \
 && test -d "$ours" && find . -mindepth 1 -maxdepth 1 ! -name "$ours" -exec rm -r {} +

FROM ${BASE}
RUN useradd --system --uid 10001 --home-dir /var/lib/tapir tapir \
 && install -d -m 700 -o tapir -g tapir /var/lib/tapir /etc/tapir
COPY --from=build /opt/tapir /opt/tapir
ENV PATH=/opt/tapir/bin:$PATH
USER tapir
WORKDIR /var/lib/tapir
ENTRYPOINT ["/opt/tapir/bin/tapir"]
# An etcd for whom its port is published to; the compose files add certificates.
CMD ["datastore", "--data-dir=/var/lib/tapir", "--listen-client-urls=http://0.0.0.0:2379", "--listen-metrics-urls=http://127.0.0.1:2381"]
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s CMD ["python3", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:2381/health', timeout=4)"]
