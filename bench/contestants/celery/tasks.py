import os

from celery import Celery

REDIS = f"redis://127.0.0.1:{os.environ['BENCH_PORT']}/0"

app = Celery("tasks", broker=REDIS, backend=REDIS)
# What Celery's guide to optimizing says for many short tasks.
app.conf.worker_prefetch_multiplier = 100


@app.task
def add(a, b):
    return a + b
