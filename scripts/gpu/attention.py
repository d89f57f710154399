"""Attention, forward and backward, beside PyTorch's flash attention: TFLOP/s and share of a large product's."""

import torch
import torch.nn.functional as F

from lethe_cuda import Device, Rows, arguments, attempt, gemm_tflops, milliseconds

# B, T, H, K, D: the paper's 2B model, and heads of 128 with grouped keys.
SHAPES = [(4, 4096, 32, 32, 64), (4, 4096, 32, 8, 128), (1, 16384, 32, 8, 128)]


def measure(rows, device, tflops, B, T, H, K, D):
    make = lambda heads: torch.randn(B, T, heads, D, device='cuda', dtype=torch.bfloat16)
    q, k, v, dy = make(H), make(K), make(K), make(H)
    y, dq, dk, dv = (torch.empty_like(x) for x in (q, q, k, v))
    lse = torch.empty(B, H, T, device='cuda')
    last = torch.arange(T, device='cuda', dtype=torch.int32).repeat(B, 1)
    shape, scale, flop = f'B{B} T{T} H{H} K{K} D{D}', D**-0.5, 2 * B * H * T * T * D  # causal: half of 4 B H T T D
    masks = {'causal': torch.zeros_like(last), 'documents of 1024': last // 1024 * 1024}
    with torch.cuda.stream(device.stream):
        for mask, first in masks.items():
            share = 1 if mask == 'causal' else 1024 / T
            forward = lambda: device.run('attention', B, T, T, H, K, D, q, k, v, first, last, y, lse, scale)
            backward = lambda: device.run(
                'attention_backward', B, T, T, H, K, D, q, k, v, first, last, y, lse, dy, dq, dk, dv, scale
            )
            for what, run, factor in (('forward', forward, 1), ('backward', backward, 2.5)):
                ms = milliseconds(run)
                rate = flop * share * factor / ms * 1e-9
                rows.add(f'attention {what}', f'{shape} {mask}', 'lethe', ms, rate, 'TFLOP/s', rate / tflops)
        device.synchronize()
    attempt(f'torch attention at {shape}', lambda: measure_torch(rows, tflops, shape, flop, q, k, v, dy))


def measure_torch(rows, tflops, shape, flop, q, k, v, dy):
    grouped = q.shape[2] != k.shape[2]
    a, b, c = (x.transpose(1, 2).detach().requires_grad_() for x in (q, k, v))
    attend = lambda: F.scaled_dot_product_attention(a, b, c, is_causal=True, enable_gqa=grouped)
    ms = milliseconds(attend)
    rows.add('attention forward', f'{shape} causal', 'torch', ms, flop / ms * 1e-9, 'TFLOP/s', flop / ms * 1e-9 / tflops)
    result = attend()
    upstream = dy.transpose(1, 2)
    ms = milliseconds(lambda: torch.autograd.grad(result, (a, b, c), upstream, retain_graph=True))
    rate = 2.5 * flop / ms * 1e-9
    rows.add('attention backward', f'{shape} causal', 'torch', ms, rate, 'TFLOP/s', rate / tflops)


def main():
    options = arguments(__doc__).parse_args()
    rows, device, tflops = Rows(options.rows), Device(), gemm_tflops()
    for shape in SHAPES[:1] if options.quick else SHAPES:
        measure(rows, device, tflops, *shape)


if __name__ == '__main__':
    main()
