"""A link between two network interfaces: link.py NAME NAME DELAY_MS. Makes the two as TUN devices, says so, and carries
packets from each to the other, each DELAY_MS after it has been read, until it is ended. In user space, since a kernel need
not have netem; packets come as whole segments of TCP, as a network card takes them, so that it costs little."""
import fcntl
import os
import select
import struct
import sys
import time
from collections import deque

TUNSETIFF, TUNSETOFFLOAD = 0x400454CA, 0x400454D0
IFF_TUN, IFF_NO_PI, IFF_VNET_HDR = 0x0001, 0x1000, 0x4000
CHECKSUMS, SEGMENTS = 0x01, 0x02  # TUN_F_CSUM, TUN_F_TSO4
MOST = 2**17  # bytes of a packet with its header

first, second, delay_ms = sys.argv[1:]
delay = float(delay_ms) / 1000


def device(name):
    end = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(end, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI | IFF_VNET_HDR))
    fcntl.ioctl(end, TUNSETOFFLOAD, CHECKSUMS | SEGMENTS)
    return end


class Direction:
    def __init__(self, source, target):
        self.source, self.target = source, target
        self.packets = deque()

    def take(self, now):
        while True:
            try:
                self.packets.append((now + delay, os.read(self.source, MOST)))
            except BlockingIOError:
                return

    def give(self, now):
        while self.packets and self.packets[0][0] <= now:
            _, packet = self.packets.popleft()
            try:
                os.write(self.target, packet)
            except OSError:
                pass  # that end is not up yet: lost, as on a cable

    def wait(self, now):
        return max(0.0, self.packets[0][0] - now) if self.packets else 1.0


a, b = device(first), device(second)
directions = {a: Direction(a, b), b: Direction(b, a)}
print("ready", flush=True)
while True:
    now = time.monotonic()
    ready, _, _ = select.select(directions, [], [], min(d.wait(now) for d in directions.values()))
    now = time.monotonic()
    for source in ready:
        directions[source].take(now)
    for direction in directions.values():
        direction.give(now)
