#!/bin/sh
# Takes out of the libraries what no run of the application touches: prune.sh VENV cpu|gpu
set -eu
venv=$1
target=$2
packages=$(echo "$venv"/lib/python3*/site-packages)

remove() {
    "$venv/bin/python" -m pip uninstall --yes --quiet --disable-pip-version-check "$@"
}

case "$target" in
cpu)
    # Python's ways to CUDA; the runtime library that Holoscan is linked to stays
    remove cupy-cuda13x cuda-python cuda-bindings cuda-core cuda-pathfinder
    ;;
gpu)
    "$venv/bin/python" -c 'import torch, sys; sys.exit(0 if torch.version.cuda else "TARGET=gpu needs a CUDA build of torch")'
    ;;
*)
    echo "TARGET is cpu or gpu, not '$target'" >&2
    exit 2
    ;;
esac

# Tools for measuring a server that no one runs here
remove perf-analyzer
# Headers, static libraries and test programs
rm -rf "$packages/torch/include" "$packages/torch/test" "$packages"/torch/bin/*[Tt]est* "$packages"/torch/bin/protoc* \
    "$packages"/torch/bin/*.ptl "$packages"/torch/bin/upgrader_models "$packages"/nvidia/*/include
find "$venv" -name '*.a' -delete
for library in scipy skimage matplotlib mpl_toolkits networkx sympy nibabel fontTools mpmath ml_dtypes; do
    find "$packages/$library" -type d -name tests -prune -exec rm -rf {} +
done
# The installer itself
remove setuptools
"$venv/bin/python" -m pip uninstall --yes --quiet pip
find "$venv" -type d -name __pycache__ -prune -exec rm -rf {} +
