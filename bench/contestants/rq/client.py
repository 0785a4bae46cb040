# Many calls are enqueued in one pipeline. This version of RQ tells nobody that a job has ended: one has to ask.
from time import sleep

from redis import Redis
from rq import Queue

from drive import SETTINGS, drive
from tasks import add

ASK_EVERY_S = 0.001

queue = Queue(connection=Redis(port=SETTINGS["port"]))


def result_of(job):
    while (value := job.return_value(refresh=True)) is None:
        sleep(ASK_EVERY_S)
    return value


def many(count):
    calls = [Queue.prepare_data(add, (1, 2)) for _ in range(count)]
    return [result_of(job) for job in queue.enqueue_many(calls)]


drive(many=many, one=lambda: result_of(queue.enqueue(add, 1, 2)))
