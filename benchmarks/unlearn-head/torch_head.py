"""Times the naive head and loss in PyTorch: python torch_head.py D V MODE THREADS. Prints one JSON line.

MODE: eager-fp32 (as installed), eager-fp32-onednn, compiled-fp32-onednn, eager-bf16, compiled-bf16. 512 forget rows and
512 replay rows, forward and backward: log-softmax, cross-entropy, KL, -log(1 - p). Memory is what the process grows by
beyond inputs and gradients.
"""

import json
import sys
import time

import torch
import torch.nn.functional as F

D, V, mode, threads = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
ROWS = 512
torch.manual_seed(1)
torch.set_num_threads(threads)
if "onednn" in mode:
    torch.set_float32_matmul_precision("medium")
bf16 = "bf16" in mode

hidden = (torch.randn(2 * ROWS, D) * 0.05).requires_grad_()
weight = (torch.randn(V, D) * 0.05).requires_grad_()
original_hidden, original_weight = torch.randn(ROWS, D) * 0.05, torch.randn(V, D) * 0.05
targets = torch.randint(V, (2 * ROWS,))


def loss_of(hidden, weight):
    logits = F.linear(hidden, weight).float().log_softmax(-1)
    with torch.no_grad():
        teacher = F.linear(original_hidden, original_weight).float().log_softmax(-1)
    logp = logits.gather(-1, targets[:, None]).squeeze(-1)
    forgetting = -torch.log1p(-logp[:ROWS].exp().clamp(max=1 - 1e-6)).mean()
    kl = (teacher.exp() * (teacher - logits[ROWS:])).sum(-1).mean()
    return 0.01 * forgetting - logp[ROWS:].mean() + kl


compute = torch.compile(loss_of) if mode.startswith("compiled") else loss_of


def step():
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        loss = compute(hidden, weight)
    loss.backward()


def megabytes(field):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(field + ":")) * 1024 / 1e6


hidden.grad, weight.grad = torch.ones_like(hidden), torch.ones_like(weight)  # resident
before = megabytes("VmRSS")
with open("/proc/self/clear_refs", "w") as peaks:
    peaks.write("5")  # VmHWM starts again: the making of the inputs does not count
seconds = []
for i in range(7):
    started = time.perf_counter()
    step()
    if i >= 2:
        seconds.append(time.perf_counter() - started)
seconds.sort()
middle, grown = seconds[len(seconds) // 2], megabytes("VmHWM") - before
print(json.dumps({"who": f"torch {mode}", "ms": 1000 * middle, "workingMb": grown}))
