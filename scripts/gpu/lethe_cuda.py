"""liblethe_cuda through its C interface (native/include/lethe/cuda.h), on the memory of torch tensors."""

import argparse
import ctypes
import datetime
import os
import subprocess

import torch


class Tensor(ctypes.Structure):
    _fields_ = [
        ('data', ctypes.c_void_p),
        ('bytes', ctypes.c_size_t),
        ('buffer', ctypes.c_uint64),
        ('version', ctypes.c_uint64),
        ('bf16', ctypes.c_int32),
    ]


class Info(ctypes.Structure):
    _fields_ = [
        ('name', ctypes.c_char * 256),
        ('major', ctypes.c_int32),
        ('minor', ctypes.c_int32),
        ('multiprocessors', ctypes.c_int32),
        ('total_bytes', ctypes.c_size_t),
        ('free_bytes', ctypes.c_size_t),
        ('workspace_bytes', ctypes.c_size_t),
        ('kept_bytes', ctypes.c_size_t),
        ('plain_products', ctypes.c_int64),
        ('cublaslt', ctypes.c_char * 256),
    ]


class Kept:
    """A weight of which the library may keep 2-byte copies, while its version stays the same."""

    def __init__(self, tensor, buffer, version):
        self.tensor, self.buffer, self.version = tensor, buffer, version


class Device:
    """Every call raises RuntimeError with the library's message."""

    def __init__(self):
        self.library = ctypes.CDLL(os.environ['LETHE_CUDA_LIBRARY'])
        for name in ('stream', 'error'):
            getattr(self.library, f'lethe_cuda_{name}').restype = ctypes.c_void_p
        self.library.lethe_cuda_error.restype = ctypes.c_char_p
        self.handle = ctypes.c_void_p()
        self._check(self.library.lethe_cuda_open(torch.cuda.current_device(), ctypes.byref(self.handle)))
        stream = self.library.lethe_cuda_stream(self.handle)
        # Work of torch that is queued here runs in order with the library's, and events time both.
        self.stream = torch.cuda.ExternalStream(stream)

    def close(self):
        """Gives back all that the library holds."""
        self.synchronize()
        self.library.lethe_cuda_close(self.handle)

    def _check(self, status):
        if status != 0:
            raise RuntimeError(self.library.lethe_cuda_error().decode())

    def run(self, op, *fields):
        """One value per field of the table: a number, a tensor (or a Kept one), or None for one that is absent."""
        fields = [Kept(f, 0, 0) if isinstance(f, torch.Tensor) else f for f in fields]
        tensors = [f for f in fields if isinstance(f, Kept)]
        for kept in tensors:
            if not kept.tensor.is_cuda or not kept.tensor.is_contiguous():
                raise ValueError(f'{op}: expected dense tensors of the GPU')
        array = (Tensor * max(1, len(tensors)))(
            *(
                Tensor(k.tensor.data_ptr(), k.tensor.numel() * k.tensor.element_size(), k.buffer, k.version,
                       int(k.tensor.dtype == torch.bfloat16))
                for k in tensors
            )
        )  # fmt: skip
        numbers, position = [], 0
        for field in fields:
            if isinstance(field, Kept):
                position += 1
                numbers.append(float(position))
            else:
                numbers.append(0.0 if field is None else float(field))
        # The library's stream does not wait for torch's by itself.
        self.stream.wait_stream(torch.cuda.default_stream())
        index = self.library.lethe_cuda_operator(op.encode())
        values = (ctypes.c_double * len(numbers))(*numbers)
        self._check(
            self.library.lethe_cuda_run(
                self.handle, ctypes.c_uint32(index), values, len(numbers), array, len(tensors)
            )
        )

    def set(self, name, value):
        self._check(self.library.lethe_cuda_set(self.handle, name.encode(), str(value).encode()))

    def synchronize(self):
        self._check(self.library.lethe_cuda_synchronize(self.handle))

    def info(self):
        info = Info()
        self._check(self.library.lethe_cuda_describe(self.handle, ctypes.byref(info)))
        return info


def milliseconds(f, repeat=10, warm=3):
    """The median time of f on the current stream, by events."""
    for _ in range(warm):
        f()
    times = []
    for _ in range(repeat):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        f()
        end.record()
        end.synchronize()
        times.append(begin.elapsed_time(end))
    return sorted(times)[len(times) // 2]


def gemm_tflops(size=8192):
    """The rate of a large bf16 product here and now: the bound of everything made of products."""
    a = torch.randn(size, size, device='cuda', dtype=torch.bfloat16)
    b = torch.randn(size, size, device='cuda', dtype=torch.bfloat16)
    c = torch.empty_like(a)
    return 2 * size**3 / milliseconds(lambda: torch.matmul(a, b, out=c), repeat=20) * 1e-9


def copy_gbytes_per_second(size=1 << 30):
    """Bytes read and written per second by a large copy: the bound of everything bound by memory."""
    x = torch.empty(size, device='cuda', dtype=torch.uint8)
    y = torch.empty_like(x)
    return 2 * size / milliseconds(lambda: y.copy_(x), repeat=20) * 1e-6


def arguments(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument('--rows', help='a file to which CSV rows are added')
    parser.add_argument('--quick', action='store_true', help='the smallest shape of each kind')
    return parser


def attempt(who, f):
    """The result of f, or None where it fails, which is printed: a rival's failure is not ours."""
    try:
        return f()
    except Exception as error:  # noqa: BLE001
        print(f'{who} failed: {type(error).__name__}: {(str(error).splitlines() or [""])[0]}', flush=True)
        torch.cuda.empty_cache()
        return None


class Rows:
    """Prints results, and adds them as rows of benchmarks/results/gpu.csv."""

    def __init__(self, path):
        self.path = path
        driver = subprocess.run(
            ['nvidia-smi', '--query-gpu=driver_version', '--format=csv,noheader'],
            capture_output=True,
            text=True,
            check=False,
        ).stdout.split('\n')[0]
        self.start = f'{datetime.date.today()},{torch.cuda.get_device_name()},{driver}'

    def add(self, what, shape, who, ms='', rate='', unit='', share='', peak_gb='', goal=''):
        number = lambda x: f'{x:.4g}' if isinstance(x, float) else str(x).replace(',', ' ')
        row = ','.join(number(x) for x in (what, shape, who, ms, rate, unit, share, peak_gb, goal))
        print(row, flush=True)
        if self.path:
            with open(self.path, 'a', encoding='utf8') as file:
                file.write(f'{self.start},{row}\n')
