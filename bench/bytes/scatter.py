"""Dask for bench/bytes/dask.ts: three workers; a line of JSON asks, a line of JSON answers, all times in seconds."""
import json
import os
import sys
import time

from distributed import Client, LocalCluster

WORKERS = 3


def seconds(work):
    begun = time.perf_counter()
    result = work()
    return time.perf_counter() - begun, result


def roundtrip(client, size):
    data = os.urandom(size)
    scatter, future = seconds(lambda: client.scatter(data))
    gather, back = seconds(lambda: client.gather(future))
    if back != data:
        raise ValueError("what came back is not what was sent")
    return {"scatter": scatter, "gather": gather}


def broadcast(client, size):
    data = os.urandom(size)
    took, _future = seconds(lambda: client.scatter(data, broadcast=True))
    return {"broadcast": took}


def main():
    with LocalCluster(
        n_workers=WORKERS, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as cluster, Client(cluster) as client:
        print(json.dumps({"ready": True}), flush=True)
        for line in sys.stdin:
            request = json.loads(line)
            work = {"roundtrip": roundtrip, "broadcast": broadcast}[request["op"]]
            print(json.dumps(work(client, request["bytes"])), flush=True)


if __name__ == "__main__":
    main()
