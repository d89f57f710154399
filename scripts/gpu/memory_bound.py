"""The operators that memory bounds, beside PyTorch's compiled ones: GB/s and share of a large copy's.

Bytes are the compulsory ones: each input read once, each output written once.
"""

import torch
import torch.nn.functional as F

from lethe_cuda import Device, Rows, arguments, attempt, copy_gbytes_per_second, milliseconds

N, D, FFN, V = 16384, 2048, 5504, 64000


def cases(device):
    """name -> (bytes, Lethe's call, PyTorch's call)"""
    half = lambda *shape: torch.randn(*shape, device='cuda', dtype=torch.bfloat16)
    single = lambda *shape: torch.randn(*shape, device='cuda')
    x, residual, total, y, dy, dx = (half(N, D) for _ in range(6))
    weight, dweight, rstd = single(D), single(D), single(N).abs()
    gate, up, wide, dgate, dup = (half(N, FFN) for _ in range(5))
    positions = torch.arange(N, device='cuda', dtype=torch.int32) % 4096
    cos, sin = single(4096, 32), single(4096, 32)
    ids = torch.randint(V, (N,), device='cuda', dtype=torch.int32)
    table, gradient = single(V, D), single(V, D)
    count = 1 << 27
    param, grad, m, v = (single(count).abs() for _ in range(4))
    sum_squares = torch.zeros(1, device='cuda')
    compiled_norm = torch.compile(lambda a, r: F.rms_norm((a + r).float(), (D,), weight).bfloat16())
    compiled_swiglu = torch.compile(lambda g, u: F.silu(g) * u)
    adam = torch.optim.AdamW([torch.nn.Parameter(param.clone())], fused=True)
    adam.param_groups[0]['params'][0].grad = grad
    row = N * D * 2
    return {
        'rms_norm': (4 * row, lambda: device.run('rms_norm', N, D, x, residual, weight, total, y, rstd, 1e-5),
                     lambda: compiled_norm(x, residual)),
        'rms_norm_backward': (4 * row, lambda: device.run('rms_norm_backward', N, D, x, weight, rstd, dy, residual, dx,
                                                          dweight), None),
        'swiglu': (3 * N * FFN * 2, lambda: device.run('swiglu', N, FFN, gate, up, wide),
                   lambda: compiled_swiglu(gate, up)),
        'swiglu_backward': (5 * N * FFN * 2, lambda: device.run('swiglu_backward', N, FFN, gate, up, wide, dgate, dup),
                            None),
        'rope': (2 * row, lambda: device.run('rope', N, 32, 32, 4096, x, positions, cos, sin, y, 0), None),
        'embedding': (3 * row, lambda: device.run('embedding', N, V, D, ids, table, y),
                      lambda: F.embedding(ids, table).bfloat16()),
        'embedding_backward': (row + 2 * min(N, V) * D * 4,
                               lambda: device.run('embedding_backward', N, V, D, ids, dy, gradient), None),
        'adamw': (7 * count * 4, lambda: device.run('adamw', count, param, grad, m, v, 5e-5, 0.9, 0.95, 1e-8, 0.1, 1, 2),
                  adam.step),
        'global_norm': (count * 4, lambda: device.run('global_norm', count, grad, sum_squares),
                        lambda: torch.linalg.vector_norm(grad)),
    }  # fmt: skip


def main():
    options = arguments(__doc__).parse_args()
    rows, device, bound = Rows(options.rows), Device(), copy_gbytes_per_second()
    rows.add('large copy', '1 GiB', 'torch', rate=bound, unit='GB/s')
    for name, (size, ours, theirs) in cases(device).items():
        with torch.cuda.stream(device.stream):
            ms = milliseconds(ours)
            device.synchronize()
        rows.add(name, f'{size / 1e6:.0f} MB', 'lethe', ms, size / ms * 1e-6, 'GB/s', size / ms * 1e-6 / bound)
        ms = attempt(f'torch {name}', lambda: milliseconds(theirs)) if theirs else None
        if ms:
            rows.add(name, f'{size / 1e6:.0f} MB', 'torch', ms, size / ms * 1e-6, 'GB/s', size / ms * 1e-6 / bound)


if __name__ == '__main__':
    main()
