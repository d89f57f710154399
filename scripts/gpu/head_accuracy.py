"""The head at KL = 1e-3, where unlearning begins: the gradient of the KL term against fp64. Fails above 0.1 relative."""

import sys

import torch

from lethe_cuda import Device, Rows, arguments

GOAL = 0.1


def fp64_gradient(hidden, weight, original_hidden):
    """d mean KL(p_ori || p) / d hidden, and the mean KL."""
    h = hidden.double().requires_grad_()
    log_p = torch.log_softmax(h @ weight.double().T, -1)
    log_p0 = torch.log_softmax(original_hidden.double() @ weight.double().T, -1)
    kl = (log_p0.exp() * (log_p0 - log_p)).sum(-1).mean()
    kl.backward()
    return h.grad, kl.item()


def main():
    options = arguments(__doc__).parse_args()
    torch.manual_seed(0)
    rows, device, failed = Rows(options.rows), Device(), 0
    N = 128
    for D, V in [(1024, 32000)] if options.quick else [(1024, 32000), (2048, 64000), (4096, 128256)]:
        weight = (torch.randn(V, D, device='cuda') * 2.2 / D**0.5).bfloat16()
        hidden = torch.randn(N, D, device='cuda').bfloat16()
        noise = torch.randn(N, D, device='cuda') * (2e-3**0.5 / 2.2)  # KL is about variance of dz / 2
        original = (hidden.float() + noise).bfloat16()
        targets = torch.randint(V, (N,), device='cuda', dtype=torch.int32)
        truth, kl = fp64_gradient(hidden, weight, original)
        for logits in ('fp16', 'fp32'):
            device.set('head_logits', logits)
            sums = torch.empty(8, device='cuda')
            dhidden = torch.full_like(hidden, float('nan'))
            device.run(
                'unlearn_head', N, N, D, V, hidden, weight, targets, original, weight, sums, dhidden, None, None, None,
                None, 0, 0, 1 / N, 0, 0, 0, 0,
            )  # fmt: skip
            device.synchronize()
            error = ((dhidden.double() - truth).norm() / truth.norm()).item()
            mean_kl = sums[2].item() / N
            rows.add('head KL gradient', f'D{D} V{V} KL {kl:.1e}', f'lethe {logits} logits', rate=error,
                     unit='relative error', goal=GOAL)  # fmt: skip
            failed += not (error <= GOAL and abs(mean_kl - kl) <= 0.05 * kl)
    sys.exit(failed > 0)


if __name__ == '__main__':
    main()
