#!/bin/sh
# The package's entry: "show", "env", "extract" and "help" tell of it; anything else goes to the application, which
# replaces this shell, so that its exit code and its signals are the container's.
set -eu

manifests=/etc/holoscan
export_folder=/var/run/holoscan/export

case "${1:-}" in
show)
    printf '%s\n' "app.json:"
    cat "$manifests/app.json"
    printf '%s\n' "pkg.json:"
    cat "$manifests/pkg.json"
    ;;
env)
    env | sort
    ;;
extract)
    [ -d "$export_folder" ] || { echo "extract: mount a folder at $export_folder" >&2; exit 2; }
    parts="app config models docs"
    chosen=
    for part in $parts; do
        [ ! -d "$export_folder/$part" ] || chosen="$chosen $part"
    done
    for part in ${chosen:-$parts}; do
        target=$export_folder/$part
        mkdir -p "$target"
        case "$part" in
        app) cp -R "$HOLOSCAN_APPLICATION/." "$target/" ;;
        config) cp "$manifests/app.json" "$manifests/pkg.json" "$HOLOSCAN_CONFIG_PATH" "$target/" ;;
        models) cp -R "$HOLOSCAN_MODEL_PATH/." "$target/" ;;
        docs) cp -R "$HOLOSCAN_DOCS_PATH/." "$target/" ;;
        esac
    done
    ;;
help)
    echo "show | env | extract | help; otherwise the application with these arguments:"
    exec python3 -m app --help
    ;;
*)
    ulimit -S -s 32768 2>/dev/null || true
    exec python3 -m app "$@"
    ;;
esac
