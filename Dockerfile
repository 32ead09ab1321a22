# Tapir in an image. BASE is any image with Python 3.11 or newer.
ARG BASE=python:3.12-slim
FROM ${BASE}
COPY . /src
RUN pip install --no-cache-dir --constraint /src/requirements.lock /src && rm -rf /src
ENTRYPOINT ["tapir"]
CMD ["up"]
