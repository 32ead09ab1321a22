# Tapir in an image. BASE is any image with Python 3.11 or newer and its venv module.
ARG BASE=python:3.12-slim
FROM ${BASE}
COPY . /src
RUN python3 -m venv /opt/tapir \
 && /opt/tapir/bin/pip install --no-cache-dir --constraint /src/requirements.lock /src \
 && rm -rf /src
ENTRYPOINT ["/opt/tapir/bin/tapir"]
CMD ["up"]
