#!/usr/bin/env bash
# Makes the base image where no registry can be reached: base.sh NAME. Needs root, debootstrap and podman.
set -euo pipefail
name=$1
! podman image exists "$name" || exit 0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
debootstrap --variant=minbase --include=ca-certificates bookworm "$work/root" >"$work/log" 2>&1 || {
    tail -n 5 "$work/log" >&2
    exit 1
}
rm -rf "$work"/root/var/cache/apt/* "$work"/root/var/lib/apt/lists/* "$work"/root/var/log/*
tar -C "$work/root" -c . | podman import - "$name" >/dev/null
