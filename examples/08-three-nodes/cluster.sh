#!/bin/sh
# Three nodes on this machine, over one Redis: the first starts it, if none answers. Ctrl-C stops them all.
#
#     sh examples/08-three-nodes/cluster.sh
set -eu
data=${1:-./cluster-data}
redis=${KITCHENSINK_REDIS:-tcp://localhost:6379?db=9}
port=${PORT:-6323}
trap 'trap - INT TERM EXIT; kill $(jobs -p) 2>/dev/null || true; wait' INT TERM EXIT

node() {
  name=$1 at=$2
  shift 2
  npx kitchensink start --num-workers 1 --node-name "$name" --node-port "$at" --datadir "$data/$name" "$@" &
}
node node1 "$port"
until curl -sf "http://localhost:$port/health" >/dev/null; do sleep 0.1; done
node node2 "$((port + 1))" --no-redis --redis-connection "$redis"
node node3 "$((port + 2))" --no-redis --redis-connection "$redis"
wait
