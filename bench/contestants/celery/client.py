# Many calls are a group, as Celery's documentation has it.
from celery import group

from drive import drive
from tasks import add

drive(
    many=lambda count: group(add.s(1, 2) for _ in range(count)).apply_async().get(),
    one=lambda: add.delay(1, 2).get(),
)
