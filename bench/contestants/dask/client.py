# Many calls are a map, whose results are gathered.
from distributed import Client

from drive import SETTINGS, drive

client = Client(f"tcp://127.0.0.1:{SETTINGS['port']}")
client.wait_for_workers(2)


def add(a, b):
    return a + b


drive(
    many=lambda count: client.gather(client.map(add, [1] * count, [2] * count, pure=False)),
    one=lambda: client.submit(add, 1, 2, pure=False).result(),
)
