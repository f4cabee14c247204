# The application package (MONAI Application Package, an OCI image). Build: make map
#   TARGET   cpu or gpu; gpu keeps what talks to a GPU and needs PyTorch's CUDA build
#   INDEX    a package index beside the configured one, such as the one with PyTorch's CPU builds
#   VERSION  app.yaml's; make passes it
# Layers change from seldom to often: system, libraries, documents, code.
ARG BASE=docker.io/library/debian:bookworm-20250520-slim

FROM ${BASE} AS system
RUN apt-get update && apt-get install --yes --no-install-recommends python3 \
    && apt-get clean && rm -rf /var/lib/apt/lists/* /var/cache/apt /var/cache/debconf /var/cache/ldconfig/aux-cache \
       /var/log/apt /var/log/dpkg.log /var/log/alternatives.log

FROM system AS libraries
ARG TARGET=cpu
ARG INDEX
RUN apt-get update && apt-get install --yes --no-install-recommends python3-venv
COPY requirements.txt /tmp/
RUN python3 -m venv /opt/venv && /opt/venv/bin/pip install --no-cache-dir --no-compile --disable-pip-version-check \
    ${INDEX:+--extra-index-url "${INDEX}"} -r /tmp/requirements.txt
COPY deploy/map/prune.sh /tmp/
# Holoscan's package links its libraries at the first start of the interpreter; no later user could write there.
# With the project's own way of finding the CUDA runtime, this also proves that it is found. Bytecode without times in
# it starts at once and is the same in every build; a package may hold templates that don't compile.
COPY app/__init__.py app/host_process.py /tmp/once/app/
RUN cd /tmp/once && export PYTHONDONTWRITEBYTECODE=1 \
    && /opt/venv/bin/python -c "from app.host_process import load_cuda_runtime; load_cuda_runtime(); import holoscan.core" \
    && sh /tmp/prune.sh /opt/venv "${TARGET}" \
    && { /opt/venv/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/venv/lib > /dev/null || true; } \
    && find /opt/venv -exec touch --no-dereference --date=@0 {} +
RUN python3 -m venv /tmp/sbom && /tmp/sbom/bin/pip install --no-cache-dir --disable-pip-version-check cyclonedx-bom==7.5.0 \
    && /tmp/sbom/bin/cyclonedx-py environment --output-reproducible --output-file /opt/python.cdx.json /opt/venv/bin/python \
    && touch --date=@0 /opt/python.cdx.json

FROM system
ARG TARGET=cpu
COPY --from=libraries /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    PYTHONPATH=/opt/holoscan/app \
    PYTHONDONTWRITEBYTECODE=1 \
    MPLCONFIGDIR=/tmp \
    CUPY_CACHE_DIR=/tmp/cupy \
    HOME=/tmp \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility \
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
COPY deploy/map/contents.py deploy/map/manifests.py /tmp/map/
COPY --from=libraries /opt/python.cdx.json /tmp/map/
RUN python3 /tmp/map/contents.py /tmp/map/python.cdx.json /opt/holoscan/docs
COPY deploy/map/entrypoint.sh /usr/local/bin/entrypoint
COPY app.yaml /var/holoscan/
COPY app.yaml requirements.txt /opt/holoscan/app/
ARG VERSION
RUN TARGET=${TARGET} VERSION=${VERSION} python3 /tmp/map/manifests.py /var/holoscan/app.yaml /etc/holoscan && rm -r /tmp/map
COPY README.md CHANGELOG.md /opt/holoscan/docs/
COPY docs /opt/holoscan/docs/docs
COPY models /opt/holoscan/app/models
COPY operators /opt/holoscan/app/operators
COPY app /opt/holoscan/app/app
COPY validation /opt/holoscan/app/validation
RUN python3 -m compileall -q --invalidation-mode unchecked-hash /opt/holoscan/app
LABEL org.opencontainers.image.title="Single-study denoiser" \
    org.opencontainers.image.description="Denoises CT, MR, PET and ultrasound studies, each fitted on itself alone" \
    org.opencontainers.image.version="${VERSION}"
WORKDIR /var/holoscan/
USER 1000:1000
ENTRYPOINT ["/usr/local/bin/entrypoint"]
