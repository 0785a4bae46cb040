#!/bin/sh
# Three nodes on this machine, over one Redis: the first starts it, if none answers. Ctrl-C stops them all.
#
#     sh examples/08-three-nodes/cluster.sh
set -eu
data=${1:-./cluster-data}
redis=${KITCHENSINK_REDIS:-tcp://localhost:6379?db=9}
port=${PORT:-6323}
# Not by npx, which does not pass signals on.
kitchensink=$(node -p 'require.resolve("kitchensink/package.json").replace("package.json", "dist/cli/main.js")')

pids=
trap 'trap - INT TERM EXIT; kill $pids 2>/dev/null || true; wait' INT TERM EXIT
node_named() {
  name=$1 at=$2
  shift 2
  node "$kitchensink" start --num-workers 1 --node-name "$name" --node-port "$at" --datadir "$data/$name" "$@" &
  pids="$pids $!"
}

node_named node1 "$port"
until curl -sf "http://localhost:$port/ready" >/dev/null; do sleep 0.1; done
node_named node2 "$((port + 1))" --no-redis --redis-connection "$redis"
node_named node3 "$((port + 2))" --no-redis --redis-connection "$redis"
wait
