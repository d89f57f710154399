"""The fused head, forward and backward, beside PyTorch's and Liger's, all on the same tensors.

Replay rows with an original: cross-entropy + KL, 4 products of N x D x V. The bound is their time at the rate of a large
product in this process. `dW` is fp32 and added to; it is not counted as the head's memory.
"""

import gc
import importlib.util
import itertools
import sys

import torch
import torch.utils.checkpoint
import torch.nn.functional as F

from lethe_cuda import Device, Kept, Rows, arguments, attempt, gemm_tflops, milliseconds

GOAL, STRETCH = 0.85, 0.92
SHAPES = [(8192, 2048, 64000), (8192, 2048, 128256), (8192, 4096, 128256)]


def plain_loss(hidden, weight, original, targets):
    logits = hidden @ weight.T
    log_p = F.log_softmax(logits.float(), -1)
    with torch.no_grad():
        log_p0 = F.log_softmax((original @ weight.T).float(), -1)
    kl = F.kl_div(log_p, log_p0, log_target=True, reduction='sum') / len(targets)
    return F.nll_loss(log_p, targets.long()) + kl


def chunked_loss(hidden, weight, original, targets, rows=1024):
    """The loss row chunk by row chunk, each computed again in the backward pass."""
    total = 0
    for begin in range(0, len(targets), rows):
        part = slice(begin, begin + rows)
        total = total + rows / len(targets) * torch.utils.checkpoint.checkpoint(
            plain_loss, hidden[part], weight, original[part], targets[part], use_reentrant=False
        )
    return total


def torch_step(loss, hidden, weight, original, targets):
    hidden, weight = hidden.detach().requires_grad_(), weight.detach().requires_grad_()

    def run():
        hidden.grad = weight.grad = None
        loss(hidden, weight, original, targets).backward()

    return run


def liger_steps(hidden, weight, original, targets):
    """Liger's chunked distillation and fused linear cross-entropy, where its package is installed."""
    if importlib.util.find_spec('liger_kernel') is None:
        return {}
    steps = {}

    def distillation():
        from liger_kernel.chunked_loss import LigerFusedLinearJSDLoss

        distill = LigerFusedLinearJSDLoss(weight_hard_loss=0.5, weight_soft_loss=0.5)
        loss = lambda h, w, o, t: distill(h, w, o, w.detach(), t.long())
        steps['liger chunked distillation (CE + JSD)'] = torch_step(loss, hidden, weight, original, targets)

    def cross_entropy():
        from liger_kernel.transformers import LigerFusedLinearCrossEntropyLoss

        ce = LigerFusedLinearCrossEntropyLoss()
        steps['liger linear CE (no KL)'] = torch_step(
            lambda h, w, o, t: ce(w, h, t.long()), hidden, weight, original, targets
        )

    attempt('liger distillation', distillation)
    attempt('liger linear CE', cross_entropy)
    return steps


def lethe_step(device, hidden, weight, original, targets, num_forget):
    N, D = hidden.shape
    V = weight.shape[0]
    M = N - num_forget
    sums = torch.empty(8, device='cuda')
    dhidden = torch.empty_like(hidden)
    dweight = torch.zeros(V, D, device='cuda')
    scale = 1 / N
    versions = itertools.count(1)
    # As in training: the 2-byte copy of the student's weight is made anew each time, the original's is kept.
    return lambda: device.run(
        'unlearn_head', N, M, D, V, hidden, Kept(weight, 1, next(versions)), targets, original[num_forget:],
        Kept(weight, 2, 1), sums, dhidden, dweight, None, None, None, 0.01 * scale, scale, scale, num_forget, 0, 0, 0,
    )  # fmt: skip


def peak_gb(f):
    gc.collect()
    torch.cuda.empty_cache()
    torch.cuda.synchronize()
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    f()
    torch.cuda.synchronize()
    return (torch.cuda.max_memory_allocated() - before) / 1e9


def measure(rows, N, D, V):
    """Returns how many products cuBLASLt would not do."""
    tflops = gemm_tflops()
    shape = f'N{N} D{D} V{V}'
    weight = (torch.randn(V, D, device='cuda') / D**0.5).bfloat16()
    hidden = torch.randn(N, D, device='cuda').bfloat16()
    original = (hidden.float() + 0.05 * torch.randn(N, D, device='cuda')).bfloat16()
    targets = torch.randint(V, (N,), device='cuda', dtype=torch.int32)
    rows.add('large product', '8192^3', 'torch bf16', rate=tflops, unit='TFLOP/s')

    def add(who, step, products, peak):
        bound = products * 2 * N * D * V / tflops * 1e-9
        ms = milliseconds(step)
        rows.add('head', shape, who, ms, 2 * products * N * D * V / ms * 1e-9, 'TFLOP/s', bound / ms, peak,
                 f'{GOAL} (stretch {STRETCH})' if who.startswith('lethe') else '')  # fmt: skip

    slow = 0
    for who, num_forget, products, logits, gib in (
        ('lethe replay', 0, 4, 'fp16', 1.5),
        ('lethe replay', 0, 4, 'fp16', 4),
        ('lethe replay', 0, 4, 'fp32', 1.5),
        ('lethe half forget', N // 2, 3.5, 'fp16', 1.5),
        ('lethe half forget', N // 2, 3.5, 'fp32', 1.5),
    ):
        device = Device()  # each with its own working memory, whose size is asked for
        device.set('head_logits', logits)
        device.set('head_bytes', int(gib * 2**30))
        with torch.cuda.stream(device.stream):
            step = lethe_step(device, hidden, weight, original, targets, num_forget)
            step()
            device.synchronize()
            info = device.info()
            add(f'{who} {logits} logits {gib} GiB', step, products, (info.workspace_bytes + info.kept_bytes) / 1e9)
        slow += info.plain_products
        device.close()
    if slow:
        print(f'FAILED: cuBLASLt ({info.cublaslt.decode()}) had no algorithm for {slow} products')
    rivals = {
        'torch eager': torch_step(plain_loss, hidden, weight, original, targets),
        'torch compile': torch_step(torch.compile(plain_loss), hidden, weight, original, targets),
        'torch compile chunked': torch_step(torch.compile(chunked_loss), hidden, weight, original, targets),
        **liger_steps(hidden, weight, original, targets),
    }
    for who, step in rivals.items():
        attempt(f'{who} at {shape}', lambda: (step(), add(who, step, 3 if 'no KL' in who else 4, peak_gb(step))))
        torch._dynamo.reset()  # or the next shape is compiled for any shape
    return slow


def main():
    options = arguments(__doc__).parse_args()
    torch.manual_seed(0)
    rows = Rows(options.rows)
    slow = sum(measure(rows, N, D, V) for N, D, V in (SHAPES[:1] if options.quick else SHAPES))
    sys.exit(slow > 0)


if __name__ == '__main__':
    main()
