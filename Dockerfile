# The application package (MONAI Application Package, an OCI image). Build: make map
ARG BASE=debian:bookworm-slim

FROM ${BASE} AS libraries
RUN apt-get update && apt-get install --yes --no-install-recommends python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*
COPY requirements.txt /tmp/
RUN python3 -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check -r /tmp/requirements.txt
# Holoscan's package links its libraries at the first start of the interpreter; no later user could write there.
# With the project's own way of finding the CUDA runtime, this also proves that it is found.
COPY app/__init__.py app/host_process.py /tmp/once/app/
RUN cd /tmp/once && /opt/venv/bin/python -c \
    "from app.host_process import load_cuda_runtime; load_cuda_runtime(); import holoscan.core"

FROM ${BASE}
ARG VERSION
RUN apt-get update && apt-get install --yes --no-install-recommends python3 \
    && rm -rf /var/lib/apt/lists/*
COPY --from=libraries /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    PYTHONPATH=/opt/holoscan/app \
    PYTHONDONTWRITEBYTECODE=1 \
    MPLCONFIGDIR=/tmp \
    CUPY_CACHE_DIR=/tmp/cupy \
    HOME=/tmp \
    HOLOSCAN_APPLICATION=/opt/holoscan/app/ \
    HOLOSCAN_INPUT_PATH=/var/holoscan/input/ \
    HOLOSCAN_OUTPUT_PATH=/var/holoscan/output/ \
    HOLOSCAN_WORKDIR=/var/holoscan/ \
    HOLOSCAN_MODEL_PATH=/opt/holoscan/models/ \
    HOLOSCAN_CONFIG_PATH=/var/holoscan/app.yaml \
    HOLOSCAN_APP_MANIFEST_PATH=/etc/holoscan/app.json \
    HOLOSCAN_PKG_MANIFEST_PATH=/etc/holoscan/pkg.json \
    HOLOSCAN_DOCS=/opt/holoscan/docs/ \
    HOLOSCAN_DOCS_PATH=/opt/holoscan/docs/ \
    HOLOSCAN_LOGS=/var/holoscan/logs/ \
    HOLOSCAN_LOGS_PATH=/var/holoscan/logs/
RUN mkdir -p /opt/holoscan/app /opt/holoscan/docs /opt/holoscan/models /etc/holoscan /var/holoscan/input \
    /var/holoscan/output /var/holoscan/logs && chmod 1777 /var/holoscan/output /var/holoscan/logs
COPY deploy/map/entrypoint.sh /usr/local/bin/entrypoint
COPY deploy/map/manifests.py /tmp/
COPY README.md /opt/holoscan/docs/
COPY app.yaml /var/holoscan/
COPY app.yaml /opt/holoscan/app/
RUN python3 /tmp/manifests.py /var/holoscan/app.yaml /etc/holoscan && rm /tmp/manifests.py
COPY models /opt/holoscan/app/models
COPY operators /opt/holoscan/app/operators
COPY app /opt/holoscan/app/app
LABEL org.opencontainers.image.title="Single-study denoiser" org.opencontainers.image.version="${VERSION}"
WORKDIR /var/holoscan/
USER 1000:1000
ENTRYPOINT ["/usr/local/bin/entrypoint"]
