# One image for the web server and every worker; which command runs where is in compose.yaml.
# No Node: scripts are built ahead, and only a local chain (31337) reads node_modules.
# 3.11 is the Python that the tests run on.
ARG PYTHON=3.11-slim-bookworm

FROM python:${PYTHON} AS packages
# cpu: name an index that has CPU wheels of torch, or a place of wheels. cuda: what pip takes by
# itself on Linux, several GB.
ARG TORCH=cpu
ARG PIP_EXTRA_INDEX_URL
ARG PIP_FIND_LINKS
WORKDIR /app
COPY constraints.txt ./
RUN python -m venv .venv \
 && if [ "$TORCH" = cpu ] && [ "$(uname -m)" = x86_64 ] && [ -z "$PIP_EXTRA_INDEX_URL$PIP_FIND_LINKS" ]; then \
      echo "Say --build-arg PIP_EXTRA_INDEX_URL=(an index of CPU wheels of torch) or TORCH=cuda" >&2; exit 1; \
    fi \
 && .venv/bin/python -m pip install --no-cache-dir -q -c constraints.txt torch uv
COPY requirements.lock requirements-s3.lock ./
RUN .venv/bin/uv pip install --no-cache -q --no-config --no-deps --compile-bytecode \
      --python .venv/bin/python -r requirements.lock -r requirements-s3.lock

FROM python:${PYTHON}
RUN useradd --system --uid 10001 --home-dir /app --shell /usr/sbin/nologin morphora \
 && install -d -o morphora -g morphora /srv/morphora/var
WORKDIR /app
COPY --from=packages /app/.venv .venv
COPY . .
ENV PATH=/app/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DJANGO_SETTINGS_MODULE=config.settings.production \
    MORPHORA_VAR=/srv/morphora/var \
    STATIC_ROOT=/app/static
# The values are placeholders that nothing connects to.
RUN python -m compileall -q config gallery generation minting sentiment \
 && SECRET_KEY=build ALLOWED_HOSTS=build DATABASE_URL=postgres://build/build \
    REDIS_URL=redis://build CHAIN_RPC_URL=http://build CHAIN_ID=1 CHAIN_PRIVATE_KEY=build \
    python manage.py collectstatic --noinput -v 0
USER morphora
EXPOSE 8000
# For the web server; a worker is asked otherwise (compose.yaml).
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD ["python", "-m", "config.health"]
CMD ["uvicorn", "config.asgi:application", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", "--no-access-log", "--log-level", "warning", "--timeout-graceful-shutdown", "10"]
