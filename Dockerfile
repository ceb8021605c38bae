# Kairos in an image: a checkout, and an environment of its own made from the hashed locks.
# Pinned by tag; whoever goes live pins the digest and names a mirror of the bank's own: --build-arg PYTHON=...
ARG PYTHON=python:3.11.11-slim-bookworm

FROM ${PYTHON} AS build
WORKDIR /app
COPY requirements/ requirements/
RUN python -m venv /opt/kairos \
    && /opt/kairos/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements/run.txt \
    && /opt/kairos/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements/build.txt
COPY . .
RUN /opt/kairos/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation --editable .

FROM ${PYTHON}
ENV PATH=/opt/kairos/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    KAIROS_DATA=/var/lib/kairos \
    KAIROS_LOG_FORMAT=json
RUN useradd --system --uid 10001 --user-group --home-dir /var/lib/kairos kairos \
    && install --directory --owner=kairos --group=kairos --mode=0750 /var/lib/kairos
COPY --from=build /opt/kairos /opt/kairos
COPY --from=build /app /app
WORKDIR /app
USER 10001:10001
ENTRYPOINT ["kairos"]
CMD ["--help"]
