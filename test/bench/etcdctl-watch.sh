#!/bin/sh
# What a user would put after `etcdctl watch PREFIX --prefix --`: fetch, make durable, move into place, tell.
#
# `etcdctl-watch.sh FILE URL`; etcdctl sets ETCD_WATCH_KEY, quoted as a Go string, and finds etcd by ETCDCTL_ENDPOINTS.
set -eu
umask 077
file=$1
url=$2
key=${ETCD_WATCH_KEY#\"}
key=${key%\"}

etcdctl get --print-value-only "$key" >"$file.new"
sync "$file.new"
mv "$file.new" "$file"
if command -v curl >/dev/null; then
  curl --fail --silent --show-error --output /dev/null --request POST "$url"
else
  wget --quiet --output-document=/dev/null --post-data= "$url"
fi
